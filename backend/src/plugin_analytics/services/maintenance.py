"""Look after the store itself once a week: keep it in shape, and keep a copy of it."""

from collections.abc import Callable

import msgspec

from plugin_analytics.clock import Clock, Steadiness
from plugin_analytics.store.base import Store

Cancelled = Callable[[], bool]
Progress = Callable[[int, int | None, str], None]


class Maintained(msgspec.Struct, rename="camel"):
    """What was done; without a backup the run was cancelled."""

    used_bytes: int
    free_bytes: int
    shrunk: bool
    backup: str | None = None
    backup_bytes: int = 0
    backups_dropped: int = 0


class Optimize:
    """Tidy up, make a copy, and let go of the copies that are too many or too old."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Look after *store*, by *clock*."""
        self._store = store
        self._clock = clock
        self._steady = Steadiness(clock)

    def __call__(self, cancelled: Cancelled, progress: Progress) -> Maintained:
        """Go through all steps; a copy that is cancelled is not there at all."""
        progress(0, None, "tidying up")
        done = Maintained(*self._store.tidy())
        now = self._clock()
        copied = self._store.back_up(
            now, cancelled, lambda pages, total: progress(pages, total, "pages copied")
        )
        if copied is not None:
            done.backup, done.backup_bytes = copied
            # A clock that has leapt makes every copy old; none goes before it is trusted again.
            done.backups_dropped = self._store.prune_backups(now) if self._steady() else 0
        return done
