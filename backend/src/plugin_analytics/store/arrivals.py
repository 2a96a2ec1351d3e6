"""Write what a delivery brings: the hot path, straight to the driver.

Keys ascend where they can, and every event costs one insert and one look at the dedupe index.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from plugin_analytics.clock import from_micros
from plugin_analytics.errors import QuarantineFull, spread
from plugin_analytics.model.events import Poison
from plugin_analytics.model.families import TYPES
from plugin_analytics.store.base import Batch, Ending, Outcome
from plugin_analytics.store.codes import STRANGER, Codes

QUARANTINE_ROWS = 10_000
RETRY_SECONDS = 300

_INSERT_EVENT = (
    "INSERT INTO event"
    " (tenant, seq, key, content, id, type, source, at, received_at, person, class, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING"
)
_SAY = (
    "INSERT INTO legacy_grant (tenant, legacy, at, id, types) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant, legacy) DO UPDATE"
    " SET at = excluded.at, id = excluded.id, types = excluded.types"
    " WHERE (excluded.at, excluded.id) > (legacy_grant.at, legacy_grant.id)"
)
_QUARANTINE = (
    "INSERT INTO quarantine (tenant, key, received_at, type, reason, field, kept)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING"
)
_TALLY = (
    "INSERT INTO intake (tenant, day, source, type, outcome, reason, number)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_LATE = (
    "INSERT INTO lateness (tenant, day, bucket, number, worst) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number,"
    " worst = max(worst, excluded.worst)"
)
_RELEASE = "DELETE FROM quarantine WHERE tenant = ? AND key = ?"
_FORGET = "DELETE FROM quarantine WHERE received_at < ?"


class Arrivals:
    """Number the events of each tenant as they arrive."""

    def __init__(self, codes: Codes) -> None:
        """Write types, sources and legacies by their *codes*."""
        self._codes = codes
        self._next: dict[int, int] = {}

    def write(self, connection: sqlite3.Connection, batch: Batch) -> list[Outcome]:
        """Write a batch in the open transaction, and tell what became of each event."""
        tenant = self._codes.tenant(connection, batch.tenant)
        if batch.poison:
            _quarantine(connection, tenant, batch)
        if batch.released:
            connection.executemany(_RELEASE, [(tenant, key) for key in batch.released])
        outcomes = self._store(connection, tenant, batch) if batch.events else []
        self._tally(connection, tenant, batch, outcomes)
        return outcomes

    def _store(self, connection: sqlite3.Connection, tenant: int, batch: Batch) -> list[Outcome]:
        first = self._first(connection, tenant)
        self._next[tenant] = first + len(batch.events)
        rows = self._rows(connection, tenant, batch, first)
        inserted = connection.executemany(_INSERT_EVENT, rows).rowcount
        outcomes: list[Outcome] = ["accepted"] * len(batch.events)
        if inserted < len(batch.events):
            outcomes = _outcomes(connection, tenant, rows)
        self._say(connection, tenant, batch, outcomes)
        return outcomes

    def _first(self, connection: sqlite3.Connection, tenant: int) -> int:
        if tenant not in self._next:
            # Rows that were purged since must not free their numbers: the counts are beyond them.
            found = connection.execute(
                "SELECT MAX(COALESCE((SELECT MAX(seq) FROM event WHERE tenant = ?1), 0),"
                " COALESCE((SELECT seq FROM progress WHERE tenant = ?1), 0))",
                (tenant,),
            )
            self._next[tenant] = found.fetchone()[0] + 1
        return self._next[tenant]

    def _rows(
        self, connection: sqlite3.Connection, tenant: int, batch: Batch, first: int
    ) -> list[tuple[Any, ...]]:
        word, source, received = self._codes.word, self._codes.source, batch.received_at
        return [
            (
                *(tenant, seq, e.key, e.content, e.id, word(connection, e.type)),
                *(source(connection, e.source), e.at, received, e.person),
                *(int(e.sensitivity), e.body),
            )
            for seq, e in enumerate(batch.events, first)
        ]

    def _say(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        batch: Batch,
        outcomes: Sequence[Outcome],
    ) -> None:
        """Let what new events have said of their legacies stand, unless a later word does."""
        for event, outcome in zip(batch.events, outcomes, strict=True):
            if event.grant is not None and outcome == "accepted":
                at, event_id, types = event.grant
                legacy = self._codes.legacy(connection, tenant, event.legacies[0])
                words = None if types is None else " ".join(sorted(types))
                connection.execute(_SAY, (tenant, legacy, at, event_id, words))

    def _tally(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        batch: Batch,
        outcomes: Sequence[Outcome],
    ) -> None:
        """Add to the numbers by which the health of the data is told."""
        day = from_micros(batch.received_at).date().toordinal()
        endings = Counter(_endings(batch, outcomes))
        rows = [
            (tenant, day, *self._ending_codes(connection, ending), number)
            for ending, number in endings.items()
        ]
        connection.executemany(_TALLY, rows)
        late = _lateness(batch, outcomes)
        connection.executemany(_LATE, [(tenant, day, *bucket) for bucket in late])

    def _ending_codes(
        self, connection: sqlite3.Connection, ending: Ending
    ) -> tuple[int, int, int, int]:
        codes, name = self._codes, ending.type
        known = not name or name in TYPES
        return (
            codes.source(connection, ending.source),
            codes.word(connection, name) if known else codes.stranger(connection, STRANGER, name),
            codes.word(connection, ending.outcome),
            codes.word(connection, ending.reason),
        )


def _endings(batch: Batch, outcomes: Sequence[Outcome]) -> Iterator[Ending]:
    for event, outcome in zip(batch.events, outcomes, strict=True):
        yield Ending(event.source, event.type, outcome)
    for poison in batch.poison:
        yield Ending(poison.source, poison.type or "", "quarantined", poison.reason)
    for ignored in batch.ignored:
        yield Ending(ignored.source, ignored.type, "ignored", ignored.code or "")


def _lateness(batch: Batch, outcomes: Sequence[Outcome]) -> list[tuple[int, int, int]]:
    """Return (bucket, number, worst seconds) of what was accepted and is not a backfill."""
    buckets: dict[int, list[int]] = {}
    for event, outcome in zip(batch.events, outcomes, strict=True):
        if outcome == "accepted" and not event.backfill:
            seconds = max(0, (batch.received_at - event.at) // 1_000_000)
            buckets.setdefault(seconds.bit_length(), []).append(seconds)
    return [(bucket, len(found), max(found)) for bucket, found in buckets.items()]


def _quarantine(connection: sqlite3.Connection, tenant: int, batch: Batch) -> None:
    """Set poison aside where there is room.

    What no legacy allows leaves nothing to look at: where it has no room it is only counted, or a
    core that goes on telling of a closed legacy would stop the deliveries of all others.
    """
    wanted = [poison for poison in batch.poison if poison.reason not in UNWANTED]
    received = batch.received_at
    connection.executemany(_QUARANTINE, [_poison_row(tenant, received, one) for one in wanted])
    count = "SELECT COUNT(*) FROM quarantine WHERE tenant = ?"
    room = QUARANTINE_ROWS - connection.execute(count, (tenant,)).fetchone()[0]
    if wanted and room < 0:
        raise QuarantineFull(retry_after=spread(RETRY_SECONDS))
    refused = [poison for poison in batch.poison if poison.reason in UNWANTED]
    fitting = refused[: max(room, 0)]
    connection.executemany(_QUARANTINE, [_poison_row(tenant, received, one) for one in fitting])


UNWANTED = frozenset({"NO_GRANT", "ERASED_SUBJECT"})


def forget(connection: sqlite3.Connection, before: int) -> int:
    """Forget what was set aside before a moment."""
    return connection.execute(_FORGET, (before,)).rowcount


def _poison_row(tenant: int, received: int, one: Poison) -> tuple[Any, ...]:
    return tenant, one.key, received, one.type, one.reason, one.field, one.kept


def _outcomes(
    connection: sqlite3.Connection, tenant: int, rows: Sequence[tuple[Any, ...]]
) -> list[Outcome]:
    """Tell the events that were stored by this batch from those that were there before."""
    keys = sorted({row[2] for row in rows})
    marks = ", ".join("?" * len(keys))
    found = connection.execute(
        f"SELECT key, seq, content FROM event WHERE tenant = ? AND key IN ({marks})",  # noqa: S608  # question marks only
        (tenant, *keys),
    )
    stands = {key: (seq, content) for key, seq, content in found}
    outcomes: list[Outcome] = []
    for row in rows:
        holder, content = stands[row[2]]
        same: Outcome = "duplicate" if content == row[3] else "conflict"
        outcomes.append("accepted" if holder == row[1] else same)
    return outcomes
