"""Keep everything in one SQLite file: one writer with group commit, several readers (design §5).

The hot path, `append`, hands rows to the driver. All else goes through SQLAlchemy. Errors of the
driver leave this module only as `StoreUnavailable` or `Timeout`.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, exc, func, or_, select

from mosaiclife_plugin_sdk import Timeout
from plugin_analytics.errors import QuarantineFull, StoreUnavailable
from plugin_analytics.model.calendar import Range, local_date
from plugin_analytics.model.events import Event, Poison
from plugin_analytics.model.families import WHOLE_TENANT
from plugin_analytics.model.reports import (
    TELLINGS,
    DayCount,
    Telling,
    storytellers,
    sums,
)
from plugin_analytics.model.rollup import DatedFact, Folded, Stored
from plugin_analytics.store import schema
from plugin_analytics.store.base import (
    Answer,
    Batch,
    Freshness,
    LegacyDay,
    Outcome,
    Pending,
    Progress,
)
from plugin_analytics.store.engine import guest_engine, reader_engine, writer_engine
from plugin_analytics.store.lock import FileLock
from plugin_analytics.store.migrations import migrate
from plugin_analytics.store.turns import Turns
from plugin_analytics.store.writer import RETRY_SECONDS, Session, Writer

T = TypeVar("T")
READERS = 4
FRAME_CONNECTIONS = 4
QUARANTINE_ROWS = 10_000
_DAYS_OF_GRACE = 2  # no two zones are further apart than this

_INSERT_EVENT = (
    "INSERT INTO event (tenant, seq, key, content, id, type, at, received_at, person, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING"
)
_MARK_DAY = (
    "INSERT INTO dirty_day (tenant, legacy, day, seq) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (tenant, legacy, day) DO UPDATE SET seq = max(seq, excluded.seq)"
)
_QUARANTINE = (
    "INSERT INTO quarantine (tenant, key, received_at, type, reason, field, kept)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING"
)
_REMEMBER = (
    "INSERT INTO memory (tenant, subject, family, acts) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (tenant, subject) DO UPDATE SET acts = excluded.acts"
)
_DROP_FACT = (
    "DELETE FROM fact WHERE (tenant, legacy, day, metric, subject, at, delta)"
    " = (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_FACT = (
    "INSERT INTO fact"
    " (tenant, legacy, day, metric, subject, at, delta, person, until, until_day)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MOVE_ON = (
    "INSERT INTO progress (tenant, seq, watermark, zone, definition) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, watermark = excluded.watermark,"
    " zone = excluded.zone, definition = excluded.definition"
)
_COUNT_DAY = (
    "INSERT INTO rollup_day (tenant, legacy, day, metric, value)"
    " SELECT tenant, legacy, day, metric, SUM(delta) FROM fact"
    " WHERE tenant = ? AND legacy = ? AND day = ? GROUP BY metric"
)
_COUNT_TELLERS = (
    "INSERT INTO teller_day (tenant, legacy, day, person, until_day)"
    " SELECT tenant, legacy, day, person,"
    " CASE WHEN COUNT(until_day) = COUNT(*) THEN MAX(until_day) END FROM fact"
    " WHERE tenant = ? AND legacy = ? AND day = ? AND delta = 1 AND person IS NOT NULL"
    " AND metric IN ('stories', 'responses', 'media') GROUP BY person"
)


class SQLiteStore:
    """The store in a file of its own."""

    def __init__(self, database: Path) -> None:
        """Lock and migrate the file, and start its writer."""
        database.parent.mkdir(parents=True, exist_ok=True)
        self.path = database
        self._lock = FileLock(database)
        self._turns = Turns()
        self._writes = writer_engine(database)
        try:
            with self._writes.begin() as connection:
                # The driver would not open one for DDL: half a migration must not stay.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                migrate(connection)
        except BaseException:
            self._lock.release()
            raise
        self._reads = reader_engine(database, size=READERS)
        self.frame_engine = guest_engine(database, self._turns, size=FRAME_CONNECTIONS)
        self._writer = Writer(self._writes, self._turns)
        self._arrivals: dict[str, int] = {}

    # --- deliveries

    def append(self, batch: Batch, answer: Answer[T]) -> Future[T]:
        """Keep new events and poison, mark the days that they touch, and write the answer."""

        def work(session: Session) -> T:
            return answer(self._append(session.driver, batch), session.sql)

        return self._writer.submit(work, rows=1 + len(batch.events) + len(batch.poison))

    def _append(self, connection: sqlite3.Connection, batch: Batch) -> list[Outcome]:
        if batch.poison:
            _quarantine(connection, batch)
        if not batch.events:
            return []
        first = self._next_arrival(connection, batch.tenant)
        tenant, received = batch.tenant, batch.received_at
        rows = [
            (tenant, seq, e.key, e.content, e.id, e.type, e.at, received, e.person, e.body)
            for seq, e in enumerate(batch.events, first)
        ]
        inserted = connection.executemany(_INSERT_EVENT, rows).rowcount
        self._arrivals[tenant] = first + len(rows)
        outcomes: list[Outcome] = ["accepted"] * len(rows)
        if inserted < len(rows):
            outcomes = _outcomes(connection, tenant, first, batch.events)
        _mark_days(connection, batch, outcomes, first + len(rows) - 1)
        return outcomes

    def _next_arrival(self, connection: sqlite3.Connection, tenant: str) -> int:
        if tenant not in self._arrivals:
            found = connection.execute("SELECT MAX(seq) FROM event WHERE tenant = ?", (tenant,))
            self._arrivals[tenant] = (found.fetchone()[0] or 0) + 1
        return self._arrivals[tenant]

    # --- rollup.refresh

    def dirty_tenants(self) -> Sequence[str]:
        """Return the tenants that have days to count again."""
        return [row.tenant for row in self._all(select(schema.dirty_day.c.tenant).distinct())]

    def progress(self, tenant: str) -> Progress | None:
        """Return how far the counts have come; None before the first refresh."""
        table = schema.progress
        rows = self._all(select(table).where(table.c.tenant == tenant))
        return Progress(*rows[0][1:]) if rows else None

    def tenants_counted_otherwise(self, zone: str, definition: str) -> Sequence[str]:
        """Return the tenants whose counts follow another zone or definition."""
        columns = schema.progress.c
        other = or_(columns.zone != zone, columns.definition != definition)
        return [row.tenant for row in self._all(select(columns.tenant).where(other))]

    def begin_again(self, tenant: str, zone: str, definition: str) -> Future[None]:
        """Drop every count of a tenant, to be made again from its events."""

        def work(session: Session) -> None:
            connection = session.driver
            for table in ("memory", "fact", "rollup_day", "teller_day", "dirty_day"):
                connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))  # noqa: S608  # names from the line above
            connection.execute(_MOVE_ON, (tenant, 0, None, zone, definition))

        return self._writer.submit(work)

    def pending(self, tenant: str, after: int, limit: int) -> Pending | None:
        """Return up to *limit* events that arrived after the event *after*."""
        columns = schema.event.c
        rows = self._all(
            select(
                columns.id,
                columns.type,
                columns.at,
                columns.person,
                columns.body,
                columns.seq,
                columns.received_at,
            )
            .where(columns.tenant == tenant, columns.seq > after)
            .order_by(columns.seq)
            .limit(limit)
        )
        if not rows:
            return None
        return Pending([Stored(*row[:5]) for row in rows], rows[-1].seq, rows[-1].received_at)

    def memories(self, tenant: str, subjects: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return what is remembered of each subject that is known."""
        columns = schema.memory.c
        rows = self._all(
            select(columns.subject, columns.acts).where(
                columns.tenant == tenant, columns.subject.in_(subjects)
            )
        )
        return {row.subject: row.acts for row in rows}

    def save_fold(self, tenant: str, folded: Folded, progress: Progress) -> Future[None]:
        """Apply a fold, mark the days that it changes and move on, all or nothing."""

        def work(session: Session) -> None:
            connection = session.driver
            connection.executemany(_REMEMBER, [(tenant, *memory) for memory in folded.memories])
            connection.executemany(_DROP_FACT, [_fact_key(tenant, f) for f in folded.dropped])
            connection.executemany(_ADD_FACT, [_fact_row(tenant, f) for f in folded.added])
            marks = [(tenant, x, day.toordinal(), progress.seq) for x, day in folded.days()]
            connection.executemany(_MARK_DAY, marks)
            connection.execute(_MOVE_ON, (tenant, *progress))

        return self._writer.submit(work, rows=len(folded.memories) + 1)

    def recount(self, tenant: str, limit: int) -> Future[list[LegacyDay]]:
        """Count up to *limit* dirty days again from the facts; return those that were done.

        A day stays dirty while an event that touches it has not been folded yet.
        """

        def work(session: Session) -> list[LegacyDay]:
            connection = session.driver
            days = connection.execute(
                "SELECT tenant, legacy, day FROM dirty_day WHERE tenant = ? AND seq <="
                " (SELECT seq FROM progress WHERE progress.tenant = dirty_day.tenant) LIMIT ?",
                (tenant, limit),
            ).fetchall()
            for table in ("rollup_day", "teller_day", "dirty_day"):
                drop = f"DELETE FROM {table} WHERE tenant = ? AND legacy = ? AND day = ?"  # noqa: S608  # names from the line above
                connection.executemany(drop, days)
            connection.executemany(_COUNT_DAY, days)
            connection.executemany(_COUNT_TELLERS, days)
            return [(legacy, date.fromordinal(day)) for _, legacy, day in days]

        return self._writer.submit(work, rows=limit)

    # --- reports

    def totals(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> dict[str, int]:
        """Return the net change of each additive metric over *span*."""
        if not self._counted_in(tenant, zone):
            return sums(self._facts_by_day(tenant, legacy, span, zone))
        table = schema.rollup_day
        query = select(table.c.metric, func.sum(table.c.value)).group_by(table.c.metric)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return {metric: int(value) for metric, value in rows}

    def storytellers(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> int:
        """Count the people with a telling in *span* that still stood at its end."""
        if not self._counted_in(tenant, zone):
            return storytellers(self.tellings(tenant, legacy, span, zone), span)
        table = schema.teller_day
        stood = or_(table.c.until_day.is_(None), table.c.until_day >= span.end.toordinal())
        query = select(func.count(table.c.person.distinct())).where(stood)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return int(rows[0][0])

    def daily(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo, metrics: Sequence[str]
    ) -> Sequence[DayCount]:
        """Return the net change of each metric on each day of *span* that has one."""
        if not self._counted_in(tenant, zone):
            counts = self._facts_by_day(tenant, legacy, span, zone)
            return [count for count in counts if count.metric in metrics]
        table = schema.rollup_day
        query = select(table.c.day, table.c.metric, table.c.value).where(
            *_within(table, tenant, legacy, span), table.c.metric.in_(metrics)
        )
        return [DayCount(date.fromordinal(day), *rest) for day, *rest in self._all(query)]

    def tellings(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> Sequence[Telling]:
        """Return who told something on which day of *span*."""
        if not self._counted_in(tenant, zone):
            return self._tellings_from_facts(tenant, legacy, span, zone)
        table = schema.teller_day
        query = select(table.c.day, table.c.person, table.c.until_day)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return [Telling(date.fromordinal(day), person, _date(until)) for day, person, until in rows]

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""
        columns = schema.fact.c
        mine = (columns.tenant == tenant, columns.legacy == legacy)
        first = self._all(select(func.min(columns.day)).where(*mine))[0][0]
        if first is None or self._counted_in(tenant, zone):
            return _date(first)
        near = columns.day <= first + _DAYS_OF_GRACE
        return local_date(self._all(select(func.min(columns.at)).where(*mine, near))[0][0], zone)

    def freshness(self, tenant: str, legacy: str) -> Freshness:
        """Tell how far the counts are behind."""
        columns = schema.dirty_day.c
        query = select(func.count()).where(columns.tenant == tenant, columns.legacy == legacy)
        progress = self.progress(tenant)
        return Freshness(progress.watermark if progress else None, self._all(query)[0][0])

    def _counted_in(self, tenant: str, zone: ZoneInfo) -> bool:
        progress = self.progress(tenant)
        return progress is not None and progress.zone == zone.key

    def _facts_by_day(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo
    ) -> list[DayCount]:
        """Count in a zone that is not the one of the rollups, to the instant."""
        table = schema.fact
        query = select(table.c.at, table.c.metric, func.sum(table.c.delta))
        query = query.where(*_around(table, tenant, legacy, span))
        days: dict[tuple[date, str], int] = {}
        for at, metric, delta in self._all(query.group_by(table.c.at, table.c.metric)):
            key = local_date(at, zone), metric
            days[key] = days.get(key, 0) + delta
        return [
            DayCount(day, metric, value)
            for (day, metric), value in days.items()
            if span.start <= day < span.end
        ]

    def _tellings_from_facts(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo
    ) -> list[Telling]:
        table = schema.fact
        query = select(table.c.at, table.c.person, table.c.until).where(
            *_around(table, tenant, legacy, span),
            table.c.metric.in_(TELLINGS),
            table.c.delta == 1,
            table.c.person.is_not(None),
        )
        tellings = (
            Telling(
                local_date(at, zone), person, None if until is None else local_date(until, zone)
            )
            for at, person, until in self._all(query)
        )
        return [telling for telling in tellings if span.start <= telling.day < span.end]

    # --- household

    def setting(self, name: str) -> bytes | None:
        """Return a value that belongs to the whole instance."""
        table = schema.setting
        rows = self._all(select(table.c.value).where(table.c.name == name))
        return bytes(rows[0][0]) if rows else None

    def settle(self, name: str, value: bytes) -> bytes:
        """Keep *value* under *name* unless there is one; return the one that stands."""
        insert = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._writer.submit(lambda session: session.driver.execute(insert, (name, value))).result()
        return self.setting(name) or value

    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return self._writer.waiting()

    def failing_seconds(self) -> float:
        """Return for how long writing has failed; 0 while it works."""
        return self._writer.failing_seconds()

    def probe(self) -> Future[None]:
        """Write something that changes nothing, to learn whether writing works again."""
        now = str(time.time_ns()).encode()
        upsert = (
            "INSERT INTO setting (name, value) VALUES ('probe', ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value"
        )

        def work(session: Session) -> None:
            session.driver.execute(upsert, (now,))

        return self._writer.submit(work)

    def close(self) -> None:
        """Write what is waiting, and let go of the database; a second time changes nothing."""
        self._writer.close()
        for engine in (self._reads, self.frame_engine, self._writes):
            engine.dispose()
        self._lock.release()

    def _all(self, query: Any) -> Sequence[Any]:
        with _translated(), self._reads.connect() as connection:
            return connection.execute(query).all()


@contextmanager
def _translated() -> Iterator[None]:
    """Let no error of the driver out of this module."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error
    except exc.DBAPIError as error:
        if "interrupted" in str(error.orig):
            raise Timeout from error
        raise StoreUnavailable(retry_after=RETRY_SECONDS) from error


def _quarantine(connection: sqlite3.Connection, batch: Batch) -> None:
    count = "SELECT COUNT(*) FROM quarantine WHERE tenant = ?"
    held = connection.execute(count, (batch.tenant,)).fetchone()[0]
    if held + len(batch.poison) > QUARANTINE_ROWS:
        raise QuarantineFull(retry_after=300)
    rows = [_poison_row(batch, poison) for poison in batch.poison]
    connection.executemany(_QUARANTINE, rows)


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


def _mark_days(
    connection: sqlite3.Connection, batch: Batch, outcomes: Sequence[Outcome], seq: int
) -> None:
    days = {
        (legacy, day)
        for event, day, outcome in zip(batch.events, batch.days, outcomes, strict=True)
        if outcome == "accepted"
        for legacy in (WHOLE_TENANT, *event.legacies)
    }
    marks = [(batch.tenant, legacy, day.toordinal(), seq) for legacy, day in days]
    connection.executemany(_MARK_DAY, marks)


def _fact_key(tenant: str, dated: DatedFact) -> tuple[Any, ...]:
    fact = dated.fact
    day = dated.day.toordinal()
    return (tenant, fact.legacy, day, fact.metric, dated.subject, fact.at, fact.delta)


def _fact_row(tenant: str, dated: DatedFact) -> tuple[Any, ...]:
    until = None if dated.until_day is None else dated.until_day.toordinal()
    return (*_fact_key(tenant, dated), dated.fact.person, dated.fact.until, until)


def _within(table: Table, tenant: str, legacy: str, span: Range) -> tuple[ColumnElement[bool], ...]:
    """Select the days of a span, along the table's key."""
    return (
        table.c.tenant == tenant,
        table.c.legacy == legacy,
        table.c.day >= span.start.toordinal(),
        table.c.day < span.end.toordinal(),
    )


def _around(table: Table, tenant: str, legacy: str, span: Range) -> tuple[ColumnElement[bool], ...]:
    """Select a span that holds every instant of *span* in whatever zone."""
    return (
        table.c.tenant == tenant,
        table.c.legacy == legacy,
        table.c.day >= span.start.toordinal() - _DAYS_OF_GRACE,
        table.c.day < span.end.toordinal() + _DAYS_OF_GRACE,
    )


def _date(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
