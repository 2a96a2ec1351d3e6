"""Hold the counts against the events by another way than the one that made them.

One day in a hundred, and every day that was counted of late, is worked out anew from what is
remembered; and what arrived on some of these days must be remembered. A day that differs is marked,
so that the next refresh counts it again, and is looked at by every run until it agrees.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from plugin_analytics.clock import Clock, micros
from plugin_analytics.model.calendar import local_date
from plugin_analytics.model.checking import expected, unremembered
from plugin_analytics.model.retention import ages, countable
from plugin_analytics.model.rollup import DatedFact, Memory, Stored, by_subject, refold
from plugin_analytics.services.pace import giving_way
from plugin_analytics.store.base import LegacyDay, Store, Verification

SHARE, LEAST = 100, 20
RECENT = timedelta(days=1)
RECENT_EVENTS = 1_000
RAW_DAYS = 20
ARRIVALS = 20_000
SHOWN = 20
RESTS, LONGEST_REST_SECONDS = 4, 2.0

Cancelled = Callable[[], bool]
Progress = Callable[[int, int | None, str], None]


class Drift(msgspec.Struct, frozen=True):
    """A day on which the counts differ; of which legacy stays untold."""

    day: date
    what: str


class Found(msgspec.Struct, rename="camel"):
    """What a verification has found."""

    tenants: int = 0
    skipped: int = 0
    days: int = 0
    events: int = 0
    drift: int = 0
    drifts: list[Drift] = msgspec.field(default_factory=list)
    remedy: str = ""


class Verify:
    """Look for days on which the reports would not be true."""

    def __init__(self, store: Store, clock: Clock, *, drifted: Callable[[int], None]) -> None:
        """Verify *store*; tell *drifted* on how many days it differs, when it does."""
        self._store = store
        self._clock = clock
        self._drifted = drifted
        self.drift = store.drift()

    def __call__(self, cancelled: Cancelled, progress: Progress) -> Found:
        """Go through every tenant; what a run that is stopped has not seen stays as it was."""
        found, tenants = Found(), self._store.tenants()
        for number, tenant in enumerate(tenants):
            progress(number, len(tenants), f"{found.days} days")
            look = _Look(self._store, tenant, self._clock)
            if cancelled() or not look(cancelled):
                found.skipped += 1
                continue
            found.tenants += 1
            found.days += look.days
            found.events += look.events
            found.drifts.extend(look.drifts())
        progress(len(tenants), len(tenants), f"{found.days} days")
        self.drift = found.drift = self._store.drift()
        del found.drifts[SHOWN:]
        if found.drift:
            found.remedy = "the next refresh counts these days again; if it lasts, rollup.rebuild"
            self._drifted(found.drift)
        return found


class _Look:
    """One look at one tenant."""

    def __init__(self, store: Store, tenant: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock
        self._zone = ZoneInfo("UTC")
        self._oldest = ages(clock()).counts
        self._odd: dict[LegacyDay, str] = {}
        self.days = self.events = 0

    def __call__(self, cancelled: Cancelled) -> bool:
        """Look, and write down what was seen; False when it could not be looked at to the end."""
        progress = self._store.progress(self._tenant)
        if progress is None or self._being_erased():
            return False
        self._zone = ZoneInfo(progress.zone)
        recent = self._recent()
        wanted = [*self._store.drifting(self._tenant), *recent]
        sample = self._store.counted_days(self._tenant, SHARE, LEAST)
        looked_at = list(dict.fromkeys([*wanted, *sample]))
        for legacy_day in looked_at:
            with self._giving_way():
                if cancelled() or not self._check(legacy_day):
                    return False
        days = set(islice(dict.fromkeys(day for _, day in looked_at), RAW_DAYS))
        if not self._check_spans(looked_at, cancelled) or not self._check_events(days, cancelled):
            return False
        seen = Verification(micros(self._clock()), self.days, self.events, len(self._odd))
        self._store.save_verification(self._tenant, seen, list(self._odd)).result()
        return True

    def _giving_way(self) -> AbstractContextManager[None]:
        return giving_way(self._store.waiting, rests=RESTS, longest=LONGEST_REST_SECONDS)

    def drifts(self) -> Iterable[Drift]:
        """Return what differs."""
        return (Drift(day, what) for (_, day), what in self._odd.items())

    def _being_erased(self) -> bool:
        """Tell whether events are about to go whose acts are gone already."""
        return any(wish.tenant == self._tenant for wish in self._store.wishes())

    def _recent(self) -> list[LegacyDay]:
        """Return the days that the newest events have touched."""
        since = micros(self._clock() - RECENT)
        with self._store.snapshot():
            events = self._store.latest(self._tenant, since, RECENT_EVENTS)
            facts = self._facts_of(list(by_subject(events)))
        return list(dict.fromkeys((dated.fact.legacy, dated.day) for dated in facts))

    def _facts_of(self, subjects: Sequence[bytes]) -> Sequence[DatedFact]:
        return self._refold(self._store.remembered(self._tenant, subjects))

    def _refold(self, memories: Sequence[Memory]) -> Sequence[DatedFact]:
        return refold(memories, lambda at: local_date(at, self._zone)).added

    def _settled(self) -> bool:
        """Tell whether counts and events may be compared now, within a snapshot."""
        progress = self._store.progress(self._tenant)
        return (
            progress is not None
            and (progress.rebuild, progress.zone) == (None, self._zone.key)
            and not self._being_erased()
        )

    def _check(self, legacy_day: LegacyDay) -> bool:
        """Work one day out anew; False when everything is being made anew."""
        with self._store.snapshot():
            if not self._settled():
                return False
            standing = self._store.standing(self._tenant, *legacy_day)
            if standing is None:  # to be counted again: there is nothing to be held against
                self._keep(legacy_day)
                return True
            facts = self._refold(standing.memories)
            must = expected(*legacy_day, facts, standing.frozen)
            if must != standing.counts:
                self._odd[legacy_day] = "day"
            self.days += 1
        return True

    def _check_spans(self, days: Iterable[LegacyDay], cancelled: Cancelled) -> bool:
        """Hold months against their days."""
        for span in self._store.spans(days):
            with self._giving_way(), self._store.snapshot():
                if cancelled() or not self._settled():
                    return False
                whole = span.days.start >= self._oldest
                if whole and self._store.span_differs(self._tenant, span):
                    self._odd.setdefault((span.legacy, span.day), "span")
        return True

    def _keep(self, legacy_day: LegacyDay) -> None:
        """Let a day that is to be counted again stay under suspicion, if it was."""
        if legacy_day in self._store.drifting(self._tenant):
            self._odd[legacy_day] = "day"

    def _check_events(self, days: set[date], cancelled: Cancelled) -> bool:
        """Look whether what arrived of *days* is remembered, and what is remembered counted."""
        utc = {day.toordinal() + near - _EPOCH for day in days for near in (-1, 0, 1)}
        reached = 0
        while not cancelled():
            with self._giving_way(), self._store.snapshot():
                if not self._settled():
                    return False
                arrived = self._store.arrived(self._tenant, utc, reached, ARRIVALS)
                if arrived is None:
                    return True
                self._compare(arrived.events)
                reached = arrived.seq
        return False

    def _compare(self, events: Sequence[Stored]) -> None:
        horizons = self._store.horizons(self._tenant)
        groups = by_subject(countable(events, horizons))
        memories = self._store.memories(self._tenant, list(groups))
        for subject, own in groups.items():
            for event in unremembered(own, memories.get(subject)):
                self._odd["", local_date(event.at, self._zone)] = "event"
        facts = [dated for dated in self._facts_of(list(groups)) if dated.day >= self._oldest]
        for dated in self._store.uncounted(self._tenant, facts):
            self._odd[dated.fact.legacy, dated.day] = "fact"
        self.events += sum(map(len, groups.values()))


_EPOCH = date(1970, 1, 1).toordinal()
