"""Make domain events as bytes, cheaply: the client must not take the processors from the plugin.

The mix is that of a living instance: 300 legacies with circles of lognormal size and one of 1,500
people, slightly more looks than acts, five years. It is made for load; what reports must say of it
is not known here.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, count
from random import Random
from typing import Literal

TENANT = "bench"
PEOPLE, LEGACIES, LARGEST_CIRCLE = 1_000, 300, 1_500
YEARS = 5
# An event as old as this is sent as a backfill; the plugin takes others for 400 days.
BACKFILL_DAYS = 395
STORIES_REMEMBERED = 30
LATE_SHARE, LATE_SECONDS, JITTER_SECONDS = 0.05, 5 * 86_400, 3_600

Ids = Literal["uuid4", "ordered"]
# Of 1,000 events: 550 looks, and 450 acts that the circle sees.
MIX = {
    "legacy.viewed": 200,
    "story.viewed": 350,
    "story.created": 85,
    "story.updated": 20,
    "story.deleted": 4,
    "story_response.created": 90,
    "story_response.deleted": 4,
    "story_reaction.toggled": 190,
    "media.upload_confirmed": 53,
    "media.deleted": 4,
}
_REACTIONS = ("heart", "candle", "smile")
_FAMILIES = ("image", "image", "image", "video", "audio", "document")
_ORIGINS = ("manual", "manual", "prompt", "response", "conversation")


@dataclass(frozen=True)
class Legacy:
    """A remembered person and the circle around them."""

    id: str
    people: Sequence[str]
    died: date


@dataclass(frozen=True)
class World:
    """Who there is: the same for the same seed."""

    legacies: Sequence[Legacy]

    @property
    def busiest(self) -> Legacy:
        """Return the legacy with the largest circle."""
        return max(self.legacies, key=lambda legacy: len(legacy.people))

    @property
    def small(self) -> Legacy:
        """Return a legacy with the circle of a small family."""
        sizes = sorted(self.legacies, key=lambda legacy: len(legacy.people))
        return next(legacy for legacy in sizes if len(legacy.people) >= 4)


def new_world(seed: int = 7) -> World:
    """Return the people and legacies of *seed*."""
    chance = Random(f"world {seed}")
    people = [uuid4(chance) for _ in range(PEOPLE)]
    circles = [_circle(chance, people) for _ in range(LEGACIES - 1)]
    circles.append([uuid4(chance) for _ in range(LARGEST_CIRCLE)])
    return World(
        [
            Legacy(uuid4(chance), circle, date(2021, 1, 1) + timedelta(chance.randrange(700)))
            for circle in circles
        ]
    )


def _circle(chance: Random, people: Sequence[str]) -> list[str]:
    """Return a circle of lognormal size, whose median is 8."""
    size = round(chance.lognormvariate(2.08, 0.7))
    return chance.sample(people, min(max(size, 1), len(people)))


def uuid4(chance: Random) -> str:
    """Return a random id as core makes them."""
    word = f"{chance.getrandbits(128):032x}"
    return f"{word[:8]}-{word[8:12]}-4{word[13:16]}-a{word[17:20]}-{word[20:]}"


@dataclass
class Maker:
    """Makes one stream of events; two of different names never make the same id."""

    world: World
    name: str
    ids: Ids = "uuid4"
    _stories: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _responses: list[tuple[str, str, str]] = field(default_factory=list, repr=False)
    _media: list[tuple[str, str]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Prepare what is drawn from."""
        self._chance = Random(self.name)
        self._stamp = f"{self._chance.getrandbits(40):010x}"
        self._numbers = count(time.time_ns() // 1_000)
        self._kinds = list(MIX), list(accumulate(MIX.values()))
        sizes = [len(legacy.people) for legacy in self.world.legacies]
        self._weights = list(accumulate(sizes))

    def opening(self, at: datetime) -> list[bytes]:
        """Return the events by which every legacy comes to be, and lets itself be counted."""
        moment, events = _stamp(at.timestamp()), []
        for legacy in self.world.legacies:
            born = f'"legacy_id":"{legacy.id}","visibility":"private"'
            died = f'"death_date":"{legacy.died}","death_date_precision":"day"'
            head = (legacy.people[0], moment, True)
            created = f"{born},{died}"
            events += [
                self._event("legacy.created", created, *head),
                self._event("plugin_permission.granted", f'"legacy_id":"{legacy.id}"', *head),
            ]
        return events

    def events(self, number: int, start: datetime, end: datetime) -> Iterator[bytes]:
        """Yield *number* events that fall between *start* and *end*, almost in their order."""
        chance = self._chance
        kinds = chance.choices(self._kinds[0], cum_weights=self._kinds[1], k=number)
        legacies = chance.choices(self.world.legacies, cum_weights=self._weights, k=number)
        first, last = start.timestamp(), end.timestamp()
        old = datetime.now(UTC).timestamp() - BACKFILL_DAYS * 86_400
        step = (last - first) / max(number, 1)
        for index, (kind, legacy) in enumerate(zip(kinds, legacies, strict=True)):
            at = max(first, first + index * step - self._delay())
            name, payload = self._act(kind, legacy)
            person = chance.choice(legacy.people)
            yield self._event(name, payload, person, _stamp(at), at < old)

    def _delay(self) -> float:
        """Return how much earlier than its neighbours an event has happened."""
        draw = self._chance.random()
        return draw * (LATE_SECONDS if draw < LATE_SHARE else JITTER_SECONDS)

    def _act(self, kind: str, legacy: Legacy) -> tuple[str, str]:
        """Return the type and the payload of an act; what needs a story makes one first."""
        if kind == "legacy.viewed":
            return kind, f'"legacy_id":"{legacy.id}"'
        if kind.startswith("media."):
            return self._medium(kind, legacy)
        stories = self._stories.setdefault(legacy.id, [])
        if kind == "story.created" or not stories:
            return "story.created", self._new_story(legacy, stories)
        story = self._chance.choice(stories)
        if kind in {"story.updated", "story.deleted"}:
            return kind, self._changed(kind, story, stories)
        if kind.startswith("story_response."):
            return self._response(kind, legacy, story)
        about = f'"story_id":"{story}","legacy_id":"{legacy.id}"'
        if kind == "story.viewed":
            return kind, about
        reaction = self._chance.choice(_REACTIONS)
        reacted = "true" if self._chance.random() < 0.9 else "false"
        return kind, f'{about},"reaction_type":"{reaction}","reacted":{reacted}'

    def _new_story(self, legacy: Legacy, stories: list[str]) -> str:
        story = uuid4(self._chance)
        stories.append(story)
        if len(stories) > STORIES_REMEMBERED:
            del stories[0]
        visibility = "private" if self._chance.random() < 0.7 else "public"
        origin = self._chance.choice(_ORIGINS)
        return (
            f'"story_id":"{story}","legacy_ids":["{legacy.id}"],"status":"published"'
            f',"visibility":"{visibility}","origin":"{origin}"'
        )

    def _changed(self, kind: str, story: str, stories: list[str]) -> str:
        if kind == "story.deleted":
            stories.remove(story)
            return f'"story_id":"{story}"'
        return f'"story_id":"{story}","visibility":"public"'

    def _response(self, kind: str, legacy: Legacy, story: str) -> tuple[str, str]:
        if kind.endswith(".deleted") and self._responses:
            response, story, scope = self._responses.pop()
        else:
            kind, response, scope = "story_response.created", uuid4(self._chance), legacy.id
            self._responses = [*self._responses[-9:], (response, story, scope)]
        about = f'"story_id":"{story}","legacy_id":"{scope}"'
        return kind, f'"response_id":"{response}",{about}'

    def _medium(self, kind: str, legacy: Legacy) -> tuple[str, str]:
        if kind.endswith(".deleted") and self._media:
            medium, scope = self._media.pop()
            return kind, f'"media_id":"{medium}","legacy_ids":["{scope}"]'
        medium = uuid4(self._chance)
        self._media = [*self._media[-9:], (medium, legacy.id)]
        family, size = self._chance.choice(_FAMILIES), self._chance.randrange(10_000, 9_000_000)
        about = f'"media_id":"{medium}","legacy_ids":["{legacy.id}"]'
        return "media.upload_confirmed", f'{about},"family":"{family}","size_bytes":{size}'

    def _event(self, kind: str, payload: str, person: str, moment: str, backfill: bool) -> bytes:
        source = ',"source":"backfill"' if backfill else ""
        resource = kind.partition(".")[0]
        return (
            f'{{"id":"{self._id()}","type":"{kind}","version":1,"occurred_at":"{moment}"'
            f',"tenant_id":"{TENANT}","actor_id":"user:{person}"{source}'
            f',"resource":{{"kind":"{resource}","id":"r"}},"payload":{{{payload}}}}}'
        ).encode()

    def _id(self) -> str:
        """Return a fresh id: random, or led by a number that grows as time would."""
        if self.ids == "uuid4":
            return uuid4(self._chance)
        number = f"{next(self._numbers):014x}"
        return f"{number[:8]}-{number[8:12]}-7{number[12:]}0-a000-{self._stamp}00"


_DAYS: dict[int, str] = {}


def _stamp(at: float) -> str:
    """Write a moment as RFC 3339; days repeat, so their text is kept."""
    whole = int(at)
    day, second = divmod(whole, 86_400)
    if day not in _DAYS:
        _DAYS[day] = (date(1970, 1, 1) + timedelta(day)).isoformat()
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_DAYS[day]}T{hour:02}:{minute:02}:{second:02}.{int((at - whole) * 1e6):06}Z"
