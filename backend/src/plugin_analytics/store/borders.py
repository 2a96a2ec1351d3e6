"""Say where the days of one zone lie among those of another (design: Time rules)."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import EVEN, Range, first_instant, local_date

DAYS_OF_GRACE = 2  # no two zones are further apart than this
PLAIN = date.fromordinal(EVEN.toordinal() + DAYS_OF_GRACE)  # from here on also in other zones


class Cut(NamedTuple):
    """The days of the counts that lie in a range of another zone: whole, and at least in part."""

    inner: Range
    outer: Range

    def edges(self) -> "list[Range]":
        """Return the days that lie in the range in part."""
        return outside(self.outer, [self.inner] if self.inner.days > 0 else [])


class _Border(NamedTuple):
    """Within which day of the counts a day of another zone begins, and before which."""

    within: date
    following: date  # the same where both begin at once


def ordinals(span: Range) -> tuple[int, int]:
    return span.start.toordinal(), span.end.toordinal()


def widened(span: Range) -> Range:
    """Return the days of any zone that hold every instant of *span* in another."""
    return Range(moved(span.start, -DAYS_OF_GRACE), moved(span.end, DAYS_OF_GRACE))


def cut(slot: Range, zone: ZoneInfo, counted: ZoneInfo) -> Cut:
    """Say which days of the zone *counted* lie in *slot*, whole or in part."""
    if zone is counted:
        return Cut(slot, slot)
    if slot.start < PLAIN:
        inner = Range(moved(slot.start, DAYS_OF_GRACE), moved(slot.end, -DAYS_OF_GRACE))
        return Cut(inner, widened(slot))
    first, last = (_border(day, zone, counted) for day in slot)
    return Cut(Range(first.following, last.within), Range(first.within, last.following))


@lru_cache(maxsize=16_384)
def _border(day: date, zone: ZoneInfo, counted: ZoneInfo) -> _Border:
    """Return where *day* of *zone* begins among the days of the zone *counted*."""
    instant = first_instant(day, zone)
    within = local_date(instant, counted)
    together = first_instant(within, counted) == instant
    return _Border(within, within if together else moved(within, 1))


def common(slot: Range, cut: Cut) -> Range:
    """Return the days that lie in a slot whole and are called by the same dates."""
    return Range(max(slot.start, cut.inner.start), min(slot.end, cut.inner.end))


def outside(whole: Range, inner: Sequence[Range]) -> list[Range]:
    """Return what *inner* leaves of *whole*."""
    starts = [whole.start, *(span.end for span in inner)]
    ends = [*(span.start for span in inner), whole.end]
    return [Range(*ends) for ends in zip(starts, ends, strict=True) if ends[0] < ends[1]]


def moved(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)
