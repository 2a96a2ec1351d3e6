"""Count events for `/metrics` without letting a sender choose how many series there are."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from plugin_analytics.model.families import TYPES

MAX_STRANGERS = 64
OTHER = "other"


class EventCounter:
    """Put counts under the event's type; strangers beyond the first 64 share one name."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._strangers: set[str] = set()
        # To look a label set up costs more than to count; only names that have their own stand here.
        self._known: dict[tuple[str, str], Counter] = {}

    def __call__(self, name: str, outcome: str, number: int) -> None:
        """Note that *number* events of type *name* ended as *outcome*."""
        counter = self._known.get((name, outcome))
        if counter is None:
            label = self._label(name)
            counter = self._counter.labels(label, outcome)
            if label == name:
                self._known[name, outcome] = counter
        counter.inc(number)

    def _label(self, name: str) -> str:
        if name in TYPES or name in self._strangers:
            return name
        if len(self._strangers) >= MAX_STRANGERS or not name:
            return OTHER
        self._strangers.add(name)
        return name


def watch_drift(registry: CollectorRegistry, drift: Callable[[], int]) -> None:
    """Tell at each scrape on how many days the counts were last seen to differ."""
    gauge = Gauge("plugin_rollup_drift", "Days whose counts differ.", registry=registry)
    gauge.set_function(drift)
