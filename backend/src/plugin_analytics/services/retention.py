"""Forget in time: what is too old goes, and what it counted stays as a number (design: Storage).

Every piece is one short transaction, so that deliveries never wait long, and a run that is stopped
leaves nothing half done: the next finds what is left.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from plugin_analytics.clock import Clock, Steadiness
from plugin_analytics.model.calendar import local_date
from plugin_analytics.model.retention import FLEETING, Ages, ages, fleeting_types
from plugin_analytics.model.rollup import COUNTED_BY, Folded, Memory, refold
from plugin_analytics.store.base import Quiet, Store

ROWS = 1_000
SUBJECTS = 150  # each leaves a few facts, and all of a piece are one transaction
WAIT_SECONDS = 0.25
WAITS = 120
_RESULT = {
    "event": "events",
    "intake": "intake",
    "lateness": "intake",
    "fact": "counts",
    "frozen": "counts",
    "told": "counts",
    "rollup": "counts",
}

Cancelled = Callable[[], bool]
Progress = Callable[[int, int | None, str], None]


class Purge:
    """Take away what each rule of `model.retention` says is too old."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Purge *store* by *clock*."""
        self._store = store
        self._clock = clock
        self._steady = Steadiness(clock)
        self._sleep = sleep

    def __call__(self, cancelled: Cancelled, progress: Progress) -> dict[str, int]:
        """Go once through every tenant; return how much has gone, and how many tenants must wait.

        Nothing goes while nobody knows which day it is.
        """
        done = Counter(dict.fromkeys(("subjects", *_RESULT.values(), "waiting"), 0))
        if not self._steady():
            return {**done, "waiting": len(self._store.tenants())}
        old, tenants = ages(self._clock()), self._store.tenants()
        for number, tenant in enumerate(tenants):
            progress(number, len(tenants), "")
            if not cancelled():
                self._forget(tenant, old, cancelled, done)
                self._drop(tenant, old, cancelled, done)
        progress(len(tenants), len(tenants), "")
        return dict(done)

    def _forget(self, tenant: str, old: Ages, cancelled: Cancelled, done: Counter[str]) -> None:
        """Freeze the counts of what is fleeting and long over."""
        for subjects in self._store.fading(tenant, FLEETING, old.fleeting, SUBJECTS):
            frozen = None if cancelled() else self._freeze(tenant, subjects, old, cancelled)
            if frozen is None:
                done["waiting"] += not cancelled()
                return
            done["subjects"] += frozen

    def _freeze(
        self, tenant: str, subjects: Sequence[tuple[bytes, str]], old: Ages, cancelled: Cancelled
    ) -> int | None:
        """Forget *subjects*; wait a while for events of their kind that have yet to be folded."""
        for _ in range(WAITS):
            progress = self._store.progress(tenant)
            if progress is not None and progress.definition == COUNTED_BY:
                quiet = Quiet(FLEETING, fleeting_types(), progress)
                dated = partial(_dated, ZoneInfo(progress.zone))
                with self._store.alone():
                    frozen = self._store.freeze(tenant, subjects, quiet, old.fleeting, dated)
                    done = frozen.result()
                if done is not None:
                    return done
            if cancelled():
                return None
            self._sleep(WAIT_SECONDS)
        return None

    def _drop(self, tenant: str, old: Ages, cancelled: Cancelled, done: Counter[str]) -> None:
        for aged in self._store.aged(tenant, old, fleeting_types(), ROWS):
            if cancelled():
                return
            done[_RESULT[aged.table]] += self._store.drop(tenant, aged).result()


def _dated(zone: ZoneInfo, memories: Sequence[Memory]) -> Folded:
    return refold(memories, partial(local_date, zone=zone))
