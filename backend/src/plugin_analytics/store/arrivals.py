"""Write what a delivery brings: the hot path, straight to the driver.

Keys ascend where they can, and every event costs one insert and one look at the dedupe index.
"""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from plugin_analytics.errors import QuarantineFull, spread
from plugin_analytics.model.events import Event, Poison
from plugin_analytics.model.families import Sensitivity
from plugin_analytics.store.base import Batch, Outcome
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.erasing import bury, utter
from plugin_analytics.store.erasure_log import ErasureLog
from plugin_analytics.store.erasures import MARK
from plugin_analytics.store.many import write_rows
from plugin_analytics.store.tallies import Tallies

QUARANTINE_ROWS = 10_000
RETRY_SECONDS = 300

_encoder = msgspec.json.Encoder()
_INSERT_EVENTS = (
    "INSERT INTO event"
    " (tenant, seq, key, content, id, type, source, at, received_at, person, class, body, seal)"
    " VALUES {rows} ON CONFLICT (tenant, key) DO NOTHING"
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
_RELEASE = "DELETE FROM quarantine WHERE tenant = ? AND key = ?"
_FORGET = "DELETE FROM quarantine WHERE received_at < ?"


class _Numbers(NamedTuple):
    """What stands for the words of some events."""

    types: dict[str, int]
    sources: dict[str, int]


class Arrivals:
    """Number the events of each tenant as they arrive."""

    def __init__(self, codes: Codes, log: ErasureLog) -> None:
        """Write types, sources and legacies by their *codes*; what must go also into the *log*."""
        self._codes = codes
        self._log = log
        self.tallies = Tallies(codes)
        self._next: dict[int, int] = {}

    def write(
        self, connection: sqlite3.Connection, batches: Sequence[Batch]
    ) -> list[list[Outcome]]:
        """Write batches in the open transaction, and tell what became of each event."""
        tenants = [self._prepare(connection, batch) for batch in batches]
        outcomes = self._store(connection, tenants, batches)
        written = list(zip(tenants, batches, outcomes, strict=True))
        for tenant, batch, found in written:
            if batch.poison or any(map(_says_something, batch.events)):
                self._say(connection, tenant, batch, found)
                self._mark(connection, tenant, batch)
                self._utter(connection, tenant, batch, found)
        self.tallies.add(connection, written)
        return outcomes

    def _prepare(self, connection: sqlite3.Connection, batch: Batch) -> int:
        """Set poison aside and take back what is released; return the tenant's number."""
        tenant = self._codes.tenant(connection, batch.tenant)
        if batch.poison:
            _quarantine(connection, tenant, batch)
        if batch.released:
            connection.executemany(_RELEASE, [(tenant, key) for key in batch.released])
        return tenant

    def _store(
        self, connection: sqlite3.Connection, tenants: Sequence[int], batches: Sequence[Batch]
    ) -> list[list[Outcome]]:
        numbers = self._numbers(connection, batches)
        rows = [
            self._rows(connection, tenant, batch, numbers)
            for tenant, batch in zip(tenants, batches, strict=True)
        ]
        every = list(chain.from_iterable(rows))
        if write_rows(connection, _INSERT_EVENTS, every) == len(every):
            return [["accepted"] * len(batch.events) for batch in batches]
        return [_outcomes(connection, mine) for mine in rows]

    def _numbers(self, connection: sqlite3.Connection, batches: Sequence[Batch]) -> _Numbers:
        """Return what stands for each type and for each source of some batches."""
        types = {event.type for batch in batches for event in batch.events}
        sources = {event.source for batch in batches for event in batch.events}
        return _Numbers(
            {name: self._codes.word(connection, name) for name in types},
            {name: self._codes.source(connection, name) for name in sources},
        )

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
        self, connection: sqlite3.Connection, tenant: int, batch: Batch, numbers: _Numbers
    ) -> list[tuple[Any, ...]]:
        first, received = self._first(connection, tenant), batch.received_at
        self._next[tenant] = first + len(batch.events)
        types, sources = numbers
        return [
            (
                *(tenant, seq, event.key, event.content, event.id),
                *(types[event.type], sources[event.source], event.at, received),
                *(event.person, int(event.sensitivity), event.body, event.seal),
            )
            for seq, event in enumerate(map(_kept, batch.events), first)
        ]

    def _mark(self, connection: sqlite3.Connection, tenant: int, batch: Batch) -> None:
        """Keep of refused events that they were, where that decides over what others did."""
        marked = [(one, one.mark) for one in batch.poison if one.mark is not None]
        if not marked:
            return
        first, word = self._first(connection, tenant), self._codes.word
        self._next[tenant] = first + len(marked)
        rows = [
            (
                *(tenant, seq, one.key, b"", mark.id, word(connection, mark.type)),
                *(self._codes.source(connection, one.source), mark.at, batch.received_at),
                *(None, int(Sensitivity.CONTROL), _encoder.encode(mark.mark), mark.seal),
            )
            for seq, (one, mark) in enumerate(marked, first)
        ]
        write_rows(connection, _INSERT_EVENTS, rows)
        for _, mark in marked:
            bury(connection, tenant, MARK, mark.mark.key, 0, batch.received_at)

    def _utter(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        batch: Batch,
        outcomes: Sequence[Outcome],
    ) -> None:
        """Write down what new events want to be forgotten: a promise, once this is on the disk."""
        last = self._next.get(tenant, 1) - 1
        ended = zip(batch.events, outcomes, strict=True)
        asks = [event.ask for event, outcome in ended if event.ask and outcome == "accepted"]
        asks.extend(one.ask for one in batch.poison if one.ask)
        if asks:
            numbered = [(ask, last) for ask in asks]
            utter(connection, self._log, tenant, numbered, batch.received_at)

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


def _says_something(event: Event) -> bool:
    """Tell whether more follows from an event than that it happened; only such acts do that."""
    return event.sensitivity is Sensitivity.CONTROL


def _kept(event: Event) -> Event:
    """Return what is stored of an event: of a wish to be forgotten, not of whom."""
    if event.sensitivity is not Sensitivity.CONTROL:
        return event
    return event._replace(person=None, body=event.body if event.grant is not None else b"{}")


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


def _outcomes(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> list[Outcome]:
    """Tell the events of one batch that were stored from those that were there before."""
    if not rows:
        return []
    tenant = rows[0][0]
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
