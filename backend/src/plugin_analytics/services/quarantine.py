"""Look at what was set aside, and try again what time or a newer release may have mended."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import msgspec

from plugin_analytics.clock import Clock, Steadiness, from_micros, micros
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.events import Event, Reason, reread
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.pages import Pagination, Report
from plugin_analytics.store.base import Batch, Outcome, SetAside, Store

KEPT_FOR = timedelta(days=14)
BATCH = 500


class QuarantineQuery(NamedTuple):
    """Which page of what was set aside, and why it was."""

    reason: Reason | None
    limit: int
    cursor: str | None


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One event that was set aside, without anything that it said."""

    id: str
    type: str | None
    reason: str
    field: str
    received_at: datetime
    retryable: bool


class Quarantine:
    """List what was set aside for one tenant, the newest first."""

    def __init__(self, store: Store, cursors: Cursors) -> None:
        """Read from *store*, and let pages go on by *cursors*."""
        self._store = store
        self._cursors = cursors

    def __call__(self, tenant: str, query: QuarantineQuery) -> Report:
        """Return one page."""
        bound = ("quarantine", tenant, query.reason)
        before = None if query.cursor is None else _place(self._cursors.read(bound, query.cursor))
        rows = self._store.quarantined(tenant, query.reason, before, query.limit + 1)
        page, more = rows[: query.limit], len(rows) > query.limit
        following = self._cursors.make(bound, _mark(page[-1])) if more else None
        pagination = Pagination(query.limit, more, following)
        return Report([_entry(row) for row in page], {"pagination": pagination})


class Retry:
    """Judge again whatever was kept for it; forget what nobody has asked for in two weeks."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        count: Callable[[str, str, int], None],
        committed: Callable[[], None],
        asked: Callable[[], None] = lambda: None,
        book: GrantBook | None = None,
    ) -> None:
        """Tell *count*, *committed* and *asked* as `Ingest` does; *book* is the one that it uses."""
        self._store = store
        self._clock = clock
        self._steady = Steadiness(clock)
        self._count = count
        self._committed = committed
        self._asked = asked
        self._book = book or GrantBook(store)

    def __call__(self, cancelled: Callable[[], bool]) -> dict[str, int]:
        """Go once through the quarantine; return what came of it.

        What a clock that went wrong has set aside is tried before it is forgotten.
        """
        now = self._clock()
        taken, last = 0, ("", b"")
        while not cancelled() and (rows := self._store.retryable(last, BATCH)):
            last = rows[-1].tenant, rows[-1].key
            for tenant, own in groupby(rows, key=lambda row: row.tenant):
                taken += self._release(tenant, list(own), now)
        if taken:
            self._committed()
        before = micros(now - KEPT_FOR)
        forgotten = self._store.forget_quarantined(before).result() if self._steady() else 0
        return {"taken": taken, "forgotten": forgotten}

    def _release(self, tenant: str, rows: Sequence[SetAside], now: datetime) -> int:
        """Store those of one tenant that can be taken now, in place of their rows."""
        # Alone: an erasure that begins now must see all that was judged before it was known.
        with self._store.alone():
            standing, graves = self._book.read(tenant)
            found = (reread(r.key, r.type, r.kept, now, standing, graves) for r in rows)
            events = [event for event in found if event is not None]
            if not events:
                return 0
            batch = Batch(tenant, micros(now), events, released=[event.key for event in events])
            outcomes = self._store.append(batch, lambda outcomes, _: outcomes).result()
        ended = zip(events, outcomes, strict=True)
        if self._book.learn(tenant, [event for event, how in ended if how == "accepted"]):
            self._asked()
        self._tell(events, outcomes)
        return len(events)

    def _tell(self, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        for event, outcome in zip(events, outcomes, strict=True):
            self._count(event.type, outcome, 1)


def _entry(row: SetAside) -> Entry:
    return Entry(
        id=row.key.hex(),
        type=row.type,
        reason=row.reason,
        field=row.field,
        received_at=from_micros(row.received_at),
        retryable=row.retryable,
    )


def _mark(row: SetAside) -> str:
    return f"{row.received_at}:{row.key.hex()}"


def _place(mark: str) -> tuple[int, bytes]:
    moment, _, key = mark.partition(":")
    return int(moment), bytes.fromhex(key)
