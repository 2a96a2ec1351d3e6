"""Count how what came in has ended, and how late it was: what the health of the data is told by."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from plugin_analytics.clock import EPOCH
from plugin_analytics.model.families import TYPES
from plugin_analytics.store.base import Batch, Outcome
from plugin_analytics.store.codes import STRANGER, Codes

_TALLY = (
    "INSERT INTO intake (tenant, day, source, type, outcome, reason, number)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_LATE = (
    "INSERT INTO lateness (tenant, day, bucket, number, worst) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number,"
    " worst = max(worst, excluded.worst)"
)
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_FIRST_DAY = EPOCH.date().toordinal()

Written = tuple[int, Batch, Sequence[Outcome]]  # tenant, what it brought, what became of the events


class Tallies:
    """Add up endings by source, type and reason, and lateness by powers of two."""

    def __init__(self, codes: Codes) -> None:
        """Write words by their *codes*."""
        self._codes = codes
        self.arrived: Callable[[int, int], None] = lambda *_: None

    def add(self, connection: sqlite3.Connection, written: Iterable[Written]) -> None:
        """Add what a few batches have brought."""
        endings: Counter[tuple[int, int, str, str, str, str]] = Counter()
        late: dict[tuple[int, int, int], list[int]] = {}
        for tenant, batch, outcomes in written:
            day = _FIRST_DAY + batch.received_at // _DAY
            endings.update((tenant, day, *ending) for ending in _endings(batch, outcomes))
            for seconds in _lateness(batch, outcomes):
                late.setdefault((tenant, day, seconds.bit_length()), []).append(seconds)
        connection.executemany(
            _TALLY,
            [(*self._in_codes(connection, *key), number) for key, number in endings.items()],
        )
        connection.executemany(
            _LATE, [(*key, len(found), max(found)) for key, found in late.items()]
        )
        for found in late.values():
            self.arrived(max(found), len(found))

    def _in_codes(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        day: int,
        source: str,
        name: str,
        *words: str,
    ) -> tuple[Any, ...]:
        codes = self._codes
        known = not name or name in TYPES
        kind = codes.word(connection, name) if known else codes.stranger(connection, STRANGER, name)
        rest = (codes.word(connection, word) for word in words)
        return tenant, day, codes.source(connection, source), kind, *rest


def _endings(batch: Batch, outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str, str, str]]:
    """Yield source, type, outcome and reason of everything that a batch has brought."""
    for event, outcome in zip(batch.events, outcomes, strict=True):
        yield event.source, event.type, outcome, ""
    for poison in batch.poison:
        yield poison.source, poison.type or "", "quarantined", poison.reason
    for ignored in batch.ignored:
        yield ignored.source, ignored.type, "ignored", ignored.code or ""


def _lateness(batch: Batch, outcomes: Sequence[Outcome]) -> Iterator[int]:
    """Yield by how many seconds each accepted event was late; a backfill is so on purpose."""
    for event, outcome in zip(batch.events, outcomes, strict=True):
        if outcome == "accepted" and not event.backfill:
            yield max(0, (batch.received_at - event.at) // 1_000_000)
