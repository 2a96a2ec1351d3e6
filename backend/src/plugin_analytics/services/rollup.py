"""Keep the counts true: fold what arrived into facts, then count the touched days again.

Every step is one transaction, and doing it twice changes nothing; a run that dies halfway is
finished by the next.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.clock import from_micros, rfc3339
from plugin_analytics.model.calendar import find_zone, local_date
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.model.retention import countable
from plugin_analytics.model.rollup import COUNTED_BY, Folded, Memory, by_subject, fold, refold
from plugin_analytics.services.pace import Stride, giving_way
from plugin_analytics.services.zones import Zones
from plugin_analytics.store.base import LegacyDay, Progress, Store

FOLD_EVENTS = 250
MOST_FOLD_EVENTS = 8_000  # while nobody waits for the writer: such a step takes half a second
REBUILD_SUBJECTS = 500
EVENTS_PER_COUNT = 50_000
COUNT_DAYS = 200
# While deliveries wait a tenth of the time is for counting: what falls behind is soon made up for,
# in large steps, as soon as nobody waits.
RESTS, LONGEST_REST_SECONDS = 9, 2.0


class _Step(NamedTuple):
    """How many events were folded, and what days they have touched."""

    events: int
    days: set[LegacyDay]


_NONE = _Step(0, set())


class Refreshed(NamedTuple):
    """What changed for one tenant."""

    tenant: str
    legacies: list[str]
    watermark: int | None
    events: int
    days: int

    def message(self) -> dict[str, object]:
        """Return the payload of `analytics.rollup.refreshed`."""
        moment = None if self.watermark is None else rfc3339(from_micros(self.watermark))
        return {"tenantId": self.tenant, "legacyIds": self.legacies, "watermark": moment}


class Refresh:
    """Bring the counts of every tenant up to its events."""

    def __init__(self, store: Store, zones: Zones) -> None:
        """Count in the days of each tenant's zone."""
        self._store = store
        self._zones = zones
        self._stride = Stride(FOLD_EVENTS, MOST_FOLD_EVENTS)

    def __call__(
        self, cancelled: Callable[[], bool], refreshed: Callable[[Refreshed], None]
    ) -> int:
        """Work until nothing is dirty or somebody asks to stop; return the days counted.

        Each tenant's change is told as soon as it can be read.
        """
        return sum(self.settle(tenant, cancelled, refreshed) for tenant in self._tenants())

    def settle(
        self,
        tenant: str,
        cancelled: Callable[[], bool],
        refreshed: Callable[[Refreshed], None] = lambda _: None,
    ) -> int:
        """Work until nothing of one tenant is dirty; return the days counted."""
        self._start_over()
        days = 0
        while not cancelled():
            if self.rebuild_some(tenant):
                continue
            change = self._advance(tenant, cancelled)
            if change is None:
                break
            days += change.days
            refreshed(change)
        return days

    def follow(self, tenant: str, upto: int, cancelled: Callable[[], bool]) -> None:
        """Fold up to the event *upto*, and count what is dirty by then; more may go on coming."""
        self._start_over()
        while not cancelled():
            if self.rebuild_some(tenant):
                continue
            progress = self._store.progress(tenant)
            reached = progress.seq if progress else 0
            if reached >= upto or not self._fold_some(tenant, cancelled).events:
                break
        while not cancelled() and len(self._count_some(tenant)) == COUNT_DAYS:
            pass

    def _tenants(self) -> list[str]:
        """Return who has work, after starting over where the zone or a definition changed."""
        return sorted({*self._start_over(), *self._store.dirty_tenants()})

    def _start_over(self) -> Sequence[str]:
        """Begin anew for every tenant whose counts follow another zone or definition."""
        moved = self._moved()
        for tenant, zone in moved.items():
            with self._store.alone():
                self._store.begin_again(tenant, zone.key, COUNTED_BY).result()
        return list(moved)

    def _moved(self) -> dict[str, ZoneInfo]:
        """Return whose counts do not follow their zone, and the zone that they should follow."""
        own, default = self._zones.all_own(), self._zones.default
        others = self._store.tenants_counted_otherwise(default.key, COUNTED_BY)
        moved = {tenant: default for tenant in others if tenant not in own}
        for tenant, zone in own.items():
            progress = self._store.progress(tenant)
            if progress and (progress.zone, progress.definition) != (zone.key, COUNTED_BY):
                moved[tenant] = zone
        return moved

    def _zone_of(self, tenant: str) -> ZoneInfo:
        """Return the zone in which counting goes on: a change waits until it begins anew."""
        progress = self._store.progress(tenant)
        counted = None if progress is None else find_zone(progress.zone)
        return counted or self._zones.of(tenant)

    def begin_again(self, tenant: str) -> bool:
        """Begin to make all counts of a tenant anew, or go on with it; False if there are none."""
        with self._store.alone():
            progress = self._store.progress(tenant)
            if progress is not None and progress.rebuild is None:
                zone = self._zones.of(tenant)
                self._store.begin_again(tenant, zone.key, COUNTED_BY).result()
        return progress is not None

    def rebuild_some(self, tenant: str) -> bool:
        """Make the next few facts anew; False when none are to be made."""
        with self._store.alone():  # nobody else may begin anew, in another zone, between the two
            progress = self._store.progress(tenant)
            if progress is None or progress.rebuild is None:
                return False
            day_of = partial(local_date, zone=self._zone_of(tenant))

            def again(memories: Sequence[Memory]) -> Folded:
                return refold(memories, day_of)

            return self._store.rebuild(tenant, REBUILD_SUBJECTS, again).result()

    def _advance(self, tenant: str, cancelled: Callable[[], bool]) -> Refreshed | None:
        """Fold a good piece of what is waiting and count its days; None when all is done."""
        events, changed = self._fold_some(tenant, cancelled)
        while done := self._count_some(tenant):
            changed.update(done)
        if not events and not changed:
            return None
        legacies = sorted({legacy for legacy, _ in changed} - {WHOLE_TENANT})
        progress = self._store.progress(tenant)
        watermark = progress.watermark if progress else None
        return Refreshed(tenant, legacies, watermark, events, len(changed))

    def _fold_some(self, tenant: str, cancelled: Callable[[], bool]) -> _Step:
        events, days = 0, set[LegacyDay]()
        while events < EVENTS_PER_COUNT:
            wanted = self._stride.size
            with self._giving_way():
                step = _NONE if cancelled() else self._fold_next(tenant, wanted)
            events += step.events
            days |= step.days
            if step.events < wanted:
                break
        return _Step(events, days)

    def _count_some(self, tenant: str) -> list[LegacyDay]:
        with self._giving_way():
            return self._store.recount(tenant, COUNT_DAYS).result()

    def _giving_way(self) -> AbstractContextManager[None]:
        held_up = self._store.waiting, self._store.wanted
        return giving_way(*held_up, rests=RESTS, longest=LONGEST_REST_SECONDS)

    def _fold_next(self, tenant: str, limit: int) -> _Step:
        """Fold alone: what is forgotten meanwhile must not come back."""
        with self._store.alone():
            step = self._fold(tenant, limit)
        held_up = self._store.waiting() or self._store.wanted()
        # What comes after the last piece is new: its sender may wait for the next.
        self._stride.adapt(free=step.events == limit and not held_up)
        return step

    def _fold(self, tenant: str, limit: int) -> _Step:
        """Fold the next events of *tenant*; return how many, and what days that has touched."""
        with self._store.snapshot():
            progress = self._store.progress(tenant)
            if progress is not None and progress.rebuild is not None:
                return _NONE  # another thread has just begun anew
            after = progress.seq if progress else 0
            pending = self._store.pending(tenant, after, limit)
            if pending is None:
                return _NONE
            groups = by_subject(countable(pending.events, self._store.horizons(tenant)))
            memories = self._store.memories(tenant, list(groups))
            zone = self._zone_of(tenant)
        folded = fold(groups, memories, partial(local_date, zone=zone))
        reached = Progress(pending.seq, pending.watermark, zone.key, COUNTED_BY)
        self._store.save_fold(tenant, folded, reached).result()
        return _Step(pending.number, folded.days())
