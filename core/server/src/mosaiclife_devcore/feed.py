"""Living data: thirteen months of what a family does, then one act every few seconds.

A day's acts follow from the seed, the legacy and the day alone. A core that starts again
therefore sends the same history with the same ids, which plugins know already. Attention
falls fast after a passing and slowly later, and returns around its day, the birthday and
the turn of the year; most people come in the evening. Titles stay with core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from math import exp
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.generator.chances import (
    ORIGIN,
    REACTION,
    VISIBILITY,
    WORDS,
    Choice,
    rank_weights,
)
from mosaiclife_devcore.generator.payloads import answered, reacted, told, uploaded
from mosaiclife_devcore.generator.rhythm import HOURS, attention
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.journal import Event, Journal, Resource
from mosaiclife_devcore.world import TIMEZONE, Legacy, Person, Story, World
from mosaiclife_plugin_sdk import Clock, rfc3339

HISTORY_DAYS = 395  # plugins may refuse what is older than 400 days, unless it is a backfill
MEMORY_DAYS = 60
KINDS = Choice({"story": 28, "response": 30, "reaction": 32, "media": 10})
TITLES = (
    *("The summer by the lake", "How the bread was made", "A letter from the north"),
    *("Learning to ride", "The blue rowing boat", "What was said at breakfast"),
    *("The year the snow stayed", "Dancing in the kitchen", "A coat that was too big"),
    *("The walk to the station", "Songs in the car", "Coffee at the allotment"),
    *("The first day at the mill", "Picking cloudberries", "The neighbour's cat"),
    *("A game of chess", "The long table in June", "The radio in the workshop"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody does, before it is known to what."""

    id: str
    kind: str
    legacy: Legacy
    actor: Person
    moment: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A story act with what becomes of it."""

    act: Act
    story: Story
    status: str
    visibility: str
    origin: str
    words: str
    published: datetime
    deleted: datetime | None

    def open_at(self, moment: datetime) -> bool:
        """Tell whether others can answer the story at *moment*."""
        gone = self.deleted is not None and self.deleted <= moment
        return self.visibility != "personal" and self.published < moment and not gone


class Feed:
    """The family's life, written into the journal."""

    def __init__(
        self, world: World, journal: Journal, bus: Bus, *, seed: int, clock: Clock
    ) -> None:
        self._world = world
        self._journal = journal
        self._bus = bus
        self._seed = seed
        self._clock = clock

    def write_history(self) -> None:
        """Put the past into the journal, oldest first."""
        self._journal.extend(self.history(self._clock()))

    async def live(self, seconds: float) -> None:
        """Let something happen every *seconds*, until cancelled."""
        chance = Random(f"{self._seed}:{self._clock().isoformat()}")
        while True:
            await asyncio.sleep(seconds)
            self.happen(chance)

    def happen(self, chance: Random) -> None:
        """Let one thing happen now."""
        now = self._clock()
        weights = [legacy.warmth for legacy in self._world.legacies]
        legacy = chance.choices(self._world.legacies, weights)[0]
        act = _act(chance, legacy, now)
        pool = list(self._recent(legacy, now.date(), now))
        for event in self._events_of(act, pool):
            # What would follow on a later day belongs to a history that never comes.
            if event.occurred_at <= rfc3339(now):
                self._journal.extend([event])
                self._bus.publish(event.type, event.payload)

    def history(self, now: datetime) -> list[Event]:
        """Return what happened in the last thirteen months, in the order of time."""
        first = now.date() - timedelta(days=HISTORY_DAYS)
        days = [first + timedelta(days=count) for count in range(HISTORY_DAYS + 1)]
        until = rfc3339(now)
        events = chain(
            map(self._beginning, self._world.legacies),
            *(self._day(legacy, day) for day in days for legacy in self._world.legacies),
        )
        past = (event for event in events if event.occurred_at <= until)
        return sorted(past, key=lambda event: (event.occurred_at, event.id))

    def _beginning(self, legacy: Legacy) -> Event:
        moment = _at(legacy.created, 10, 0)
        chance = Random(f"{self._seed}:created:{legacy.id}")
        payload = {
            "legacy_id": legacy.id,
            "visibility": "private",
            "birth_date": legacy.born.isoformat(),
            "birth_date_precision": "day",
            "death_date": legacy.passed.isoformat(),
            "death_date_precision": "day",
        }
        about = ("legacy", legacy.id)
        # A circle may have begun before anybody was listening.
        event = self._event(
            ulid(moment, chance), "legacy.created", moment, legacy.circle[0], about, payload
        )
        return msgspec.structs.replace(event, source="backfill")

    def _day(self, legacy: Legacy, day: date) -> Iterator[Event]:
        for act in self._acts(legacy, day):
            pool = list(self._recent(legacy, day, act.moment))
            yield from self._events_of(act, pool)

    def _acts(self, legacy: Legacy, day: date) -> tuple[Act, ...]:
        return _acts_of(self._seed, legacy, day)

    def _recent(self, legacy: Legacy, day: date, moment: datetime) -> Iterator[Story]:
        """Yield the stories of the last weeks that somebody could answer at *moment*."""
        for back in range(MEMORY_DAYS):
            for act in self._acts(legacy, day - timedelta(days=back)):
                if act.kind == "story" and (story := self._tell(act)).open_at(moment):
                    yield story.story

    def _tell(self, act: Act) -> Told:
        others = (other.id for other in self._world.legacies if other.id != act.legacy.id)
        return _told_by(act, tuple(others))

    def _events_of(self, act: Act, pool: list[Story]) -> Iterator[Event]:
        """Yield what an act puts on the wire; nobody answers where nothing was told."""
        chance = Random(f"{act.id}:event")
        if act.kind == "story":
            yield from self._telling(self._tell(act), chance)
        elif act.kind == "media":
            yield self._upload(act, chance)
        elif pool:
            story = chance.choice(pool)
            answer = self._response if act.kind == "response" else self._reaction
            yield from answer(act, story, chance)

    def _telling(self, tale: Told, chance: Random) -> Iterator[Event]:
        act, story = tale.act, tale.story
        self._world.keep(story)
        looks = {"visibility": tale.visibility, "origin": tale.origin, "words": tale.words}
        about = ("story", story.id)
        payload = told(story.id, story.legacy_ids, status=tale.status, **looks)
        yield self._event(
            ulid(act.moment, chance), "story.created", act.moment, act.actor, about, payload
        )
        if tale.status == "draft":
            payload = told(story.id, story.legacy_ids, **looks)
            moment = tale.published
            yield self._event(
                ulid(moment, chance), "story.updated", moment, act.actor, about, payload
            )
        if tale.deleted:
            gone = {"story_id": story.id}
            moment = tale.deleted
            yield self._event(ulid(moment, chance), "story.deleted", moment, act.actor, about, gone)

    def _response(self, act: Act, story: Story, chance: Random) -> Iterator[Event]:
        payload = answered(act.id, story.id, act.legacy.id)
        about = ("story_response", act.id)
        event_id = ulid(act.moment, chance)
        yield self._event(event_id, "story_response.created", act.moment, act.actor, about, payload)

    def _reaction(self, act: Act, story: Story, chance: Random) -> Iterator[Event]:
        kind = REACTION(chance)
        moments = [(act.moment, True)]
        if chance.random() < 0.05:
            moments.append((act.moment + timedelta(minutes=chance.randint(1, 40)), False))
        for moment, on in moments:
            event_id, body = ulid(moment, chance), reacted(story.id, act.legacy.id, kind, on=on)
            about = ("story", story.id)
            yield self._event(event_id, "story_reaction.toggled", moment, act.actor, about, body)

    def _upload(self, act: Act, chance: Random) -> Event:
        payload = uploaded(act.id, [act.legacy.id], chance)
        about = ("media", act.id)
        event_id = ulid(act.moment, chance)
        return self._event(
            event_id, "media.upload_confirmed", act.moment, act.actor, about, payload
        )

    def _event(
        self,
        event_id: str,
        kind: str,
        moment: datetime,
        actor: Person,
        about: tuple[str, str],
        payload: dict[str, Any],
    ) -> Event:
        return Event(
            id=event_id,
            type=kind,
            version=1,
            source="core",
            occurred_at=rfc3339(moment),
            tenant_id=self._world.tenant_id,
            actor_id=f"user:{actor.id}",
            resource=Resource(*about),
            payload=payload,
        )


