"""Reports: of one moment, compared with the right days, and never longer than allowed."""

import threading
from datetime import date
from typing import Any

import pytest

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.model.calendar import Period, Range
from plugin_analytics.services.provide import OverviewQuery, TimeseriesQuery, Window
from tests.support.events import TENANT, story
from tests.unit.backend.conftest import ZONE, Bench


def test_report_is_of_one_moment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting that finishes while a report is read shows in all of it or in none."""
    bench.deliver([story("s1", "l1")])
    read = bench.store.series

    def disturbed(*question: Any, **more: Any) -> Any:
        found = read(*question, **more)
        refresh = threading.Thread(target=bench.refresh)
        refresh.start()
        refresh.join()
        return found

    monkeypatch.setattr(bench.store, "series", disturbed)

    report = bench.provide.overview(TENANT, "l1", OverviewQuery(Window(Period("all")), ZONE))

    values = {metric.metric: metric.value for metric in report.data.metrics}
    assert (values["stories"], values["storytellers"]) == (0, 0)
    assert report.meta["freshness"]["dirtyDays"] == 1
    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1}


def test_bounded_period_is_compared_and_all_is_not(bench: Bench) -> None:
    """`previous` and `delta` stand where there is a period before."""
    bench.deliver(
        [
            story("s1", "l1", at="2026-11-30T12:00:00Z"),
            story("s2", "l1", at="2026-10-15T12:00:00Z"),
            story("s3", "l1", at="2026-10-16T12:00:00Z"),
        ]
    )
    bench.refresh()

    month = bench.provide.overview(TENANT, "l1", OverviewQuery(Window(Period("d", 30)), ZONE))
    whole = bench.provide.overview(TENANT, "l1", OverviewQuery(Window(Period("all")), ZONE))

    first, always = month.data.metrics[0], whole.data.metrics[0]
    assert (first.value, first.previous, first.delta) == (1, 2, -1)
    assert month.meta["comparison"] == {"from": date(2026, 10, 3), "to": date(2026, 11, 2)}
    assert (always.value, always.previous, always.delta) == (3, None, None)
    assert whole.meta["range"] == {"from": date(2026, 10, 15), "to": date(2026, 12, 2)}


def test_sparkline_is_twelve_months_of_memories(bench: Bench) -> None:
    """The last bar is the running month."""
    bench.deliver([story("s1", "l1", at="2026-12-01T01:00:00Z")])
    bench.refresh()

    report = bench.provide.overview(TENANT, "l1", OverviewQuery(Window(Period("all")), ZONE))

    bars = report.data.sparkline.buckets
    assert [bar.values for bar in bars] == [[0]] * 11 + [[1]]
    assert [bar.complete for bar in bars] == [True] * 11 + [False]


def test_too_many_buckets_are_refused(bench: Bench) -> None:
    """A range of more buckets than a chart can hold names the interval as what to change."""
    window = Window(Period("all"), Range(date(1980, 1, 1), date(2020, 1, 1)))

    with pytest.raises(ValidationFailed) as refused:
        bench.provide.timeseries(TENANT, "l1", TimeseriesQuery(window, ZONE, ("stories",), "day"))

    assert refused.value.details[0]["field"] == "query.interval"


def test_everything_as_a_series_is_its_last_ten_years(bench: Bench) -> None:
    """`all` never fails for being long: a series shows the ten years that end today."""
    bench.deliver([{**story("s1", "l1", at="1999-01-01T00:00:00Z"), "source": "backfill"}])
    bench.refresh()

    report = bench.provide.timeseries(
        TENANT, "l1", TimeseriesQuery(Window(Period("all")), ZONE, ("stories",), "year")
    )

    assert report.meta["range"]["from"] == date(2016, 12, 2)
    assert len(report.data.buckets) == 11
