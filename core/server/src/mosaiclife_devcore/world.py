"""The invented family of this core: people, legacies and the titles of their stories.

All of it is fiction. Days move with the calendar, so that the demonstration never grows
stale: a passing falls on its day of the latest year that lies far enough back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from mosaiclife_devcore.errors import LegacyDenied
from mosaiclife_devcore.ids import ulid
from mosaiclife_plugin_sdk import UserContext

TENANT = "family-lindqvist"
TIMEZONE = "Europe/Stockholm"
LOCALE = "en-GB"
NAMES = (
    *("Maja Lindqvist", "Erik Lindqvist", "Sanna Berg", "Oskar Lindqvist", "Elin Nordahl"),
    *("Johan Berg", "Klara Sand", "Nils Holm", "Freja Lindqvist", "Anton Ek", "Ida Holm"),
    *("Viktor Sand", "Linnea Ek", "Per Nordahl"),
)
MOST_STORIES = 5000


@dataclass(frozen=True, slots=True)
class Person:
    """A living member of the family or a friend."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Legacy:
    """One remembered person, and how many remember."""

    id: str
    name: str
    born: date
    passed: date
    created: date
    circle: tuple[Person, ...]
    warmth: float


@dataclass(frozen=True, slots=True)
class Story:
    """A story as core keeps it; its title never leaves core."""

    id: str
    title: str
    legacy_ids: tuple[str, ...]
    author_id: str
    told_at: str


@dataclass(slots=True)
class World:
    """Everything that a signed-in person may see."""

    people: tuple[Person, ...]
    legacies: tuple[Legacy, ...]
    stories: dict[str, Story] = field(default_factory=dict)
    tenant_id: str = TENANT

    @property
    def user(self) -> Person:
        """Return the person who is signed in on a development machine."""
        return self.people[0]

    def legacy(self, legacy_id: str) -> Legacy:
        """Return a legacy in which the signed-in person has a role."""
        for legacy in self.legacies:
            if legacy.id == legacy_id:
                return legacy
        raise LegacyDenied("you have no role in this legacy")

    def keep(self, story: Story) -> None:
        """Remember a story; the oldest go when there are more than a demonstration needs."""
        self.stories[story.id] = story
        while len(self.stories) > MOST_STORIES:
            del self.stories[next(iter(self.stories))]

    def stories_of(self, legacy_id: str, most: int) -> list[Story]:
        """Return the latest stories of a legacy, newest first."""
        told = [story for story in self.stories.values() if legacy_id in story.legacy_ids]
        return sorted(told, key=lambda story: story.told_at, reverse=True)[:most]

    def names_of(self, ids: Collection[str]) -> dict[str, str]:
        """Return the display names of those *ids* that the signed-in person may know."""
        known = {person.id: person.name for person in self.people}
        known |= {legacy.id: legacy.name for legacy in self.legacies}
        known |= {told: self.stories[told].title for told in ids if told in self.stories}
        return {name: known[name] for name in ids if name in known}

    def viewer(self, legacy_ids: Collection[str] | None = None) -> UserContext:
        """Return who asks, with the roles in the legacies in question."""
        asked = {legacy.id for legacy in self.legacies}
        if legacy_ids is not None:
            asked &= set(legacy_ids)
        return UserContext(
            sub=f"user:{self.user.id}",
            operator=True,
            timezone=TIMEZONE,
            legacies=dict.fromkeys(sorted(asked), "creator"),
        )


def build_world(seed: int, today: date) -> World:
    """Return the world of *seed* as it is on *today*."""
    people = tuple(Person(_id(seed, f"person:{name}"), name) for name in NAMES)
    ingrid = _latest(2, 14, today, days_back=200)
    tomas = _latest(9, 3, today, days_back=45)
    aino = _latest(3, 1, today, days_back=430)
    circle = people[3:9]
    legacies = (
        _legacy(seed, "Ingrid Lindqvist", date(1938, 5, 21), ingrid, ingrid, people, 15.0),
        _legacy(seed, "Tomas Berg", date(1961, 11, 30), tomas, tomas, people[:11], 11.0),
        _legacy(seed, "Aino Ek", date(1929, 12, 8), date(2011, 1, 9), aino, circle, 9.0),
    )
    return World(people, legacies)


def _legacy(
    seed: int,
    name: str,
    born: date,
    passed: date,
    noticed: date,
    circle: tuple[Person, ...],
    warmth: float,
) -> Legacy:
    """Describe a legacy, made on the second day after somebody thought of it."""
    created = noticed + timedelta(days=2)
    return Legacy(_id(seed, f"legacy:{name}"), name, born, passed, created, circle, warmth)


def _latest(month: int, day: int, today: date, *, days_back: int) -> date:
    """Return the latest such day that lies at least *days_back* days before *today*."""
    found = date(today.year, month, day)
    while found > today - timedelta(days=days_back):
        found = found.replace(year=found.year - 1)
    return found


def _id(seed: int, what: str) -> str:
    """Return an id that is the same in every run of the same seed."""
    return ulid(datetime.combine(date(2024, 1, 1), time(), UTC), Random(f"{seed}:{what}"))
