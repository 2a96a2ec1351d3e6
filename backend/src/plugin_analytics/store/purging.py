"""Let go of what has grown too old: found by reading, taken away in short transactions.

A subject that is forgotten leaves its facts as plain day counts, so that no total changes. From
then on its family has a horizon: what arrives from before it is not counted (`model.retention`).
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select

from plugin_analytics.model.families import Sensitivity
from plugin_analytics.model.retention import Ages
from plugin_analytics.model.rollup import Memory
from plugin_analytics.store import schema
from plugin_analytics.store.base import Aged, Quiet, Refold, Subject
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.crowds import Crowds
from plugin_analytics.store.folding import Folding

Read = Callable[[Any], Sequence[Any]]

SCANNED = 50_000  # arrivals that one statement looks at
_AT_REST = (
    "SELECT seq FROM progress WHERE tenant = ? AND zone = ? AND definition = ? AND rebuild IS NULL"
)
_UNSEEN = "SELECT 1 FROM event WHERE tenant = ? AND seq > ? AND type IN ({types}) LIMIT 1"
_SET_HORIZON = (
    "INSERT INTO horizon (tenant, family, at) VALUES (?, ?, ?)"
    " ON CONFLICT (tenant, family) DO UPDATE SET at = max(at, excluded.at)"
)
_REMEMBERED = "SELECT last_at, acts FROM memory WHERE tenant = ? AND subject = ? AND last_at < ?"
_FORGET = "DELETE FROM memory WHERE tenant = ? AND subject = ?"
_FREEZE = (
    "INSERT INTO frozen (tenant, legacy, day, metric, dim, value) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET value = value + excluded.value"
)


def freeze(
    connection: sqlite3.Connection,
    codes: Codes,
    tenant: int,
    subjects: Sequence[Subject],
    quiet: Quiet,
    before: int,
    refold: Refold,
) -> int | None:
    """Forget those of *subjects* whose last act still lies before a moment; return how many."""
    if not _at_rest(connection, codes, tenant, quiet):
        return None
    families = [codes.word(connection, family) for family in quiet.families]
    connection.executemany(_SET_HORIZON, [(tenant, family, before) for family in families])
    memories = []
    for subject, family in subjects:
        row = connection.execute(_REMEMBERED, (tenant, subject, before)).fetchone()
        if row is not None:
            memories.append(Memory(subject, family, *row))
    sums: Counter[tuple[int, int, int, int]] = Counter()
    for fact in Folding(codes).remove(connection, tenant, refold(memories).added):
        sums[fact[:4]] += fact[4]
    connection.executemany(_FREEZE, [(tenant, *where, value) for where, value in sums.items()])
    connection.executemany(_FORGET, [(tenant, memory.subject) for memory in memories])
    return len(memories)


def drop(connection: sqlite3.Connection, codes: Codes, tenant: int, aged: Aged) -> int:
    """Take rows away by their keys; return how many were still there."""
    columns = schema.metadata.tables[aged.table].primary_key.columns
    names, marks = ", ".join(column.name for column in columns), ", ".join("?" * len(columns))
    statement = f"DELETE FROM {aged.table} WHERE ({names}) = ({marks})"  # noqa: S608  # names of the schema
    gone = connection.executemany(statement, [(tenant, *key) for key in aged.keys]).rowcount
    if aged.table == schema.told.name:
        Crowds(codes).forget_silent(connection, tenant, {key[0] for key in aged.keys})
    return gone


def _at_rest(connection: sqlite3.Connection, codes: Codes, tenant: int, quiet: Quiet) -> bool:
    """Tell whether every event of the types has been folded, and nothing is being made anew.

    A fold that is on its way has read memories that must not be gone when it is saved.
    """
    known = quiet.progress
    found = connection.execute(_AT_REST, (tenant, known.zone, known.definition)).fetchone()
    if found is None:
        return False
    types = [codes.word(connection, name) for name in quiet.types]
    unseen = _UNSEEN.format(types=", ".join("?" * len(types)))
    return connection.execute(unseen, (tenant, found[0], *types)).fetchone() is None


# --- what is found by reading


def fading(
    read: Read, tenant: int, families: Mapping[int, str], before: int, limit: int
) -> Iterator[Sequence[Subject]]:
    """Yield subjects of *families* whose last act lies before a moment, *limit* at a time."""
    columns = schema.memory.c
    old = (columns.tenant == tenant, columns.family.in_(list(families)), columns.last_at < before)
    query = select(columns.subject, columns.family).where(*old).order_by(columns.subject)
    last = b""
    while rows := read(query.where(columns.subject > last).limit(limit)):
        last = rows[-1].subject
        yield [(subject, families[family]) for subject, family in rows]


def aged(
    read: Read, tenant: int, ages: Ages, fleeting: Sequence[int], limit: int
) -> Iterator[Aged]:
    """Yield what is too old, *limit* rows at a time; each must be gone before the next is asked."""
    yield from _aged_events(read, tenant, ages, fleeting, limit)
    for table, old in _old(ages):
        key = list(table.primary_key.columns)[1:]
        query = select(*key).where(table.c.tenant == tenant, old).limit(limit)
        while rows := read(query):
            yield Aged(table.name, [tuple(row) for row in rows])


def _aged_events(
    read: Read, tenant: int, ages: Ages, fleeting: Sequence[int], limit: int
) -> Iterator[Aged]:
    """Go once through what has been counted, a window of arrivals at a time."""
    table, columns = schema.event, schema.event.c
    reached = schema.progress.c
    seen = read(select(reached.seq).where(reached.tenant == tenant))
    last = seen[0][0] if seen else 0
    first = read(select(func.min(columns.seq)).where(columns.tenant == tenant))[0][0]
    old = _old_event(ages, fleeting)
    for start in range(last + 1 if first is None else first, last + 1, SCANNED):
        window = columns.seq.between(start, min(start + SCANNED - 1, last))
        query = select(columns.seq).where(columns.tenant == tenant, window, old)
        keys = [tuple(row) for row in read(query)]
        for place in range(0, len(keys), limit):
            yield Aged(table.name, keys[place : place + limit])


def _old_event(ages: Ages, fleeting: Sequence[int]) -> ColumnElement[bool]:
    columns = schema.event.c
    passing = columns.type.in_(fleeting)
    watched = and_(columns["class"] == int(Sensitivity.OBSERVED), ~passing)
    return or_(
        and_(passing, columns.at < ages.fleeting),
        and_(watched, columns.at < ages.observed),
        columns.at < ages.raw,
    )


def _old(ages: Ages) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Yield each table that ages by days, and which of its rows are too old."""
    arrival, counts = ages.arrival.toordinal(), ages.counts.toordinal()
    for table in (schema.intake, schema.lateness):
        yield table, table.c.day < arrival
    for table in (schema.fact, schema.frozen):
        yield table, table.c.day < counts
    yield schema.told, schema.told.c.day < counts
    yield schema.rollup, schema.rollup.c.start < counts
