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

    def __call__(self, name: str, outcome: str, number: int) -> None:
        """Note that *number* events of type *name* ended as *outcome*."""
        self._counter.labels(self._label(name), outcome).inc(number)

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
