"""Say which days belong together, by walking from one to the next."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from tests.oracle.door import EPOCH

DAY = timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
Unit = Callable[[date], Hashable]


@dataclass(frozen=True)
class Span:
    """The dates from `start` to the one before `end`."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def days(self) -> Iterator[date]:
        """Yield each date."""
        day = self.start
        while day < self.end:
            yield day
            day += DAY


@dataclass(frozen=True)
class Bucket:
    """One bar."""

    start: date
    end: date
    complete: bool


def day_in(zone: str, at: int) -> date:
    """Return the date on a wall in *zone* at the moment *at*, in microseconds since 1970."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).date()


def today_in(zone: str, now: datetime) -> date:
    """Return the date on a wall in *zone*."""
    return now.astimezone(ZoneInfo(zone)).date()


def months_later(day: date, count: int) -> date:
    """Return the same day of another month; where there is none, the month's last."""
    number = day.year * 12 + day.month - 1 + count
    year, month = number // 12, number % 12 + 1
    for back in range(4):
        try:
            return date(year, month, day.day - back)
        except ValueError:
            continue
    raise AssertionError("every month has at least 28 days")


def calendar_unit(interval: str, week_start: str, day: date) -> Hashable:
    """Return what a date has in common with the others of its calendar unit."""
    match interval:
        case "day":
            return day
        case "week":
            first = 0 if week_start == "mon" else 6
            while day.weekday() != first:
                day -= DAY
            return day
        case _:
            return day.year, (day.month - 1) // MONTHS[interval]


def unit_since(passing: date, interval: str, day: date) -> Hashable:
    """Return how many whole units lie between a passing and a date."""
    if interval in {"day", "week"}:
        return (day - passing).days // (7 if interval == "week" else 1)
    count = (day.year - passing.year + 1) * 12 // MONTHS[interval]
    while months_later(passing, count * MONTHS[interval]) > day:
        count -= 1
    return count


def buckets(
    span: Span,
    interval: str,
    today: date,
    *,
    week_start: str = "mon",
    passing: date | None = None,
) -> list[Bucket]:
    """Put together the days of each unit; it is complete when none of it is missing or to come."""
    unit: Unit = (
        partial(calendar_unit, interval, week_start)
        if passing is None
        else partial(unit_since, passing, interval)
    )
    groups: list[list[date]] = []
    for day in span.days():
        if groups and unit(groups[-1][0]) == unit(day):
            groups[-1].append(day)
        else:
            groups.append([day])
    return [_bucket(group, unit, today) for group in groups]


def _bucket(group: list[date], unit: Unit, today: date) -> Bucket:
    first, last = group[0], group[-1]
    begins = unit(first - DAY) != unit(first)
    ends = unit(last + DAY) != unit(last)
    return Bucket(first, last + DAY, begins and ends and last < today)


def automatic(span: Span) -> str:
    """Return the interval that makes neither dust nor blocks of a range."""
    count = (span.end - span.start).days
    for most, interval in ((31, "day"), (182, "week"), (1830, "month")):
        if count <= most:
            return interval
    return "year"


def period_span(period: str, today: date, first: date) -> Span:
    """Return the dates of `all`, `year`, `<n>d` or `<n>mo`, which all end with today."""
    if period == "all":
        return Span(min(first, today), today + DAY)
    if period == "year":
        return Span(date(today.year, 1, 1), today + DAY)
    if period.endswith("mo"):
        month = date(today.year, today.month, 1)
        return Span(months_later(month, 1 - int(period[:-2])), today + DAY)
    return Span(today + DAY - int(period[:-1]) * DAY, today + DAY)


def shifted(span: Span, months: int) -> Span:
    """Return the same dates of other months: the first and the last day move."""
    last = months_later(span.end - DAY, -months)
    return Span(months_later(span.start, -months), last + DAY)


def previous(span: Span, period: str | None) -> Span | None:
    """Return the part of the period before that corresponds to *span*."""
    if period in {"all", "since_passing"}:
        return None
    if period == "year":
        return shifted(span, 12)
    if period is not None and period.endswith("mo"):
        return shifted(span, int(period[:-2]))
    return Span(span.start - (span.end - span.start), span.start)
