"""Invent people, and the circles in which they remember."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from math import log
from random import Random

from mosaiclife_devcore.generator.chances import VISIBILITY, rank_weights
from mosaiclife_devcore.generator.ids import Ids
from mosaiclife_devcore.generator.profiles import Profile

ZONES = (
    *("Europe/Stockholm", "America/New_York", "Asia/Kolkata"),
    *("America/St_Johns", "America/Santiago", "Pacific/Auckland"),
)
NEVER = 1 << 62
MEDIAN_CIRCLE, SIGMA = 8, 0.7
RECENT_STORIES = 40


@dataclass(eq=False, slots=True)
class Person:
    """Somebody who is alive; `gone` is when the account is deleted, in milliseconds."""

    id: str
    zone: str
    gone: int = NEVER


@dataclass(frozen=True, slots=True)
class Tale:
    """A story that others may answer, from its publication until its deletion."""

    id: str
    author: Person
    published: int
    deleted: int

    def open_at(self, moment: int) -> bool:
        return self.published < moment < self.deleted


@dataclass(eq=False, slots=True)
class Circle:
    """One remembered person, and those who remember, in the order in which they came."""

    id: str
    born: date
    passed: date
    created: date
    members: list[Person]
    warmth: float
    precision: str = "day"
    visibility: str = "private"
    grants: bool = True
    gone: int = NEVER
    joined: list[int] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    tales: deque[Tale] = field(default_factory=lambda: deque(maxlen=RECENT_STORIES))

    def __post_init__(self) -> None:
        self.sums = list(accumulate(rank_weights(len(self.members))))


@dataclass(frozen=True, slots=True)
class Oddities:
    """Which rare shapes the world must hold."""

    feb_29: bool = False
    year_only: bool = False
    alone: bool = False


def populate(
    profile: Profile, chance: Random, ids: Ids, until: date, odd: Oddities
) -> tuple[list[Person], list[Circle]]:
    """Return everybody, and every circle, of the world that ends on *until*."""
    families = [number * profile.legacies // profile.people for number in range(profile.people)]
    people = [_person(chance, ids, ZONES[family % len(ZONES)]) for family in families]
    first = until - timedelta(days=profile.days)
    latest = max(1, profile.days * 3 // 4)
    circles = [
        _circle(
            chance,
            ids,
            first + timedelta(days=chance.randrange(latest) if number else 0),
            _members(chance, people, number, profile.legacies),
        )
        for number in range(profile.legacies)
    ]
    if profile.crowd > len(people):
        count = profile.crowd - len(people)
        strangers = [_person(chance, ids, ZONES[each % len(ZONES)]) for each in range(count)]
        people.extend(strangers)
        circles[0] = _circle(chance, ids, first, [*circles[0].members, *strangers])
    _make_odd(circles, odd, first, until)
    return people, circles


def _person(chance: Random, ids: Ids, home: str) -> Person:
    """Invent somebody who probably lives where the family does."""
    return Person(ids.plain(), home if chance.random() < 0.7 else chance.choice(ZONES))


def _members(chance: Random, people: list[Person], number: int, circles: int) -> list[Person]:
    """Draw a circle around some person, so that everybody is in one; neighbours are relatives."""
    size = max(2, round(chance.lognormvariate(log(MEDIAN_CIRCLE), SIGMA)))
    size = min(size, len(people))
    share = len(people) // circles + 1
    start = number * len(people) // circles
    own = [people[(start + step) % len(people)] for step in range(min(share, size))]
    reach = [people[(start + step) % len(people)] for step in range(share, 4 * size + share)]
    others = [person for person in dict.fromkeys(reach) if person not in own]
    chosen = own + chance.sample(others, min(size - len(own), len(others)))
    chance.shuffle(chosen)
    return chosen


def _circle(chance: Random, ids: Ids, begin: date, members: list[Person]) -> Circle:
    """Invent a life and its end; most are remembered as soon as they are over."""
    years = chance.choices((0, chance.randint(1, 20), chance.randint(21, 60)), (70, 22, 8))[0]
    passed = begin - timedelta(days=chance.randint(1, 12) + 365 * years)
    born = passed - timedelta(days=round(365.25 * min(102, max(1, chance.gauss(68, 19)))))
    return Circle(
        id=ids.plain(),
        born=born,
        passed=passed,
        created=begin,
        members=members,
        warmth=len(members) * chance.lognormvariate(0, 0.6),
        visibility="public" if VISIBILITY(chance) == "public" else "private",
        grants=chance.random() < 0.9,
    )


def _make_odd(circles: list[Circle], odd: Oddities, first: date, until: date) -> None:
    """Give the last circles the shapes that break careless arithmetic."""
    if odd.feb_29:
        year = next(year for year in range(until.year, 0, -1) if _is_past_leap_day(year, until))
        circles[-1].passed = date(year, 2, 29)
        circles[-1].created = max(first, date(year, 3, 2))
        circles[-1].born = date(1948, 2, 29)
    if odd.year_only:
        circles[-2].precision = "year"
    if odd.alone:
        circles[-3].members = circles[-3].members[:1]
        circles[-3].sums = circles[-3].sums[:1]


def _is_past_leap_day(year: int, until: date) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return leap and date(year, 3, 2) < until
