"""The store's own figures: in buckets that add up, and true to what happened."""

from prometheus_client import CollectorRegistry, generate_latest

from mosaiclife_plugin_sdk import ServiceUnavailable
from plugin_analytics.http.instruments import COMMIT_SECONDS, Buckets, Instruments
from tests.support.events import story
from tests.unit.backend.conftest import NOW, Bench


def exposed(instruments: Instruments) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(instruments)
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def test_buckets_hold_the_smaller_ones_too() -> None:
    """A value on a border belongs below it; the last bucket holds everything."""
    buckets = Buckets(COMMIT_SECONDS)
    for value in (0.0005, 0.001, 0.002, 99.0):
        buckets.add(value)

    samples = {s.labels.get("le", s.name): s.value for s in buckets.family("x", "y").samples}

    assert (samples["0.001"], samples["0.0025"], samples["2.5"], samples["+Inf"]) == (2, 3, 3, 4)
    assert samples["x_sum"] == 99.0035


def test_commits_lateness_and_lag_are_measured(bench: Bench) -> None:
    """A delivery is one commit, its event is late by what the clock says, and waits until counted."""
    oldest = bench.store.oldest_uncounted
    instruments = Instruments(lambda: 0.0 if oldest() is None else 7.0)
    bench.store.watch(instruments.committed, instruments.arrived)

    bench.deliver([story("s1", "l1", at="2026-12-01T11:59:50Z")])

    figures = exposed(instruments)
    assert figures["plugin_store_commit_seconds_count"] == 1
    assert figures['plugin_event_lateness_seconds_bucket{le="4"}'] == 0
    assert figures['plugin_event_lateness_seconds_bucket{le="16"}'] == 1
    assert figures["plugin_count_lag_seconds"] == 7
    assert oldest() == int(NOW.timestamp()) * 1_000_000

    bench.refresh()
    assert oldest() is None
    assert exposed(instruments)["plugin_count_lag_seconds"] == 0


def test_store_that_cannot_be_read_leaves_the_lag_out() -> None:
    """A scrape never fails for the store's sake."""

    def away() -> float:
        raise ServiceUnavailable

    assert "plugin_count_lag_seconds" not in exposed(Instruments(away))
