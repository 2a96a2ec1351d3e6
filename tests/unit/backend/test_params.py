"""Query strings: every fault is a 422 with the parameter's name, never anything else."""

from contextlib import suppress
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.http.params import (
    read_breakdown,
    read_items,
    read_overview,
    read_quality,
    read_timeseries,
)
from plugin_analytics.model.calendar import Period, Range


def faults(pairs: list[tuple[str, str]]) -> set[str]:
    with pytest.raises(ValidationFailed) as refused:
        read_timeseries(pairs)
    return {detail["field"] for detail in refused.value.details}


def test_defaults() -> None:
    """Nothing asked is stories by a fitting interval over twelve months, in the default zone."""
    legacy, query = read_timeseries([])

    assert legacy is None
    assert query.metrics == ("stories",)
    assert query.window.period == Period("mo", 12)
    assert (query.interval, query.zone, query.week_start) == (None, None, "mon")


def test_everything_can_be_said() -> None:
    """All parameters together are read."""
    legacy, query = read_timeseries(
        [
            ("legacyId", "L-1"),
            ("from", "2026-01-01"),
            ("to", "2026-02-01"),
            ("timezone", "Asia/Kolkata"),
            ("metric", "hearts,candles"),
            ("metric", "smiles"),
            ("interval", "week"),
            ("weekStart", "sun"),
        ],
    )

    assert legacy == "L-1"
    assert query.window.dates == Range(date(2026, 1, 1), date(2026, 2, 1))
    assert query.metrics == ("hearts", "candles", "smiles")
    assert (query.interval, query.week_start) == ("week", "sun")
    assert query.zone == ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("colour", "blue")], "query.colour"),
        ([("legacyId", "")], "query.legacyId"),
        ([("legacyId", "a b")], "query.legacyId"),
        ([("legacyId", "x" * 65)], "query.legacyId"),
        ([("legacyId", "a\x00")], "query.legacyId"),
        ([("legacyId", "a"), ("legacyId", "b")], "query.legacyId"),
        ([("period", "forever")], "query.period"),
        ([("period", "0d")], "query.period"),
        ([("from", "2026-01-01")], "query.to"),
        ([("to", "2026-01-01")], "query.from"),
        ([("from", "2026-01-02"), ("to", "2026-01-02")], "query.to"),
        ([("from", "2026-13-01"), ("to", "2026-01-02")], "query.from"),
        ([("from", "0001-01-01"), ("to", "2026-01-02")], "query.from"),
        ([("from", "2001-01-01"), ("to", "2026-01-02")], "query.to"),
        ([("from", "2026-01-01"), ("to", "2026-01-02"), ("period", "1d")], "query.period"),
        ([("timezone", "America")], "query.timezone"),
        ([("timezone", "../../etc/passwd")], "query.timezone"),
        ([("timezone", "")], "query.timezone"),
        ([("metric", "views")], "query.metric"),
        ([("metric", "")], "query.metric"),
        ([("metric", "hearts,hearts")], "query.metric"),
        ([("metric", "hearts,candles,smiles,media,stories")], "query.metric"),
        ([("interval", "hour")], "query.interval"),
        ([("weekStart", "fri")], "query.weekStart"),
        ([("axis", "moon")], "query.axis"),
        ([("compare", "yesterday")], "query.compare"),
        ([("compare", "previous_period"), ("period", "all")], "query.compare"),
        ([("compare", "previous_period"), ("period", "since_passing")], "query.compare"),
        ([("compare", "custom"), ("compareFrom", "2026-01-01")], "query.compareTo"),
        ([("compareFrom", "2026-01-01")], "query.compareFrom"),
        (
            [("compare", "custom"), ("compareFrom", "2026-01-02"), ("compareTo", "2026-01-01")],
            "query.compareTo",
        ),
        (
            [("compare", "custom"), ("compareFrom", "2006-01-01"), ("compareTo", "2026-01-02")],
            "query.compareTo",
        ),
        ([("breakdown", "family")], "query.breakdown"),
        ([("breakdown", "kind"), ("metric", "hearts")], "query.breakdown"),
        ([("breakdown", "origin"), ("metric", "stories,media")], "query.breakdown"),
        ([("filter[origin]", "dream")], "query.filter[origin]"),
        ([("filter[colour]", "blue")], "query.filter[colour]"),
        ([("filter[origin]", "prompt"), ("metric", "hearts")], "query.filter[origin]"),
        ([("filter[origin]", "prompt"), ("filter[origin]", "manual")], "query.filter[origin]"),
    ],
)
def test_fault_is_named(pairs: list[tuple[str, str]], field: str) -> None:
    """The answer says which parameter is wrong."""
    assert faults(pairs) == {field}


