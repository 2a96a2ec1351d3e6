"""Count days as people do: local dates of a zone, half-open ranges, calendar buckets.

A day is the local date of an instant, so days of 23 or 25 hours and days without a midnight need
no rule of their own.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.clock import from_micros, micros

Interval = Literal["day", "week", "month", "quarter", "year"]
WeekStart = Literal["mon", "sun"]
INTERVALS: tuple[Interval, ...] = ("day", "week", "month", "quarter", "year")
MAX_BUCKETS = 3_700
MAX_YEARS = 10
FIRST_YEAR, LAST_YEAR = 1900, 2200
_PERIOD = re.compile(r"([1-9][0-9]{0,3})(d|mo)", re.ASCII)
_MONTHS: dict[Interval, int] = {"month": 1, "quarter": 3, "year": 12}
MINUTE = 60 * 1_000_000  # in microseconds; no zone changes within one
# Within a quarter of an hour no zone has changed its date since St. John's gave up 00:01 in 2011.
_QUARTER = 15 * MINUTE
_QUARTERS_SINCE = micros(datetime(2012, 1, 1, tzinfo=UTC))
EVEN = date(2012, 1, 3)  # from here on no zone goes back to a date that it has left
_DAY = timedelta(days=1)


class Range(NamedTuple):
    """The local dates from `start` up to and without `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Count the dates in the range."""
        return (self.end - self.start).days


class Bucket(NamedTuple):
    """One bar of a chart; complete when all of its unit lies in the range and is over."""

    start: date
    end: date
    complete: bool
    offset: int | None = None  # the number of its unit, where units are counted from a day

    @property
    def span(self) -> Range:
        """Return the dates of the bar."""
        return Range(self.start, self.end)


@cache
def zone_names() -> frozenset[str]:
    """Return every IANA zone name; from data that travels along, not from the machine."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone called *name*, or None when there is none."""
    return ZoneInfo(name) if name in zone_names() else None


def local_date(at: int, zone: ZoneInfo) -> date:
    """Return the date on a wall calendar in *zone* at the instant *at*."""
    if at < _QUARTERS_SINCE:
        return from_micros(at).astimezone(zone).date()
    return _date_of_quarter(at // _QUARTER, zone)


@lru_cache(maxsize=65_536)
def _date_of_quarter(quarter: int, zone: ZoneInfo) -> date:
    return from_micros(quarter * _QUARTER).astimezone(zone).date()


@lru_cache(maxsize=16_384)
def first_instant(day: date, zone: ZoneInfo) -> int:
    """Return when *day* begins on a wall calendar in *zone*; only for `EVEN` years.

    Where no midnight is, the clock's own step to the other side begins the day.
    """
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))


class Stretch(NamedTuple):
    """Days that begin *length* microseconds after each other, from *start* up to *end*."""

    days: Range
    start: int
    end: int
    length: int


@lru_cache(maxsize=64)
def stretches(span: Range, zone: ZoneInfo) -> tuple[Stretch, ...]:
    """Cut a range where its days are longer or shorter than others; only for `EVEN` years."""
    found: list[Stretch] = []
    day, start = span.start, first_instant(span.start, zone)
    while day < span.end:
        after = day + _DAY
        end = first_instant(after, zone)
        if found and found[-1].length == end - start:
            last = found.pop()
            found.append(Stretch(Range(last.days.start, after), last.start, end, last.length))
        else:
            found.append(Stretch(Range(day, after), start, end, end - start))
        day, start = after, end
    return tuple(found)


def add_months(day: date, months: int) -> date:
    """Move *day* by whole months; the 31st becomes the last day that the month has."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    length = (date(year + month // 11, (month + 1) % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, length))


def align(day: date, interval: Interval, week_start: WeekStart = "mon") -> date:
    """Return the first day of the calendar unit that *day* lies in."""
    if interval == "day":
        return day
    if interval == "week":
        return day - (day.weekday() + (week_start == "sun")) % 7 * _DAY
    months = _MONTHS[interval]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def following(start: date, interval: Interval) -> date:
    """Return the first day of the unit after the one that begins at *start*."""
    if interval in _MONTHS:
        return add_months(start, _MONTHS[interval])
    return start + (7 if interval == "week" else 1) * _DAY


def buckets(
    span: Range, interval: Interval, today: date, week_start: WeekStart = "mon"
) -> Iterator[Bucket]:
    """Cut *span* at the borders of calendar units; what the span cuts off is not complete."""
    unit = align(span.start, interval, week_start)
    while unit < span.end:
        after = following(unit, interval)
        whole = span.start <= unit and after <= span.end
        yield Bucket(max(unit, span.start), min(after, span.end), whole and after <= today)
        unit = after


def buckets_since(passing: date, span: Range, interval: Interval, today: date) -> Iterator[Bucket]:
    """Cut *span* into units that are counted from *passing*: those before it have numbers below 0.

    Weeks are blocks of seven days; months, quarters and years begin on the day of the month.
    """
    number = _unit_since(passing, interval, span.start)
    while (start := _since(passing, interval, number)) < span.end:
        after = _since(passing, interval, number + 1)
        whole = span.start <= start and after <= span.end
        begin, end = max(start, span.start), min(after, span.end)
        yield Bucket(begin, end, whole and after <= today, number)
        number += 1


def _since(passing: date, interval: Interval, number: int) -> date:
    if interval in _MONTHS:
        return add_months(passing, number * _MONTHS[interval])
    return passing + number * (7 if interval == "week" else 1) * _DAY


def _unit_since(passing: date, interval: Interval, day: date) -> int:
    """Return the number of the unit that *day* lies in."""
    if interval not in _MONTHS:
        return (day - passing).days // (7 if interval == "week" else 1)
    months = (day.year - passing.year) * 12 + day.month - passing.month
    number = months // _MONTHS[interval]
    # The day of the month decides whether the unit that this month may begin has begun.
    return number - (_since(passing, interval, number) > day)


def bucket_count(span: Range, interval: Interval) -> int:
    """Return about how many buckets a range has, without making them."""
    days = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
    return span.days // days[interval] + 1


def automatic(span: Range) -> Interval:
    """Choose bars that are neither dust nor blocks."""
    if span.days <= 31:
        return "day"
    if span.days <= 26 * 7:
        return "week"
    return "month" if span.days <= 5 * 366 else "year"


class Period(NamedTuple):
    """A range that ends with today: `30d`, `12mo`, `year`, or an open one that began some day."""

    unit: Literal["d", "mo", "year", "all", "since_passing"]
    length: int = 1

    def range(self, today: date, first: date) -> Range:
        """Return the dates of the period; *first* is the day on which an open one begins."""
        tomorrow = today + _DAY
        match self.unit:
            case "d":
                return Range(tomorrow - self.length * _DAY, tomorrow)
            case "mo":
                return Range(add_months(today.replace(day=1), 1 - self.length), tomorrow)
            case "year":
                return Range(today.replace(month=1, day=1), tomorrow)
            case _:
                return Range(min(first, today), tomorrow)

    @property
    def months(self) -> int:
        """Return its length in months; 0 when it is not made of months."""
        return {"year": 12, "mo": self.length}.get(self.unit, 0)

    def before(self, span: Range) -> Range | None:
        """Return the same part of the period before: the same length on the calendar."""
        if self.unit in ("all", "since_passing"):
            return None
        return elapsed_before(span, self.months) if self.months else preceding(span)


def elapsed_before(span: Range, months: int) -> Range:
    """Return as much of a running range, some months before.

    The last day moves, not the day after it: twelve months to 31 March end on 31 March.
    """
    last = add_months(span.end - _DAY, -months)
    return Range(add_months(span.start, -months), last + _DAY)


def preceding(span: Range) -> Range:
    """Return the range of as many days that ends where *span* begins."""
    return Range(span.start - span.days * _DAY, span.start)


def parse_period(text: str) -> Period | None:
    """Read a word, or `<n>d` or `<n>mo` of at most ten years; None for anything else."""
    if text in ("all", "year", "since_passing"):
        return Period(text)  # type: ignore[arg-type]  # narrowed to the words above
    found = _PERIOD.fullmatch(text)
    if found is None:
        return None
    count, unit = int(found[1]), found[2]
    limit = MAX_YEARS * (366 if unit == "d" else 12)
    return Period(unit, count) if count <= limit else None  # type: ignore[arg-type]  # d or mo


def parse_date(text: str) -> date | None:
    """Read `YYYY-MM-DD` of a year in which calendars can be trusted; None for anything else."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date() if len(text) == 10 else None  # noqa: DTZ007  # a date has no zone
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR and text.isascii() else None


def too_long(span: Range) -> bool:
    """Tell whether a range is longer than ten years."""
    return span.end > add_months(span.start, MAX_YEARS * 12)
