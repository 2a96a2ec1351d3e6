"""Hold the bars of design §8, and judge figures by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Bar:
    """What a figure should be: *part* names one of several that a key holds."""

    key: str
    words: str
    limit: float
    unit: str
    at_least: bool = False
    part: str | None = None

    @property
    def name(self) -> str:
        """Return how the figure is called in the history."""
        return self.key if self.part is None else f"{self.key}.{self.part}"

    def value(self, figures: Figures) -> float | None:
        """Return the figure; of many, the one that is furthest from the bar."""
        found = figures.get(self.key)
        if isinstance(found, Mapping) and self.part is not None:
            found = found.get(self.part)
        if isinstance(found, Mapping):
            values = [float(value) for value in found.values()]
            found = (min(values) if self.at_least else max(values)) if values else None
        return None if found is None else float(found)

    def ratio(self, value: float) -> float:
        """Return how many times the bar is met: 1 is just met, less is missed."""
        if self.at_least:
            return value / self.limit
        return self.limit / value if value else float("inf")

    def met(self, value: float) -> bool:
        """Tell whether *value* meets the bar."""
        return self.ratio(value) >= 1

    def target(self) -> str:
        """Write the bar as a person reads it."""
        return f"{'≥' if self.at_least else '<'} {self.limit:,g} {self.unit}".rstrip()


INGEST = (
    Bar(
        "ingest_batch_events_per_s",
        "batches of 500, random ids",
        12_000,
        "events/s",
        at_least=True,
    ),
    Bar(
        "ingest_batch_ordered_events_per_s",
        "batches of 500, time-ordered ids",
        30_000,
        "events/s",
        at_least=True,
    ),
    Bar(
        "ingest_batch_vs_store_ratio",
        "random ids, of the bare store's rate",
        0.5,
        "",
        at_least=True,
    ),
    Bar(
        "ingest_single_requests_per_s",
        "one event per request, every line and span",
        3_500,
        "requests/s",
        at_least=True,
        part="whole",
    ),
    Bar(
        "ingest_single_requests_per_s",
        "one event per request, lines and spans sampled",
        5_000,
        "requests/s",
        at_least=True,
        part="sampled",
    ),
    Bar("ingest_single_p99_ms", "one event per request, p99", 50, "ms"),
)
PROCESS = (
    Bar("control_p95_ms_under_load", "control endpoints at half the ingest rate, p95", 10, "ms"),
    Bar("start_to_ready_s", "start to ready", 1.5, "s"),
    Bar("rss_idle_mib", "memory, idle", 110, "MiB"),
    Bar("rss_load_mib", "memory, under load", 256, "MiB"),
    Bar("erasure_s", "a storyteller forgotten, end to end", 60, "s"),
)
INTERFACE = (
    Bar("ui_gzip_kb", "fetched for the entry, gzip", 5, "KiB", part="remoteEntry"),
    Bar("ui_gzip_kb", "fetched for the panel, gzip", 12, "KiB", part="panel"),
    Bar("ui_gzip_kb", "fetched for the page, gzip", 30, "KiB", part="page"),
)
REPORT_BARS = {2_000_000: 20.0, 9_000_000: 50.0}


def bars_for(sizes: tuple[int, ...]) -> list[Bar]:
    """Return every bar that holds where these sizes were measured."""
    reports = [
        Bar("report_p95_ms", f"slowest report at {size:,} events, p95", limit, "ms", part=str(size))
        for size, limit in REPORT_BARS.items()
        if size in sizes
    ]
    return [*INGEST, *reports, *PROCESS, *INTERFACE]
