"""Keep the frame's memory in the plugin's own database: SQLite or PostgreSQL.

The owner of the engine decides how SQLite waits for its one writer (`busy_timeout`) and
syncs. Transactions here are a few statements long, and begin with a write when they
write at all, so that none waits while it holds a stale snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    delete,
    select,
    tuple_,
    update,
)

from mosaiclife_plugin_sdk.stores.base import ACTIVE, Progress, Recorded, Run, Stores, Trigger
from mosaiclife_plugin_sdk.stores.migrations import migrate

INSTANCE: Final = "-"  # stands where a tenant would
PURGE_BATCH: Final = 1000
ANSWERS_AT_ONCE: Final = 100
_COUNTED: Final = {"preserve_rowcount": True}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment, kept as microseconds since 1970: the same number in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn a moment into a number; a naive time fails here."""
        return None if value is None else _micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn a number into a moment in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()

runs = Table(
    "frame_runs",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("job", String),
    Column("key", String),
    Column("started_by", String),
    Column("state", String),
    Column("done", BigInteger),
    Column("total", BigInteger),
    Column("message", Text),
    Column("result", Text),
    Column("error", Text),
    Column("created_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
)
leases = Table(
    "frame_leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String),
    Column("until", Instant),
)
deliveries = Table(
    "frame_deliveries",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("webhook_id", String, primary_key=True),
    Column("status", Integer),
    Column("data", LargeBinary),
    Column("recorded_at", Instant),
)

_ANSWER_COLUMNS: Final = tuple(column.name for column in deliveries.columns)
_ANSWER: Final = select(deliveries).where(
    deliveries.c.tenant == bindparam("tenant"), deliveries.c.webhook_id == bindparam("webhook_id")
)


def sql_stores(engine: Engine) -> Stores:
    """Return stores over *engine*, with the `frame_*` tables brought up to date."""
    migrate(engine)
    return Stores(SqlRunStore(engine), SqlLeases(engine), SqlDeliveryLog(engine))


class _Sql:
    """Run statements in the caller's transaction, or in a short one of its own."""

    def __init__(self, engine: Engine) -> None:
        """Use *engine* wherever the caller brings no connection."""
        self._engine = engine
        dialect = _dialect(engine.dialect.name)
        self._inserts = {
            table: dialect.insert(table).on_conflict_do_nothing()
            for table in metadata.tables.values()
        }

    def unit(self) -> AbstractContextManager[Connection]:
        """Open a transaction that ends with the block."""
        return self._engine.begin()

    def _joined(self, connection: Connection | None) -> AbstractContextManager[Connection]:
        return self._engine.begin() if connection is None else nullcontext(connection)

    def _first(
        self,
        statement: Any,
        connection: Connection | None,
        values: Mapping[str, Any] | None = None,
    ) -> Row[Any] | None:
        with self._joined(connection) as joined:
            return joined.execute(statement, values).first()

    def _all(self, statement: Any, connection: Connection | None) -> list[Row[Any]]:
        with self._joined(connection) as joined:
            return list(joined.execute(statement))

    def _write(
        self,
        statement: Any,
        connection: Connection | None,
        values: Mapping[str, Any] | None = None,
    ) -> int:
        """Execute *statement* and return how many rows it changed."""
        with self._joined(connection) as joined:
            return joined.execute(statement, values, execution_options=_COUNTED).rowcount

    def _insert_new(
        self, table: Table, values: dict[str, Any], connection: Connection | None
    ) -> bool:
        """Insert a row unless a unique key stands in its way; tell whether it went in."""
        return self._write(self._inserts[table], connection, values) == 1

    def _purge(self, table: Table, condition: Any, connection: Connection | None) -> int:
        """Delete in batches, so that no other writer waits long."""
        keys = list(table.primary_key.columns)
        batch = select(*keys).where(condition).limit(PURGE_BATCH)
        statement = delete(table).where(tuple_(*keys).in_(batch))
        total = 0
        while gone := self._write(statement, connection):
            total += gone
        return total


class SqlRunStore(_Sql):
    """Runs in `frame_runs`."""

    def add(self, run: Run, *, connection: Connection | None = None) -> Run:
        """Keep *run*, or return the run that already has its job, tenant and key."""
        if self._insert_new(runs, _row(run), connection) or run.key is None:
            return run
        return self.by_key(run.job, run.tenant, run.key, connection=connection) or run

    def save(self, run: Run, *, connection: Connection | None = None) -> bool:
        """Replace a run that is still active; return False when it has ended or is gone."""
        statement = update(runs).where(*_is(run), runs.c.state.in_(ACTIVE)).values(**_row(run))
        return self._write(statement, connection) == 1

    def get(self, run_id: str, *, connection: Connection | None = None) -> Run | None:
        """Return one run."""
        return _run(self._first(select(runs).where(runs.c.id == run_id), connection))

    def by_key(
        self, job: str, tenant: str | None, key: str, *, connection: Connection | None = None
    ) -> Run | None:
        """Return the run that was started under *key*."""
        statement = select(runs).where(*_of(job, tenant), runs.c.key == key)
        return _run(self._first(statement, connection))

    def active(
        self,
        job: str | None = None,
        tenant: str | None = None,
        *,
        connection: Connection | None = None,
    ) -> list[Run]:
        """Return the runs that have not ended: all, or those of one job and tenant."""
        statement = select(runs).where(runs.c.state.in_(ACTIVE)).order_by(runs.c.id.desc())
        if job is not None:
            statement = statement.where(*_of(job, tenant))
        return _runs(self._all(statement, connection))

    def page(
        self,
        *,
        tenant: str | None,
        before: str | None = None,
        limit: int = 20,
        job: str | None = None,
        connection: Connection | None = None,
    ) -> list[Run]:
        """Return runs of one tenant (None: of the instance), newest first, older than *before*."""
        statement = select(runs).where(runs.c.tenant == (tenant or INSTANCE))
        if job is not None:
            statement = statement.where(runs.c.job == job)
        if before is not None:
            statement = statement.where(runs.c.id < before)
        return _runs(self._all(statement.order_by(runs.c.id.desc()).limit(limit), connection))

    def last_scheduled(
        self, job: str, tenant: str | None, *, connection: Connection | None = None
    ) -> Run | None:
        """Return the newest run that a schedule started."""
        statement = select(runs).where(*_of(job, tenant), runs.c.started_by == "schedule")
        return _run(self._first(statement.order_by(runs.c.id.desc()).limit(1), connection))

    def purge(
        self,
        before: datetime,
        *,
        trigger: Trigger | None = None,
        connection: Connection | None = None,
    ) -> int:
        """Forget ended runs created earlier than *before* (of one trigger); return how many."""
        condition = runs.c.state.not_in(ACTIVE) & (runs.c.created_at < before)
        if trigger is not None:
            condition &= runs.c.started_by == trigger
        return self._purge(runs, condition, connection)


class SqlLeases(_Sql):
    """Leases in `frame_leases`. Replicas must agree on the time to well within a lease."""

    def acquire(
        self,
        name: str,
        holder: str,
        *,
        now: datetime,
        until: datetime,
        connection: Connection | None = None,
    ) -> bool:
        """Take a name that is free, expired or already one's own."""
        mine = (leases.c.until <= now) | (leases.c.holder == holder)
        take = update(leases).where(leases.c.name == name, mine)
        with self._joined(connection) as joined:
            if self._write(take.values(holder=holder, until=until), joined):
                return True
            row = {"name": name, "holder": holder, "until": until}
            return self._insert_new(leases, row, joined)

    def renew(
        self,
        name: str,
        holder: str,
        *,
        now: datetime,
        until: datetime,
        connection: Connection | None = None,
    ) -> bool:
        """Keep a name; return False when it expired or went to another."""
        mine = (leases.c.name == name, leases.c.holder == holder, leases.c.until > now)
        return self._write(update(leases).where(*mine).values(until=until), connection) == 1

    def release(self, name: str, holder: str, *, connection: Connection | None = None) -> None:
        """Give a name back; one that is not one's own is left alone."""
        mine = (leases.c.name == name, leases.c.holder == holder)
        self._write(delete(leases).where(*mine), connection)

    def holder(
        self, name: str, *, now: datetime, connection: Connection | None = None
    ) -> str | None:
        """Return who owns a name at this moment."""
        live = (leases.c.name == name, leases.c.until > now)
        row = self._first(select(leases.c.holder).where(*live), connection)
        return None if row is None else str(row.holder)


class SqlDeliveryLog(_Sql):
    """Recorded answers in `frame_deliveries`."""

    def get(
        self, tenant: str, webhook_id: str, *, connection: Connection | None = None
    ) -> Recorded | None:
        """Return the recorded answer."""
        key = {"tenant": tenant, "webhook_id": webhook_id}
        row = self._first(_ANSWER, connection, key)
        return None if row is None else Recorded(**row._asdict())

    def put(self, answer: Recorded, *, connection: Connection | None = None) -> Recorded:
        """Record an answer and return the one that stands: the first."""
        (standing,) = self.put_all([answer], connection=connection)
        return standing

    def put_all(
        self, answers: Sequence[Recorded], *, connection: Connection | None = None
    ) -> Sequence[Recorded]:
        """Record several answers, and return for each the one that stands."""
        with self._joined(connection) as joined:
            written = 0
            for start in range(0, len(answers), ANSWERS_AT_ONCE):
                written += self._insert(answers[start : start + ANSWERS_AT_ONCE], joined)
            if written == len(answers):
                return answers
            return [
                self.get(answer.tenant, answer.webhook_id, connection=joined) or answer
                for answer in answers
            ]

    def _insert(self, answers: Sequence[Recorded], joined: Connection) -> int:
        """Insert those that are new, in one statement; return how many."""
        values = [value for answer in answers for value in _answer_row(answer)]
        # Straight to the driver: SQLAlchemy's way to it costs more than the insert.
        with closing(joined.connection.cursor()) as cursor:
            cursor.execute(_insert_answers(joined.dialect.name, len(answers)), values)
            return int(cursor.rowcount)

    def purge(self, before: datetime, *, connection: Connection | None = None) -> int:
        """Forget answers recorded earlier than *before*; return how many."""
        return self._purge(deliveries, deliveries.c.recorded_at < before, connection)


@lru_cache(maxsize=2 * ANSWERS_AT_ONCE)
def _insert_answers(dialect: str, number: int) -> str:
    """Write out the statement for *number* rows, as its driver marks the places of values."""
    kind, style = _dialect(dialect), {"sqlite": "qmark", "postgresql": "format"}[dialect]
    blank: dict[str, Any] = dict.fromkeys(_ANSWER_COLUMNS)
    insert = kind.insert(deliveries).values([blank] * number).on_conflict_do_nothing()
    return str(insert.compile(dialect=kind.dialect(paramstyle=style)))


def _dialect(name: str) -> Any:
    """Return what SQLAlchemy knows of a dialect; one that is not used must not slow the start."""
    return import_module(f"sqlalchemy.dialects.{name}")


def _answer_row(answer: Recorded) -> tuple[Any, ...]:
    """Return the values of an answer in the order of its columns."""
    moment = _micros(answer.recorded_at)
    return answer.tenant, answer.webhook_id, answer.status, answer.data, moment


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _of(job: str, tenant: str | None) -> tuple[Any, Any]:
    return (runs.c.tenant == (tenant or INSTANCE), runs.c.job == job)


def _is(run: Run) -> tuple[Any, Any]:
    return (runs.c.tenant == (run.tenant or INSTANCE), runs.c.id == run.id)


def _row(run: Run) -> dict[str, Any]:
    return {
        "tenant": run.tenant or INSTANCE,
        "id": run.id,
        "job": run.job,
        "key": run.key,
        "started_by": run.trigger,
        "state": run.state,
        "done": run.progress.done,
        "total": run.progress.total,
        "message": run.progress.message,
        "result": None if run.result is None else msgspec.json.encode(run.result).decode(),
        "error": run.error,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _runs(rows: list[Row[Any]]) -> list[Run]:
    return [run for row in rows if (run := _run(row)) is not None]


def _run(row: Row[Any] | None) -> Run | None:
    if row is None:
        return None
    return Run(
        id=row.id,
        job=row.job,
        tenant=None if row.tenant == INSTANCE else row.tenant,
        key=row.key,
        trigger=row.started_by,
        state=row.state,
        progress=Progress(row.done, row.total, row.message),
        result=None if row.result is None else msgspec.json.decode(row.result),
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
