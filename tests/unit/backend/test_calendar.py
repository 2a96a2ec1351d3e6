"""Local days, periods and buckets: the rules that charts of other tools get wrong."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.clock import micros
from plugin_analytics.model.calendar import (
    EVEN,
    INTERVALS,
    Interval,
    Period,
    Range,
    add_months,
    align,
    automatic,
    bucket_count,
    buckets,
    find_zone,
    first_instant,
    following,
    local_date,
    parse_date,
    parse_period,
    preceding,
    stretches,
    too_long,
    zone_names,
)

DATES = st.dates(date(1950, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", "2026-03-01T23:59:59+00:00", date(2026, 3, 1)),
        ("Asia/Kolkata", "2026-03-01T18:29:59+00:00", date(2026, 3, 1)),
        ("Asia/Kolkata", "2026-03-01T18:30:00+00:00", date(2026, 3, 2)),
        ("Asia/Kathmandu", "2026-03-01T18:15:00+00:00", date(2026, 3, 2)),
        # A day of 23 hours begins at 23:00 UTC and ends at 22:00 UTC.
        ("Europe/Stockholm", "2026-03-28T23:00:00+00:00", date(2026, 3, 29)),
        ("Europe/Stockholm", "2026-03-29T22:00:00+00:00", date(2026, 3, 30)),
        # A day without a midnight: clocks went from 24:00 to 01:00.
        ("America/Santiago", "2024-09-08T03:59:59+00:00", date(2024, 9, 7)),
        ("America/Santiago", "2024-09-08T04:00:00+00:00", date(2024, 9, 8)),
        ("Africa/Cairo", "2026-04-23T22:00:00+00:00", date(2026, 4, 24)),
        # A date that one island never had.
        ("Pacific/Apia", "2011-12-30T09:59:59+00:00", date(2011, 12, 29)),
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00", date(2011, 12, 31)),
    ],
)
def test_day_is_the_date_on_the_wall(zone: str, moment: str, day: date) -> None:
    """An instant belongs to the local date, whatever the clocks do around it."""
    assert local_date(micros(datetime.fromisoformat(moment)), ZoneInfo(zone)) == day


def test_every_zone_can_be_found_and_nothing_else() -> None:
    """All names of the IANA list are zones; paths, folders and nonsense are not."""
    assert len(zone_names()) > 590
    assert all(find_zone(name) for name in zone_names())
    for name in ("", "America", "../UTC", "/etc/passwd", "Mars/Base", "utc\x00", "localtime"):
        assert find_zone(name) is None


@given(st.sampled_from(sorted(zone_names())), st.integers(0, 45 * 365 * 86_400))
def test_local_date_agrees_with_the_standard_library(name: str, seconds: int) -> None:
    """For any zone and instant from 1990 to 2035 the day is what an aware datetime says."""
    moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    assert local_date(micros(moment), ZoneInfo(name)) == moment.astimezone(ZoneInfo(name)).date()


@given(
    st.sampled_from(sorted(zone_names())),
    st.dates(EVEN, date(2035, 12, 31)),
    st.integers(1, 800),
    st.data(),
)
def test_stretches_are_of_days_as_long_as_each_other(
    name: str, first: date, days: int, data: st.DataObject
) -> None:
    """They tile their range, and the day of an instant follows from its distance to the first."""
    zone, span = ZoneInfo(name), Range(first, first + timedelta(days))
    found = stretches(span, zone)

    assert (found[0].days.start, found[-1].days.end) == span
    assert all(
        (one.days.end, one.end) == (next_one.days.start, next_one.start)
        for one, next_one in pairwise(found)
    )
    at = data.draw(st.integers(found[0].start, found[-1].end - 1))
    (within,) = [one for one in found if one.start <= at < one.end]
    day = within.days.start + timedelta((at - within.start) // within.length)
    assert day == local_date(at, zone)


def test_a_year_with_two_odd_days_has_five_stretches() -> None:
    """The day of 23 hours, that of 25, and what lies around them."""
    year = Range(date(2026, 1, 1), date(2027, 1, 1))

    found = stretches(year, ZoneInfo("Europe/Stockholm"))

    assert [each.days.days for each in found] == [87, 1, 209, 1, 67]
    assert [each.length // 3_600_000_000 for each in found] == [24, 23, 24, 25, 24]
    assert len(stretches(year, ZoneInfo("Asia/Kolkata"))) == 1


@given(st.sampled_from(sorted(zone_names())), st.dates(EVEN, date(2035, 12, 31)))
def test_a_day_begins_at_its_first_instant(name: str, day: date) -> None:
    """One microsecond earlier it is an earlier day, in every zone, midnight or not."""
    zone = ZoneInfo(name)
    begin = first_instant(day, zone)

    assert local_date(begin - 1, zone) < day <= local_date(begin, zone)


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), -48, date(2020, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
    ],
)
def test_months_are_added_on_the_calendar(day: date, months: int, result: date) -> None:
    """A day that a month lacks becomes its last one."""
    assert add_months(day, months) == result


@given(DATES, st.sampled_from(INTERVALS), st.sampled_from(["mon", "sun"]))
def test_units_hold_their_days(day: date, interval: Interval, week_start: str) -> None:
    """A day lies in its unit, and units follow one another without a gap."""
    start = align(day, interval, week_start)  # type: ignore[arg-type]

    assert start <= day < following(start, interval)
    assert align(following(start, interval), interval, week_start) == following(start, interval)  # type: ignore[arg-type]


@given(DATES, st.integers(1, 900), st.sampled_from(INTERVALS), st.integers(-10, 1000))
def test_buckets_tile_their_range(start: date, days: int, interval: Interval, elapsed: int) -> None:
    """Buckets cover the range without gap or overlap, and none is complete too early."""
    span = Range(start, start + timedelta(days=days))
    today = start + timedelta(days=elapsed)

    found = list(buckets(span, interval, today))

    assert found[0].start == span.start
    assert found[-1].end == span.end
    assert all(left.end == right.start for left, right in pairwise(found))
    assert all(slot.end <= today for slot in found if slot.complete)
    assert len(found) <= bucket_count(span, interval) + 1


def test_cut_bucket_is_not_complete() -> None:
    """A month that the range begins in the middle of is not a month."""
    span = Range(date(2026, 1, 15), date(2026, 3, 1))

    first, second = buckets(span, "month", date(2026, 6, 1))

    assert (first.complete, second.complete) == (False, True)


def test_weeks_begin_where_asked() -> None:
    """1 March 2026 is a Sunday: the last day of one week or the first of another."""
    sunday = date(2026, 3, 1)

    assert align(sunday, "week", "mon") == date(2026, 2, 23)
    assert align(sunday, "week", "sun") == sunday


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1d", (date(2026, 8, 15), date(2026, 8, 16))),
        ("30d", (date(2026, 7, 17), date(2026, 8, 16))),
        ("12mo", (date(2025, 9, 1), date(2026, 8, 16))),
        ("1mo", (date(2026, 8, 1), date(2026, 8, 16))),
        ("year", (date(2026, 1, 1), date(2026, 8, 16))),
        ("all", (date(2025, 2, 3), date(2026, 8, 16))),
    ],
)
def test_period_ends_with_today(text: str, span: tuple[date, date]) -> None:
    """Every period includes today."""
    period = parse_period(text)

    assert period is not None
    assert period.range(date(2026, 8, 15), date(2025, 2, 3)) == span


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "5000d", "121mo", "3y", "1d ", "٣d", "1", "d", "allx", "99999d"]
)
def test_other_periods_are_none(text: str) -> None:
    """What is not a period, or is longer than ten years, is not read as one."""
    assert parse_period(text) is None


@pytest.mark.parametrize(
    ("today", "text", "before"),
    [
        (date(2026, 8, 15), "30d", (date(2026, 6, 17), date(2026, 7, 17))),
        (date(2024, 2, 29), "year", (date(2023, 1, 1), date(2023, 3, 1))),
        (date(2026, 3, 31), "12mo", (date(2024, 4, 1), date(2025, 4, 1))),
        (date(2026, 3, 31), "1mo", (date(2026, 2, 1), date(2026, 3, 1))),
        (date(2026, 8, 15), "1mo", (date(2026, 7, 1), date(2026, 7, 16))),
    ],
)
def test_period_before_is_the_same_part(today: date, text: str, before: tuple[date, date]) -> None:
    """A running period is compared with as much of the one before, leap day or not."""
    period = parse_period(text)
    assert period is not None

    assert period.before(period.range(today, today)) == before


def test_nothing_lies_before_everything() -> None:
    """`all` has no period before it; two dates have the days before them."""
    span = Range(date(2026, 1, 11), date(2026, 1, 21))

    assert Period("all").before(span) is None
    assert preceding(span) == (date(2026, 1, 1), date(2026, 1, 11))


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-1-01", "1899-12-31", "9999-01-01", "\uff12026-01-01", ""]
)
def test_other_dates_are_none(text: str) -> None:
    """What is not a date of a trusted century is not read as one."""
    assert parse_date(text) is None


def test_ten_years_are_not_too_long() -> None:
    """Ten calendar years are allowed to the day."""
    assert not too_long(Range(date(2016, 2, 29), date(2026, 2, 28)))
    assert too_long(Range(date(2016, 2, 29), date(2026, 3, 1)))


@pytest.mark.parametrize(
    ("days", "interval"), [(31, "day"), (32, "week"), (183, "month"), (4000, "year")]
)
def test_automatic_interval(days: int, interval: str) -> None:
    """The bars of a chart are neither dust nor blocks."""
    start = date(2026, 1, 1)

    assert automatic(Range(start, start + timedelta(days=days))) == interval
