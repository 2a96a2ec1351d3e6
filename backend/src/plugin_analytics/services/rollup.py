"""Keep the counts true: fold what arrived into facts, then count the touched days again.

Every step is one transaction, and doing it twice changes nothing; a run that dies halfway is
finished by the next.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.clock import from_micros, rfc3339
from plugin_analytics.model.calendar import local_date
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.model.rollup import DEFINITION, Folded, Memory, by_subject, fold, refold
from plugin_analytics.store.base import LegacyDay, Progress, Store

FOLD_EVENTS = 500
REBUILD_SUBJECTS = 500
FOLDS_PER_COUNT = 40
COUNT_DAYS = 200
RESTS, LONGEST_REST_SECONDS = 4, 2.0


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

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        """Count in the days of *zone*."""
        self._store = store
        self._zone = zone

    def __call__(
        self, cancelled: Callable[[], bool], refreshed: Callable[[Refreshed], None]
    ) -> int:
        """Work until nothing is dirty or somebody asks to stop; return the days counted.

        Each tenant's change is told as soon as it can be read.
        """
        days = 0
        for tenant in self._tenants():
            while not cancelled():
                if self._rebuilding(tenant):
                    continue
                change = self._advance(tenant, cancelled)
                if change is None:
                    break
                days += change.days
                refreshed(change)
        return days

    def _tenants(self) -> list[str]:
        """Return who has work, after starting over where the zone or a definition changed."""
        moved = self._store.tenants_counted_otherwise(self._zone.key, DEFINITION)
        for tenant in moved:
            self._store.begin_again(tenant, self._zone.key, DEFINITION).result()
        return sorted({*moved, *self._store.dirty_tenants()})

    def _rebuilding(self, tenant: str) -> bool:
        """Make the next few facts anew; False when none are to be made."""
        progress = self._store.progress(tenant)
        if progress is None or progress.rebuild is None:
            return False
        return self._store.rebuild(tenant, REBUILD_SUBJECTS, self._refold).result()

    def _refold(self, memories: Sequence[Memory]) -> Folded:
        return refold(memories, self._day_of)

    def _advance(self, tenant: str, cancelled: Callable[[], bool]) -> Refreshed | None:
        """Fold a good piece of what is waiting and count its days; None when all is done."""
        events = self._fold_some(tenant, cancelled)
        counted: set[LegacyDay] = set()
        while done := self._count_some(tenant):
            counted.update(done)
        if not events and not counted:
            return None
        legacies = sorted({legacy for legacy, _ in counted} - {WHOLE_TENANT})
        progress = self._store.progress(tenant)
        watermark = progress.watermark if progress else None
        return Refreshed(tenant, legacies, watermark, events, len(counted))

    def _fold_some(self, tenant: str, cancelled: Callable[[], bool]) -> int:
        events = 0
        for _ in range(FOLDS_PER_COUNT):
            began = time.monotonic()
            folded = 0 if cancelled() else self._fold(tenant)
            self._give_way(time.monotonic() - began)
            events += folded
            if folded < FOLD_EVENTS:
                break
        return events

    def _count_some(self, tenant: str) -> list[LegacyDay]:
        began = time.monotonic()
        done = self._store.recount(tenant, COUNT_DAYS).result()
        self._give_way(time.monotonic() - began)
        return done

    def _give_way(self, worked: float) -> None:
        """Rest after a step while deliveries are waiting: what is sent now cannot wait, counts can."""
        if self._store.waiting():
            time.sleep(min(RESTS * worked, LONGEST_REST_SECONDS))

    def _fold(self, tenant: str) -> int:
        """Fold the next events of *tenant*; return how many."""
        progress = self._store.progress(tenant)
        after = progress.seq if progress else 0
        pending = self._store.pending(tenant, after, FOLD_EVENTS)
        if pending is None:
            return 0
        groups = by_subject(pending.events)
        folded = fold(groups, self._store.memories(tenant, list(groups)), self._day_of)
        reached = Progress(pending.seq, pending.watermark, self._zone.key, DEFINITION)
        self._store.save_fold(tenant, folded, reached).result()
        return len(pending.events)

    def _day_of(self, at: int) -> date:
        return local_date(at, self._zone)
