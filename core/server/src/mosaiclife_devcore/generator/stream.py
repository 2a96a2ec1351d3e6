"""Let an invented world live, day by day, in little memory however long it is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from mosaiclife_devcore.generator.acts import Acts
from mosaiclife_devcore.generator.faults import Faults, spoil
from mosaiclife_devcore.generator.ids import Ids, Kind
from mosaiclife_devcore.generator.population import (
    NEVER,
    Circle,
    Oddities,
    Person,
    populate,
)
from mosaiclife_devcore.generator.profiles import Profile
from mosaiclife_devcore.generator.rhythm import HOURS, attention
from mosaiclife_devcore.generator.scribe import DAY, Envelope, Scribe

HOUR = 3_600_000
LONGEST_ACT = 12  # events; with fewer to go, people only look
AHEAD = 14 * HOUR  # the first zone begins a day so much before UTC does


def generate(
    profile: Profile,
    seed: int,
    *,
    tenant: str,
    until: date,
    faults: Faults | None = None,
    ids: Kind = "random",
) -> Iterator[Envelope]:
    """Yield the envelopes of a world in the order in which they are delivered.

    There are as many as *profile* says, up to the midnight (UTC) on which *until* begins; faults come on top. The same arguments give the same events, byte for byte.
    """
    faults, key = faults or {}, f"{seed}:{profile.name}"
    end = _midnight(until)
    life = Life(profile, key, tenant, until, faults, ids).events()
    return spoil(life, faults, key, end, end + DAY)


class Life:
    """One world from its first day to its last."""

    def __init__(
        self, profile: Profile, key: str, tenant: str, until: date, faults: Faults, ids: Kind
    ) -> None:
        source = Ids(Random(f"{key}:ids"), ids)
        odd = Oddities(
            feb_29=bool(faults.get("feb-29")),
            year_only=bool(faults.get("year-only")),
            alone=bool(faults.get("alone")),
        )
        self._profile = profile
        self._chance = Random(f"{key}:acts")
        self._people, self._circles = populate(profile, Random(f"{key}:people"), source, until, odd)
        self._days = [until - timedelta(days=back) for back in range(profile.days, 0, -1)]
        self._scribe = Scribe(source, tenant, _midnight(until))
        self._acts = Acts(
            self._scribe,
            self._chance,
            self._circles,
            flapping=faults.get("flapping", 0.0),
            triple=faults.get("triple", 0.0),
        )
        if rate := faults.get("departures"):
            self._farewell(Random(f"{key}:departures"), rate)

    def events(self) -> Iterator[Envelope]:
        """Yield all events in the order of time."""
        weights = [self._weights(day) for day in self._days]
        reached = list(accumulate(row[-1] for row in weights))
        for day, row, so_far in zip(self._days, weights, reached, strict=True):
            self._found(day)
            self._live(day, row, round(self._profile.events * so_far / reached[-1]))
            # What happens on later days cannot happen before this, in any zone.
            yield from self._scribe.before(_midnight(day) + DAY - AHEAD)
        self._fill(self._profile.events)
        yield from self._scribe.before(NEVER)

    def _weights(self, day: date) -> Sequence[float]:
        """Return how much each circle calls for on *day*, added up."""
        return array("d", accumulate(attention(circle, day) for circle in self._circles))

    def _found(self, day: date) -> None:
        for circle in self._circles:
            if circle.created == day:
                creator = circle.members[0]
                self._acts.found(
                    circle, _instant(day, 9, creator.zone) + self._chance.randrange(HOUR)
                )

    def _live(self, day: date, weights: Sequence[float], due: int) -> None:
        """Let people act until *due* events have been written since the beginning."""
        chance = self._chance
        while (missing := due - self._scribe.count) >= LONGEST_ACT:
            # Most acts are one event; what is missing afterwards is asked for again.
            count = missing // 2 + 1 if missing > LONGEST_ACT else 1
            circles = chance.choices(self._circles, cum_weights=weights, k=count)
            hours = chance.choices(range(24), HOURS, k=count)
            names = self._profile.acts.some(chance, count)
            for circle, hour, name in zip(circles, hours, names, strict=True):
                self._act(circle, day, hour, name)

    def _act(self, circle: Circle, day: date, hour: int, name: str) -> None:
        chance = self._chance
        # Whoever is asked first sets the clock; on the first day nobody may have come yet.
        within, zone = int(chance.random() * HOUR), circle.members[0].zone
        person = self._acts.someone(circle, _instant(day, hour, zone) + within)
        moment = max(_instant(day, hour, person.zone) + within, circle.joined[0] + 1)
        if moment < min(circle.gone, person.gone):
            self._acts.by_name[name](circle, person, moment)

    def _fill(self, due: int) -> None:
        """Let people look in the last hour, until there are as many events as were asked for."""
        chance = self._chance
        open_circles = [circle for circle in self._circles if circle.gone == NEVER]
        while self._scribe.count < due:
            circle, moment = chance.choice(open_circles), self._scribe.end - chance.randint(1, HOUR)
            self._acts.look(circle, self._acts.someone(circle, moment), moment)

    def _farewell(self, chance: Random, rate: float) -> None:
        """Let some people delete their account, others ask not to be counted, and two legacies go."""
        put, end, span = self._scribe.put, _midnight(self._days[-1]), self._profile.days * DAY
        count = max(1, round(rate * len(self._people)))
        chosen = chance.sample(self._people, min(len(self._people) // 2 * 2, 2 * count))
        for person in chosen[: len(chosen) // 2]:
            moment = end - chance.randrange(DAY, max(2 * DAY, span // 2))
            put(moment, "user.deleted", person, person.id, {"user_id": person.id})
            person.gone = moment
        for person in chosen[len(chosen) // 2 :]:
            self._hide(person, end - chance.randrange(DAY, max(2 * DAY, span // 2)), chance)
        if len(self._circles) < 4:
            return
        deleted, revoked = chance.sample(self._circles[1:], 2)
        deleted.gone = end - chance.randrange(DAY, 20 * DAY)
        put(deleted.gone, "legacy.deleted", None, deleted.id, {"legacy_id": deleted.id})
        closed, said = end - chance.randrange(DAY, 10 * DAY), {"legacy_id": revoked.id}
        put(closed, "plugin_permission.revoked", None, revoked.id, said)

    def _hide(self, person: Person, moment: int, chance: Random) -> None:
        """Let somebody ask not to be counted, and perhaps think better of it."""
        put, said = self._scribe.put, {"user_id": person.id}
        put(moment, "user.activity_tracking.disabled_and_purged", person, person.id, said)
        if chance.random() < 0.5:
            later = moment + chance.randrange(DAY, 30 * DAY)
            put(later, "user.activity_tracking.enabled", person, person.id, said)


def _midnight(day: date) -> int:
    return round(datetime.combine(day, time(), UTC).timestamp() * 1000)


@lru_cache(maxsize=4096)
def _instant(day: date, hour: int, zone: str) -> int:
    """Return the moment at which an hour of the wall clock begins; one that is skipped comes later."""
    local = datetime.combine(day, time(hour), ZoneInfo(zone))
    return round(local.timestamp() * 1000)
