"""Find the days that a range is set beside, and of each of its parts the part that answers to it.

Where years lie between, dates move: 3 May answers to 3 May, leap day or not, 29 February to the
28th, and a whole month to a whole month. Where days lie between, the first day answers to the
first.
"""

from datetime import date, timedelta
from typing import Literal, NamedTuple

from plugin_analytics.model.calendar import (
    Interval,
    Period,
    Range,
    add_months,
    elapsed_before,
    preceding,
)

Compare = Literal["none", "previous_period", "previous_year", "custom"]
_DAY = timedelta(days=1)
_LONG: tuple[Interval, ...] = ("month", "quarter", "year")


class Counterpart(NamedTuple):
    """The days beside a range; *months* lie between the two, or as many days as between firsts."""

    whole: Range
    span: Range
    months: int = 0

    def part(self, slot: Range, interval: Interval) -> Range | None:
        """Return what answers to *slot*, a part of the whole; None where nothing does."""
        if self.months and (self.months % 12 == 0 or interval in _LONG):
            start, end = moved(slot, self.months)
        else:
            start, end = (self.span.start + (day - self.whole.start) for day in slot)
            if slot.end == self.whole.end:
                end = self.span.end
        found = Range(max(start, self.span.start), min(end, self.span.end))
        return found if found.start < found.end else None


def moved(span: Range, months: int) -> Range:
    """Move a range back; the end of a month stays one, and no date is left out."""
    last = add_months(span.end - _DAY, -months)
    return Range(add_months(span.start, -months), max(add_months(span.end, -months), last + _DAY))


def period_before(span: Range, period: Period | None) -> Counterpart | None:
    """Return what lies before a *period*, or before two dates; None when nothing does."""
    before = preceding(span) if period is None else period.before(span)
    return None if before is None else Counterpart(span, before, period.months if period else 0)


def year_before(span: Range, period: Period | None) -> Counterpart:
    """Return the same dates a year before; of a running *period*, as much as has elapsed."""
    before = moved(span, 12) if period is None else elapsed_before(span, 12)
    return Counterpart(span, before, 12)


def other_days(span: Range, dates: Range) -> Counterpart:
    """Return the days that somebody chose, as many as the range has or fewer."""
    return Counterpart(span, Range(dates.start, min(dates.end, _later(dates.start, span.days))))


def _later(day: date, days: int) -> date:
    return day + days * _DAY