@lru_cache(maxsize=8192)
def _acts_of(seed: int, legacy: Legacy, day: date) -> tuple[Act, ...]:
    """Return the acts of one day: the same ones whenever somebody asks."""
    chance = Random(f"{seed}:{legacy.id}:{day.isoformat()}")
    count = _poisson(chance, attention(legacy, day))
    hours = chance.choices(range(24), HOURS, k=count)
    return tuple(
        _act(chance, legacy, _at(day, hour, chance.randrange(3600))) for hour in sorted(hours)
    )


@lru_cache(maxsize=8192)
def _told_by(act: Act, others: tuple[str, ...]) -> Told:
    """Return the story that an act tells, and what becomes of it."""
    chance = Random(f"{act.id}:story")
    shared = (chance.choice(others),) if chance.random() < 0.08 else ()
    draft = chance.random() < 0.1
    days_to_publish = chance.randint(1, 3) if draft else 0
    deleted = act.moment + timedelta(days=9) if chance.random() < 0.02 else None
    ids = (act.legacy.id, *shared)
    return Told(
        act=act,
        story=Story(act.id, chance.choice(TITLES), ids, act.actor.id, rfc3339(act.moment)),
        status="draft" if draft else "published",
        visibility=VISIBILITY(chance),
        origin=ORIGIN(chance),
        words=WORDS(chance),
        published=act.moment + timedelta(days=days_to_publish),
        deleted=deleted,
    )


def _act(chance: Random, legacy: Legacy, moment: datetime) -> Act:
    weights = list(rank_weights(len(legacy.circle)))
    actor = chance.choices(legacy.circle, weights)[0]
    act_id = ulid(moment, chance)
    return Act(act_id, KINDS(chance), legacy, actor, moment)


def _poisson(chance: Random, mean: float) -> int:
    """Draw a count (Knuth's way: the means are small)."""
    limit, product, count = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _at(day: date, hour: int, second: int) -> datetime:
    local = datetime.combine(day, time(hour), ZoneInfo(TIMEZONE))
    return local.astimezone(UTC) + timedelta(seconds=second)
