"""Say when people come: at once after a passing, less and less later, and again around its day.

The shape is that of public grief: it falls exponentially for about ten days and by a power law
from then on, and returns at the yearly day, the birthday and the turn of the year.
"""

from __future__ import annotations

from datetime import date
from math import exp
from typing import Protocol

PEAK, FALL, KNEE, TAIL, BASE = 2.2, 4.5, 10, 1.1, 0.02
ANNIVERSARY, BIRTHDAY, HOLIDAY = 0.9, 0.5, 0.18
# How many of a day's acts begin in each hour; the evening is when people sit down to tell.
HOURS = (1, 1, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 5, 5, 4, 4, 5, 6, 9, 13, 15, 13, 8, 3)


class Remembered(Protocol):
    """The dates of a life, the day its legacy was made, and how much its circle takes part."""

    @property
    def born(self) -> date: ...

    @property
    def passed(self) -> date: ...

    @property
    def created(self) -> date: ...

    @property
    def warmth(self) -> float: ...


def attention(legacy: Remembered, day: date) -> float:
    """Return how many acts this day calls for in the circle of *legacy*."""
    if day < legacy.created:
        return 0.0
    bumps = (
        BASE,
        _grief((day - legacy.passed).days),
        ANNIVERSARY * _near(day, legacy.passed, 3),
        BIRTHDAY * _near(day, legacy.born, 2),
        HOLIDAY if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 1) else 0.0,
    )
    return sum(bumps) * legacy.warmth


def _grief(days: int) -> float:
    """Fall exponentially for ten days and by a power law from then on."""
    if days < KNEE:
        return PEAK * exp(-days / FALL)
    return float(PEAK * exp(-KNEE / FALL) * (days / KNEE) ** -TAIL)


def _near(day: date, date_of: date, width: int) -> float:
    """Return 1 on the yearly day, falling to 0 beyond *width* days; not in its first year."""
    if day.year <= date_of.year:
        return 0.0
    anchor = date_of.replace(year=day.year, day=min(date_of.day, 28))
    return max(0.0, 1 - abs((day - anchor).days) / (width + 1))
