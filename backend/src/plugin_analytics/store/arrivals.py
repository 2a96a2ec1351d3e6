"""Write what a delivery brings: the hot path, straight to the driver.

Keys ascend where they can, and every event costs one insert and one look at the dedupe index.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from plugin_analytics.errors import QuarantineFull, spread
from plugin_analytics.model.events import Event, Poison
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.store.base import Batch, Outcome

QUARANTINE_ROWS = 10_000
RETRY_SECONDS = 300

_INSERT_EVENT = (
    "INSERT INTO event"
    " (tenant, seq, key, content, id, type, at, received_at, person, body, class, backfill)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING"
)
MARK_DAY = (
    "INSERT INTO dirty_day (tenant, legacy, day, seq) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (tenant, legacy, day) DO UPDATE SET seq = max(seq, excluded.seq)"
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


class Arrivals:
    """Number the events of each tenant as they arrive."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def write(self, connection: sqlite3.Connection, batch: Batch) -> list[Outcome]:
        """Write a batch in the open transaction, and tell what became of each event."""
        if batch.poison:
            _quarantine(connection, batch)
        if batch.released:
            connection.executemany(_RELEASE, [(batch.tenant, key) for key in batch.released])
        if not batch.events:
            return []
        first = self._first(connection, batch.tenant)
        self._next[batch.tenant] = first + len(batch.events)
        inserted = connection.executemany(_INSERT_EVENT, _rows(batch, first)).rowcount
        outcomes: list[Outcome] = ["accepted"] * len(batch.events)
        if inserted < len(batch.events):
            outcomes = _outcomes(connection, batch.tenant, first, batch.events)
        _mark_days(connection, batch, outcomes, first)
        _say(connection, batch, outcomes)
        return outcomes

    def _first(self, connection: sqlite3.Connection, tenant: str) -> int:
        if tenant not in self._next:
            found = connection.execute("SELECT MAX(seq) FROM event WHERE tenant = ?", (tenant,))
            self._next[tenant] = (found.fetchone()[0] or 0) + 1
        return self._next[tenant]


def _rows(batch: Batch, first: int) -> list[tuple[Any, ...]]:
    tenant, received = batch.tenant, batch.received_at
    return [
        (
            *(tenant, seq, e.key, e.content, e.id, e.type, e.at, received, e.person, e.body),
            *(int(e.sensitivity), e.backfill),
        )
        for seq, e in enumerate(batch.events, first)
    ]


def _quarantine(connection: sqlite3.Connection, batch: Batch) -> None:
    """Set poison aside where there is room.

    What no legacy allows leaves nothing to look at: where it has no room it is only counted, or a
    core that goes on telling of a closed legacy would stop the deliveries of all others.
    """
    wanted = [poison for poison in batch.poison if poison.reason != "NO_GRANT"]
    connection.executemany(_QUARANTINE, [_poison_row(batch, poison) for poison in wanted])
    count = "SELECT COUNT(*) FROM quarantine WHERE tenant = ?"
    room = QUARANTINE_ROWS - connection.execute(count, (batch.tenant,)).fetchone()[0]
    if wanted and room < 0:
        raise QuarantineFull(retry_after=spread(RETRY_SECONDS))
    refused = [poison for poison in batch.poison if poison.reason == "NO_GRANT"]
    fitting = refused[: max(room, 0)]
    connection.executemany(_QUARANTINE, [_poison_row(batch, poison) for poison in fitting])


def forget(connection: sqlite3.Connection, before: int) -> int:
    """Forget what was set aside before a moment."""
    return connection.execute(_FORGET, (before,)).rowcount


def _poison_row(batch: Batch, poison: Poison) -> tuple[Any, ...]:
    return (
        batch.tenant,
        poison.key,
        batch.received_at,
        poison.type,
        poison.reason,
        poison.field,
        poison.kept,
    )


def _outcomes(
    connection: sqlite3.Connection, tenant: str, first: int, events: Sequence[Event]
) -> list[Outcome]:
    """Tell the events that were stored by this batch from those that were there before."""
    keys = sorted({event.key for event in events})
    marks = ", ".join("?" * len(keys))
    found = connection.execute(
        f"SELECT key, seq, content FROM event WHERE tenant = ? AND key IN ({marks})",  # noqa: S608  # question marks only
        (tenant, *keys),
    )
    stands = {key: (seq, content) for key, seq, content in found}
    outcomes: list[Outcome] = []
    for seq, event in enumerate(events, first):
        holder, content = stands[event.key]
        same: Outcome = "duplicate" if content == event.content else "conflict"
        outcomes.append("accepted" if holder == seq else same)
    return outcomes


def _say(connection: sqlite3.Connection, batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """Let what new events have said of their legacies stand, unless a later word does."""
    for event, outcome in zip(batch.events, outcomes, strict=True):
        if event.grant is not None and outcome == "accepted":
            at, event_id, types = event.grant
            words = None if types is None else " ".join(sorted(types))
            connection.execute(_SAY, (batch.tenant, *event.legacies, at, event_id, words))


def _mark_days(
    connection: sqlite3.Connection, batch: Batch, outcomes: Sequence[Outcome], first: int
) -> None:
    """Mark the days of new events under the number of the last of them: one that is stored."""
    places = [place for place, outcome in enumerate(outcomes) if outcome == "accepted"]
    days = {
        (legacy, batch.days[place])
        for place in places
        for legacy in (WHOLE_TENANT, *batch.events[place].legacies)
    }
    seq = first + max(places, default=0)
    marks = [(batch.tenant, legacy, day.toordinal(), seq) for legacy, day in days]
    connection.executemany(MARK_DAY, marks)
