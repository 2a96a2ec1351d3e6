"""Rhythm: beside other days, counted from a passing, apart by kind, with days of remembrance."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.http.params import read_overview, read_timeseries
from plugin_analytics.model.calendar import INTERVALS, Interval, Range, buckets, buckets_since
from plugin_analytics.model.comparison import Counterpart, moved, other_days, year_before
from plugin_analytics.model.families.base import Act
from plugin_analytics.model.life import Annotation, Life, annotations, life_of
from plugin_analytics.model.reports import OTHER, top
from tests.support.events import TENANT, event, media, reaction, response, story
from tests.unit.backend.conftest import ZONE, Bench

DATES = st.dates(date(2000, 1, 1), date(2040, 1, 1))
DAY = timedelta(days=1)


def ask(bench: Bench, legacy: str = "l1", **query: str) -> dict[str, Any]:
    """Return data and meta of a series, as they travel."""
    named = {"filter_origin": "filter[origin]", "from_": "from"}
    pairs = [(named.get(name, name), value) for name, value in query.items()]
    _, asked = read_timeseries(pairs)
    report = bench.provide.timeseries(TENANT, legacy, asked)
    return {"data": to_builtins(report.data), "meta": to_builtins(report.meta)}


def column(answer: dict[str, Any], name: str) -> list[Any]:
    return [bucket.get(name) for bucket in answer["data"]["buckets"]]


def passed(day: str, precision: str = "day", **other: Any) -> dict[str, Any]:
    """Return the event that tells of a passing."""
    told = {"legacy_id": "l1", "death_date": day, "death_date_precision": precision}
    return event("legacy.updated", told, **other)


def told(bench: Bench, *days: str) -> None:
    """Tell a memory on each of *days*, and count them."""
    stories = [story(f"s{n}", "l1", at=f"{day}T12:00:00Z") for n, day in enumerate(days)]
    bench.deliver([{**each, "source": "backfill"} for each in stories])
    bench.refresh()


def refused(bench: Bench, legacy: str = "l1", **query: str) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as found:
        ask(bench, legacy, **query)
    (detail,) = found.value.details
    return dict(detail)


def test_nothing_is_beside_a_series_unless_asked(bench: Bench) -> None:
    """Neither `previous` nor `offset` nor `breakdown` stands in the usual answer."""
    told(bench, "2026-11-03")

    answer = ask(bench, period="2mo", interval="month")

    assert set(answer["data"]["buckets"][0]) == {"start", "end", "complete", "values"}
    assert "breakdown" not in answer["data"]
    assert "comparison" not in answer["meta"]


def test_months_beside_the_months_before(bench: Bench) -> None:
    """The running month has the same part of its counterpart beside it."""
    told(bench, "2026-08-30", "2026-09-15", "2026-10-01", "2026-10-02", "2026-11-30")

    answer = ask(bench, period="2mo", interval="month", compare="previous_period")

    assert column(answer, "values") == [[1], [0]]
    assert column(answer, "previous") == [[1], [1]]
    assert answer["meta"]["comparison"] == {"from": "2026-09-01", "to": "2026-10-02"}


def test_dates_beside_those_of_last_year(bench: Bench) -> None:
    """After a leap day the third of May still answers to the third of May."""
    told(bench, "2024-02-29", "2024-05-03", "2025-02-28", "2025-05-03")
    days = {"interval": "day", "compare": "previous_year"}

    spring = ask(bench, from_="2025-05-03", to="2025-05-04", **days)
    leap = ask(bench, from_="2024-02-28", to="2024-03-02", **days)
    after = ask(bench, from_="2025-02-28", to="2025-03-02", **days)

    assert column(spring, "previous") == [[1]]
    assert column(leap, "values") == [[0], [1], [0]]
    assert column(leap, "previous") == [[0], [0], [0]]
    assert column(after, "previous") == [[1], [0]]  # the 28th and the 29th before it
    assert after["meta"]["comparison"] == {"from": "2024-02-28", "to": "2024-03-02"}


@pytest.mark.parametrize("legacy", ["l1", ""])
def test_days_without_tellings_change_nobody(bench: Bench, legacy: str) -> None:
    """A range counts what lies in it and stood at its end, however much of its year is empty."""
    bench.deliver(
        [
            story("s1", "l1", at="2026-03-10T12:00:00Z", by="user:ada"),
            story("s2", "l1", at="2026-03-20T12:00:00Z", by="user:ben"),
            event("story.deleted", {"story_id": "s1"}, at="2026-08-05T12:00:00Z"),
        ]
    )
    bench.refresh()

    def people(start: date, end: date) -> list[int]:
        return list(bench.store.storytellers(TENANT, legacy, [Range(start, end)], ZONE))

    assert people(date(2026, 3, 5), date(2026, 3, 15)) == [1]
    assert people(date(2026, 3, 11), date(2026, 4, 2)) == [1]
    assert people(date(2026, 2, 2), date(2026, 8, 5)) == [2]
    assert people(date(2026, 2, 2), date(2026, 8, 6)) == [1]
    assert people(date(2026, 3, 21), date(2026, 11, 2)) == [0]
    assert people(date(2025, 1, 2), date(2026, 3, 10)) == [0]
    days = [Range(date(2026, 3, day), date(2026, 3, day + 1)) for day in (9, 10, 20)]
    assert list(bench.store.storytellers(TENANT, legacy, days, ZONE)) == [0, 1, 1]


@pytest.mark.parametrize("legacy", ["l1", ""])
def test_what_ends_on_the_last_day_ends_at_its_instant(bench: Bench, legacy: str) -> None:
    """A day in Kolkata ends at half past six in the evening of the days that are counted here."""
    told = {"s1": "2026-01-10", "s2": "2026-02-03", "s3": "2026-07-01", "s4": "2026-08-04"}
    ended = {"s1": "18:29:59", "s2": "18:30:00", "s3": "23:00:00", "s4": "00:00:00"}
    bench.deliver(
        [story(key, "l1", at=f"{day}T12:00:00Z", by=f"user:{key}") for key, day in told.items()]
    )
    bench.deliver(
        [
            event("story.deleted", {"story_id": key}, at=f"2026-08-05T{time}Z")
            for key, time in ended.items()
        ]
    )
    bench.refresh()

    def people(start: date, end: date) -> list[int]:
        span = [Range(start, end)]
        return list(bench.store.storytellers(TENANT, legacy, span, ZoneInfo("Asia/Kolkata")))

    assert people(date(2025, 1, 1), date(2026, 8, 5)) == [4]
    assert people(date(2025, 1, 1), date(2026, 8, 6)) == [2]
    assert people(date(2026, 2, 4), date(2026, 8, 6)) == [1]
    assert people(date(2026, 8, 4), date(2026, 8, 5)) == [1]
    assert people(date(2025, 1, 1), date(2026, 8, 7)) == [0]


@pytest.mark.parametrize("legacy", ["l1", ""])
def test_a_day_elsewhere_begins_and_ends_at_its_instant(bench: Bench, legacy: str) -> None:
    """What was told as it began lies in it, and what was gone as it ended still stood in it."""
    told = {"s1": "05T18:29:59", "s2": "05T18:30:00", "s3": "05T19:00:00", "s4": "05T20:00:00"}
    ended = {"s3": "06T18:29:59", "s4": "06T18:30:00"}
    bench.deliver(
        [story(key, "l1", at=f"2026-08-{at}Z", by=f"user:{key}") for key, at in told.items()]
    )
    bench.deliver(
        [
            event("story.deleted", {"story_id": key}, at=f"2026-08-{at}Z")
            for key, at in ended.items()
        ]
    )
    bench.refresh()
    days = [Range(date(2026, 8, day), date(2026, 8, day + 1)) for day in (5, 6, 7)]

    found = bench.store.storytellers(TENANT, legacy, days, ZoneInfo("Asia/Kolkata"))

    assert list(found) == [1, 2, 0]


def test_storytellers_beside_days_that_overlap(bench: Bench) -> None:
    """The 28th and the 29th of February both have the one 28th beside them."""
    told(bench, "2023-02-28")

    answer = ask(
        bench,
        metric="storytellers,stories",
        interval="day",
        compare="previous_year",
        from_="2024-02-28",
        to="2024-03-02",
    )

    assert column(answer, "previous") == [[1, 1], [1, 1], [0, 0]]


def test_days_that_somebody_chose(bench: Bench) -> None:
    """The first day answers to the first; where fewer were chosen nothing answers."""
    told(bench, "2026-03-01", "2026-03-02", "2026-11-01")
    three = {"from_": "2026-11-01", "to": "2026-11-04", "interval": "day", "compare": "custom"}

    two = ask(bench, **three, compareFrom="2026-03-01", compareTo="2026-03-03")
    many = ask(bench, **three, compareFrom="2026-03-01", compareTo="2026-04-01")

    assert column(two, "previous") == [[1], [1], None]
    assert column(many, "previous") == [[1], [1], [0]]
    assert many["meta"]["comparison"] == {"from": "2026-03-01", "to": "2026-03-04"}


def test_overview_beside_any_days(bench: Bench) -> None:
    """The overview knows the same comparisons, and none when none is wanted."""
    told(bench, "2025-11-20", "2026-11-20", "2026-11-21", "2026-03-05")

    def stories(**query: str) -> tuple[Any, ...]:
        _, asked = read_overview(list(query.items()))
        first = bench.provide.overview(TENANT, "l1", asked).data.metrics[0]
        return first.value, first.previous, first.delta

    assert stories(period="30d") == (2, 0, 2)
    assert stories(period="30d", compare="none") == (2, None, None)
    assert stories(period="30d", compare="previous_year") == (2, 1, 1)
    assert stories(period="all", compare="previous_year") == (4, 1, 3)
    march = {"compare": "custom", "compareFrom": "2026-03-01", "compareTo": "2026-04-01"}
    assert stories(period="30d", **march) == (2, 1, 1)


def test_time_is_counted_from_a_passing(bench: Bench) -> None:
    """Months begin on the day of the month; each bucket has its number, the last is not over."""
    bench.deliver([passed("2026-09-15")])
    told(bench, "2026-09-14", "2026-09-15", "2026-10-14", "2026-10-15", "2026-11-30")

    answer = ask(bench, period="since_passing", interval="month")

    assert answer["data"]["axis"] == "since_passing"
    assert answer["meta"]["range"] == {"from": "2026-09-15", "to": "2026-12-02"}
    assert column(answer, "start") == ["2026-09-15", "2026-10-15", "2026-11-15"]
    assert column(answer, "offset") == [0, 1, 2]
    assert column(answer, "values") == [[2], [1], [1]]
    assert column(answer, "complete") == [True, True, False]


def test_what_came_before_a_passing_has_numbers_below_nought(bench: Bench) -> None:
    """The axis works over any range, and weeks are blocks of seven days."""
    bench.deliver([passed("2026-09-15")])
    bench.refresh()

    answer = ask(bench, from_="2026-09-01", to="2026-09-23", interval="week", axis="since_passing")

    assert column(answer, "offset") == [-2, -1, 0, 1]
    assert column(answer, "complete") == [True, True, True, False]


def test_a_passing_may_be_shown_by_the_calendar(bench: Bench) -> None:
    """The period begins with the passing, the months where months begin."""
    bench.deliver([passed("2026-10-15")])
    bench.refresh()

    answer = ask(bench, period="since_passing", axis="calendar", interval="month")

    assert column(answer, "start") == ["2026-10-15", "2026-11-01", "2026-12-01"]


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([], "known to the day"),
        ([passed("2026", "year")], "known to the day"),
        ([passed("2026-09", "month")], "known to the day"),
        ([passed("2026-09-15", "month")], "known to the day"),
        ([passed("2026-09-31")], "known to the day"),
        ([passed("2026-12-24")], "lies ahead"),
    ],
)
def test_no_axis_without_a_day(bench: Bench, events: list[Any], word: str) -> None:
    """What is not known to the day, is no day, or lies ahead is refused with the reason."""
    bench.deliver(events or [story("s1", "l1")])
    bench.refresh()

    by_axis = refused(bench, period="12mo", axis="since_passing")
    by_period = refused(bench, period="since_passing", axis="calendar")

    assert (by_axis["field"], by_period["field"]) == ("query.axis", "query.period")
    assert word in by_axis["message"]


def test_the_whole_tenant_has_no_passing(bench: Bench) -> None:
    """The axis belongs to one life."""
    assert "name a legacy" in refused(bench, "", axis="since_passing")["message"]


def test_sums_are_what_they_are_made_of(bench: Bench) -> None:
    """Tellings and reactions add up, also beside their own parts."""
    bench.deliver(
        [
            story("s1", "l1"),
            response("r1", "l1"),
            media("m1", "l1"),
            reaction("s1", "l1", "heart"),
            reaction("s1", "l1", "smile"),
        ]
    )
    bench.refresh()

    answer = ask(bench, metric="tellings,stories,reactions,hearts", period="all", interval="year")

    assert column(answer, "values") == [[3, 1, 2, 1]]


def test_a_series_apart_by_a_dimension(bench: Bench) -> None:
    """Each value has its own row, what counts most first, and the rows add up to the metric."""
    bench.deliver(
        [
            story("s1", "l1", at="2026-10-02T12:00:00Z", origin="prompt"),
            story("s2", "l1", at="2026-11-02T12:00:00Z", origin="prompt"),
            story("s3", "l1", at="2026-11-03T12:00:00Z"),
            reaction("s1", "l1", "candle", at="2026-11-03T12:00:00Z"),
        ]
    )
    bench.refresh()
    span = {"from_": "2026-10-01", "to": "2026-12-01", "interval": "month"}

    by_origin = ask(bench, **span, breakdown="origin")["data"]
    by_reaction = ask(bench, **span, metric="reactions", breakdown="reaction")["data"]

    assert by_origin["breakdown"] == {
        "dimension": "origin",
        "series": [
            {"value": "prompt", "total": 2, "values": [1, 1]},
            {"value": "unknown", "total": 1, "values": [0, 1]},
        ],
    }
    assert by_reaction["breakdown"]["series"] == [{"value": "candle", "total": 1, "values": [0, 1]}]


def test_only_what_is_of_one_kind(bench: Bench) -> None:
    """A filter leaves of every metric what has the value, also beside other days."""
    bench.deliver(
        [
            story("s1", "l1", at="2026-10-02T12:00:00Z", origin="prompt"),
            story("s2", "l1", at="2026-11-02T12:00:00Z", origin="manual"),
            story("s3", "l1", at="2026-11-03T12:00:00Z", origin="prompt"),
        ]
    )
    bench.refresh()

    answer = ask(
        bench,
        from_="2026-11-01",
        to="2026-12-01",
        interval="month",
        filter_origin="prompt",
        compare="previous_period",
    )

    assert (column(answer, "values"), column(answer, "previous")) == ([[1]], [[1]])


def test_more_than_ten_values_leave_a_rest() -> None:
    """The ten that count most stand alone, and nothing is lost."""
    series = top({f"v{number:02}": [number, 1] for number in range(13)})

    assert [each.value for each in series] == [f"v{n:02}" for n in range(12, 2, -1)] + [OTHER]
    assert (series[-1].total, series[-1].values) == (6, [3, 3])
    assert sum(each.total for each in series) == sum(range(13)) + 13


def test_days_of_remembrance_are_marked(bench: Bench) -> None:
    """Birthdays and days of a passing stand beside the numbers, with the years; none for a tenant."""
    dates = {
        "legacy_id": "l1",
        "birth_date": "1940-11-20",
        "birth_date_precision": "day",
        "death_date": "2024-02-29",
        "death_date_precision": "day",
    }
    bench.deliver([event("legacy.created", dates)])
    bench.refresh()

    data = ask(bench, period="12mo", interval="month")["data"]

    assert data["annotations"] == [
        {"date": "2026-02-28", "kind": "anniversary", "years": 2},
        {"date": "2026-11-20", "kind": "birthday", "years": 86},
    ]
    assert ask(bench, "", period="12mo")["data"]["annotations"] == []


def test_the_last_word_on_each_date_stands() -> None:
    """Field by field, by time and id; what a telling leaves out has not changed."""

    def act(at: int, name: str, body: bytes) -> Act:
        return Act(at, name, "legacy.updated", None, body)

    acts = [
        act(3, "b", b'{"legacy_id":"l1","death_date":"2026-01-03"}'),
        act(1, "a", b'{"legacy_id":"l1","death_date_precision":"day"}'),
        act(3, "a", b'{"legacy_id":"l1","death_date":"2026-01-02","birth_date":"1940"}'),
    ]

    assert life_of(acts) == Life(None, date(2026, 1, 3))
    assert life_of(reversed(acts)) == life_of(acts)


def test_annotations_lie_in_their_range() -> None:
    """The first day is in, the last is out; the day itself has its own name."""
    life = Life(date(1950, 5, 1), date(2026, 5, 1))

    assert annotations(life, Range(date(2026, 5, 1), date(2026, 5, 2))) == [
        Annotation(date(2026, 5, 1), "birthday", 76),
        Annotation(date(2026, 5, 1), "passing", 0),
    ]
    assert annotations(life, Range(date(2026, 4, 1), date(2026, 5, 1))) == []
    assert annotations(life, Range(date(1949, 1, 1), date(1951, 1, 1)))[0].kind == "birth"


@given(DATES, st.integers(1, 900), DATES, st.sampled_from(INTERVALS))
def test_units_since_a_day_tile_their_range(
    start: date, days: int, passing: date, interval: Interval
) -> None:
    """No gap, no overlap, numbers one by one, and a unit begins on the day itself."""
    span = Range(start, start + days * DAY)

    found = list(buckets_since(passing, span, interval, date(2040, 1, 1)))

    assert [found[0].start, *(slot.end for slot in found)] == [
        *(slot.start for slot in found),
        span.end,
    ]
    first = found[0].offset or 0
    assert [slot.offset for slot in found] == list(range(first, first + len(found)))
    if span.start <= passing < span.end:
        assert [slot.offset for slot in found if slot.start == passing] == [0]


@given(DATES, st.integers(1, 900), st.sampled_from(INTERVALS))
def test_every_day_of_last_year_is_beside_some_bucket(
    start: date, days: int, interval: Interval
) -> None:
    """What is set beside a range is in it, and no day of it is left out."""
    span = Range(start, start + days * DAY)
    beside = year_before(span, None)

    parts = [beside.part(slot.span, interval) for slot in buckets(span, interval, span.end)]
    seen = {part.start + n * DAY for part in parts if part for n in range(part.days)}

    assert seen == {beside.span.start + n * DAY for n in range(beside.span.days)}


def test_a_whole_month_answers_to_a_whole_month() -> None:
    """Moving the last day alone would forget the 29th of February."""
    assert moved(Range(date(2025, 2, 1), date(2025, 3, 1)), 12) == (
        date(2024, 2, 1),
        date(2024, 3, 1),
    )
    assert moved(Range(date(2026, 3, 30), date(2026, 3, 31)), 1) == (
        date(2026, 2, 28),
        date(2026, 3, 1),
    )


def test_what_has_no_counterpart_has_none() -> None:
    """A part beyond the other range is answered by nothing, not by nought."""
    span = Range(date(2026, 3, 1), date(2026, 4, 1))
    beside = other_days(span, Range(date(2026, 1, 1), date(2026, 1, 3)))

    assert beside == Counterpart(span, Range(date(2026, 1, 1), date(2026, 1, 3)))
    assert beside.part(Range(date(2026, 3, 3), date(2026, 3, 4)), "day") is None


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_what_lies_between_two_slots_is_in_neither(bench: Bench, zone: str) -> None:
    """Parts of a comparison need not touch; the days between belong to none of them."""
    told(bench, "2026-03-01", "2026-03-02", "2026-03-03")
    apart = [
        Range(date(2026, 3, 1), date(2026, 3, 2)),
        Range(date(2026, 3, 3), date(2026, 3, 4)),
    ]

    cells = bench.store.series(TENANT, "l1", apart, ZoneInfo(zone), ("stories",))
    people = bench.store.storytellers(TENANT, "l1", apart, ZoneInfo(zone))

    assert sorted((cell.slot, cell.value) for cell in cells) == [(0, 1), (1, 1)]
    assert list(people) == [1, 1]
