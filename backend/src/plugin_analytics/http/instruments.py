"""Measure for `/metrics` what the store does: commits, late events, and counts that lag behind."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mosaiclife_plugin_sdk import ServiceUnavailable

COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LATE_SECONDS = tuple(float(2**power) for power in (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24))


class Buckets:
    """Count observations by their size; one thread writes, any may read."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Use *bounds*, which ascend, as the largest value of each bucket."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float, number: int = 1) -> None:
        """Note *number* observations of about *value*."""
        self._counts[bisect_left(self._bounds, value)] += number
        self._sum += value * number

    def family(self, name: str, help_text: str) -> HistogramMetricFamily:
        """Return the counts as Prometheus wants them: each bucket holds the smaller ones too."""
        total, buckets = 0, []
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else f"{bound:g}", float(total)))
        family = HistogramMetricFamily(name, help_text)
        family.add_metric([], buckets, sum_value=self._sum)
        return family


class Instruments(Collector):
    """What the writer tells while it works, and what the store is asked at each scrape."""

    def __init__(self, lag: Callable[[], float]) -> None:
        """Ask *lag* for the seconds that the oldest event has waited to be counted."""
        self._lag = lag
        self._commits = Buckets(COMMIT_SECONDS)
        self._late = Buckets(LATE_SECONDS)

    def committed(self, seconds: float) -> None:
        """Note that a group of writes took *seconds* until it was on the disk."""
        self._commits.add(seconds)

    def arrived(self, seconds: int, number: int) -> None:
        """Note that *number* events arrived at most *seconds* after they happened."""
        self._late.add(seconds, number)

    def collect(self) -> Iterable[Metric]:
        """Return the three families; a store that cannot be read leaves the lag out."""
        yield self._commits.family(
            "plugin_store_commit_seconds", "Time until a group of writes was on the disk."
        )
        yield self._late.family(
            "plugin_event_lateness_seconds", "Time between an event and its arrival, rounded up."
        )
        try:
            lag = self._lag()
        except ServiceUnavailable:
            return
        yield GaugeMetricFamily(
            "plugin_count_lag_seconds", "How long the oldest event has waited to be counted.", lag
        )