def test_all_faults_are_told_at_once() -> None:
    """Nobody has to mend a query one parameter at a time."""
    assert faults([("metric", "x"), ("interval", "x"), ("period", "x")]) == {
        "query.metric",
        "query.interval",
        "query.period",
    }


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "", "٣", "1e1", "9" * 40])
def test_limit_is_from_1_to_100(limit: str) -> None:
    """A page has at least one entry and at most a hundred."""
    with pytest.raises(ValidationFailed):
        read_items([("limit", limit)])


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("period", "367d")], "query.period"),
        ([("period", "13mo")], "query.period"),
        ([("period", "all")], "query.period"),
        ([("period", "since_passing")], "query.period"),
        ([("from", "2025-01-01"), ("to", "2026-01-03")], "query.to"),
        ([("source", "")], "query.source"),
        ([("type", "x" * 129)], "query.type"),
        ([("timezone", "UTC")], "query.timezone"),
    ],
)
def test_health_is_of_a_year_at_most(pairs: list[tuple[str, str]], field: str) -> None:
    """Days of arrival are kept by the day, so that a report reads few; they are those of UTC."""
    with pytest.raises(ValidationFailed) as refused:
        read_quality(pairs)

    assert {detail["field"] for detail in refused.value.details} == {field}


def test_health_takes_a_year() -> None:
    """Up to 366 days, however they are said; a month to today is what is usual."""
    assert read_quality([]).window.period == Period("d", 30)
    for pairs in ([("period", "366d")], [("period", "12mo")], [("period", "year")]):
        read_quality(pairs)


def test_breakdown_defaults() -> None:
    """Memories by their origin, of all time, a page of twenty, what counts most first."""
    legacy, query = read_breakdown([])

    assert legacy is None
    assert (query.metric, query.dimension, query.ascending) == ("stories", "origin", False)
    assert (query.window.period, query.limit, query.cursor) == (Period("all"), 20, None)
    assert read_breakdown([("metric", "media")])[1].dimension == "family"
    for pairs in ([("metric", "hearts")], [("dimension", "reaction")], [("order", "up")]):
        with pytest.raises(ValidationFailed):
            read_breakdown(pairs)


def test_items_defaults() -> None:
    """A page of twenty, of every kind, from the beginning."""
    assert read_items([]) == (None, 20, None)
    assert read_items([("kind", "metric"), ("limit", "100")]) == ("metric", 100, None)


NAMES = st.sampled_from(
    [
        *("legacyId", "period", "from", "to", "timezone", "metric", "interval", "weekStart", "x"),
        *("compare", "compareFrom", "compareTo", "axis", "breakdown", "filter[origin]"),
        *("dimension", "order", "cursor", "limit", "source", "type"),
    ]
)


@given(st.lists(st.tuples(NAMES, st.text(max_size=12)), max_size=4))
def test_any_query_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    """No text in any parameter ends in anything but a question or a 422."""
    for read in (read_overview, read_timeseries, read_breakdown, read_quality):
        with suppress(ValidationFailed):
            read(pairs)
