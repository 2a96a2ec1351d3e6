"""Answer several questions of one moment; one that cannot be answered leaves the others alone."""

from collections.abc import Callable, Iterable

from mosaiclife_plugin_sdk import PluginError
from plugin_analytics.services.pages import Report
from plugin_analytics.store.base import Store

Ask = Callable[[], Report]
Outcome = Report | PluginError


class Query:
    """Read several reports as one."""

    def __init__(self, store: Store) -> None:
        """Read from *store*."""
        self._store = store

    def __call__(self, asks: Iterable[Ask]) -> list[Outcome]:
        """Return what came of each, in order."""
        with self._store.snapshot():
            return [_outcome(ask) for ask in asks]


def _outcome(ask: Ask) -> Outcome:
    try:
        return ask()
    except PluginError as error:
        return error
