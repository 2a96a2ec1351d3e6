"""Keep everything in one SQLite file: one writer with group commit, several readers (design §5)."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import and_, exists, func, or_, select, tuple_

from plugin_analytics.clock import utc_now
from plugin_analytics.errors import FolderClosed
from plugin_analytics.model.erasure import MARKS
from plugin_analytics.model.families import BY_NAME, BY_TYPE
from plugin_analytics.model.grants import Grant
from plugin_analytics.model.reports import COUNTED, STORYTELLERS
from plugin_analytics.model.retention import Ages
from plugin_analytics.model.rollup import FOLDED, KEY_BYTES, Folded, Stored
from plugin_analytics.store import (
    backups,
    migrations,
    purging,
    rebuilding,
    schema,
    tidying,
    verifying,
)
from plugin_analytics.store.arrivals import Arrivals, forget
from plugin_analytics.store.base import (
    RETRYABLE,
    Aged,
    Answer,
    Backup,
    Batch,
    Keep,
    LegacyDay,
    Pending,
    Progress,
    Promise,
    Quiet,
    Refold,
    SetAside,
    Subject,
    Tidied,
    Verification,
)
from plugin_analytics.store.checkpoints import Checkpoints
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.counts import Counts
from plugin_analytics.store.engine import guest_engine, reader_engine, writer_engine
from plugin_analytics.store.erasing import Erasing
from plugin_analytics.store.erasure_log import NAME, ErasureLog
from plugin_analytics.store.folding import Folding
from plugin_analytics.store.lock import FileLock
from plugin_analytics.store.migrations import migrate
from plugin_analytics.store.moments import Moments
from plugin_analytics.store.reading import listed
from plugin_analytics.store.scrubbing import Scrub
from plugin_analytics.store.turns import Turns
from plugin_analytics.store.verifying import Verifying
from plugin_analytics.store.writer import Session, Writer, begun

T = TypeVar("T")
READERS = 4
FRAME_CONNECTIONS = 4
_SETTLE = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
_STANDS = "SELECT value FROM setting WHERE name = ?"
_WINDOW = (
    "SELECT COUNT(*), MAX(seq) FROM"
    " (SELECT seq FROM event WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?)"
)
_RECEIVED_AT = "SELECT received_at FROM event WHERE tenant = ? AND seq = ?"
_PENDING = (
    "SELECT id, type, at, person, body, seal FROM event"
    " WHERE tenant = ? AND seq > ? AND seq <= ? AND type IN ({types}) ORDER BY seq"
)
# One value for all subjects: to bind each costs as much as to find it.
_MEMORIES = (
    "WITH RECURSIVE place(i) AS (SELECT 1 UNION ALL"
    " SELECT i + ?3 FROM place WHERE i + ?3 < length(?2))"
    " SELECT subject, acts FROM place CROSS JOIN memory"
    " ON tenant = ?1 AND subject = substr(?2, i, ?3)"
)
_REMOVE = "DELETE FROM setting WHERE name = ?"
_PROBE = (
    "INSERT INTO setting (name, value) VALUES ('probe', ?)"
    " ON CONFLICT DO UPDATE SET value = excluded.value"
)
_SET_ASIDE = select(schema.tenant.c.name, *list(schema.quarantine.c)[1:]).join_from(
    schema.quarantine, schema.tenant, schema.tenant.c.code == schema.quarantine.c.tenant
)


class SQLiteStore(Counts, Erasing, Verifying):
    """The store in a file of its own."""

    def __init__(self, database: Path) -> None:
        """Lock and migrate the file, and start its writer."""
        database.parent.mkdir(parents=True, exist_ok=True)
        self.path = database
        self._lock = FileLock(database)
        self._turns = Turns()
        self._writes = writer_engine(database)
        super().__init__(reader_engine(database, size=READERS), Codes(), Moments())
        try:
            self._prepare()
        except BaseException:
            self._lock.release()
            raise
        self.frame_engine = guest_engine(database, self._turns, size=FRAME_CONNECTIONS)
        self._checkpoints = Checkpoints(database)
        self._writer = Writer(
            self._writes,
            self._turns,
            undone=self._codes.forget,
            change=self._moments.change,
            written=self._checkpoints.written,
        )
        self._scrub = Scrub(database, self._turns)
        self._log = ErasureLog(database.with_name(NAME))
        self._hand, self._wanting = threading.RLock(), threading.Lock()
        self._arrivals = Arrivals(self._codes, self._log)
        self._folding = Folding(self._codes)

    def _prepare(self) -> None:
        """Bring the tables up to date, and give a number to every word that this release knows."""
        self._save_before_migration()
        with self._writes.begin() as connection:
            # The driver would not open one for DDL: half a migration must not stay.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine's dialect is ours
            for word in (*COUNTED, STORYTELLERS, *BY_TYPE, *BY_NAME, *sorted(MARKS)):
                self._codes.word(driver, word)

    def _save_before_migration(self) -> None:
        """Keep a copy of a database that is about to be changed by a migration."""
        with closing(sqlite3.connect(self.path)) as driver:
            behind = migrations.behind(driver)
        if behind:
            target = backups.folder_of(self.path) / f"before-{schema.REVISION}.db"
            try:
                backups.make(self.path, target, utc_now())
            except (OSError, sqlite3.OperationalError) as error:
                raise FolderClosed(f"no backup before the migration: {error}") from error

    # --- deliveries

    def append(self, batch: Batch, answer: Answer[T], keep: Keep[T] | None = None) -> Future[T]:
        """Keep new events and poison, count the rest, and write the answer."""
        future = begun()
        self.hand_in(batch, answer, keep, future)
        return future

    def hand_in(
        self, batch: Batch, answer: Answer[T], keep: Keep[T] | None, promise: Promise[T]
    ) -> None:
        """Do the same, and settle a *promise* of the caller's own."""
        rows = 1 + len(batch.events) + len(batch.poison) + len(batch.released)
        self._writer.hand_in(self._append, (batch, answer, keep), promise, rows=rows)

    def _append(self, session: Session, pieces: Sequence[Any]) -> Sequence[Any]:
        outcomes = self._arrivals.write(session.driver, [batch for batch, _, _ in pieces])
        answers = [
            answer(found, session.sql)
            for (_, answer, _), found in zip(pieces, outcomes, strict=True)
        ]
        kept = zip((keep for _, _, keep in pieces), answers, strict=True)
        for keep, group in groupby(kept, key=itemgetter(0)):
            if keep is not None:
                keep([mine for _, mine in group], session.sql)
        return answers

    def grants(self, tenant: str) -> Mapping[str, Grant]:
        """Return what each legacy of a tenant has last said."""
        columns, names = schema.legacy_grant.c, schema.legacy.c
        own = and_(names.tenant == columns.tenant, names.code == columns.legacy)
        rows = self._all(
            select(names.name, columns.at, columns.id, columns.types)
            .join_from(schema.legacy_grant, schema.legacy, own)
            .where(columns.tenant == self._tenant_code(tenant))
        )
        return {
            legacy: Grant(at, event_id, None if types is None else frozenset(types.split()))
            for legacy, at, event_id, types in rows
        }

    # --- the quarantine

    def quarantined(
        self, tenant: str, reason: str | None, before: tuple[int, bytes] | None, limit: int
    ) -> Sequence[SetAside]:
        """Return what was set aside, the newest first: what came *before* a moment and key."""
        columns = schema.quarantine.c
        query = _SET_ASIDE.where(columns.tenant == self._tenant_code(tenant))
        if reason is not None:
            query = query.where(columns.reason == reason)
        if before is not None:
            query = query.where(tuple_(columns.received_at, columns.key) < before)
        newest_first = query.order_by(columns.received_at.desc(), columns.key.desc())
        return [SetAside(*row) for row in self._all(newest_first.limit(limit))]

    def retryable(self, after: tuple[str, bytes], limit: int) -> Sequence[SetAside]:
        """Return what may be judged again, of all tenants, *after* a tenant and key."""
        columns = schema.quarantine.c
        query = _SET_ASIDE.where(
            columns.reason.in_(RETRYABLE),
            columns.kept.is_not(None),
            tuple_(schema.tenant.c.name, columns.key) > after,
        )
        in_order = query.order_by(schema.tenant.c.name, columns.key).limit(limit)
        return [SetAside(*row) for row in self._all(in_order)]

    def forget_quarantined(self, before: int) -> Future[int]:
        """Forget what was set aside before a moment; return how much."""
        return self._writer.submit(lambda session: forget(session.driver, before))

    # --- rollup.refresh

    def dirty_tenants(self) -> Sequence[str]:
        """Return the tenants that have days to count again."""
        names, reached = schema.tenant.c, schema.progress.c
        newest = (
            select(func.max(schema.event.c.seq))
            .where(schema.event.c.tenant == names.code)
            .scalar_subquery()
        )
        dirty = exists().where(schema.dirty_day.c.tenant == names.code)
        behind = or_(newest > func.coalesce(reached.seq, 0), reached.rebuild.is_not(None), dirty)
        query = select(names.name).join_from(
            schema.tenant, schema.progress, reached.tenant == names.code, isouter=True
        )
        return [row.name for row in self._all(query.where(behind))]

    def tenants_counted_otherwise(self, zone: str, definition: str) -> Sequence[str]:
        """Return the tenants whose counts follow another zone or definition."""
        columns = schema.progress.c
        other = or_(columns.zone != zone, columns.definition != definition)
        query = select(schema.tenant.c.name).join_from(
            schema.progress, schema.tenant, schema.tenant.c.code == columns.tenant
        )
        return [row.name for row in self._all(query.where(other))]

    def begin_again(self, tenant: str, zone: str, definition: str) -> Future[None]:
        """Begin to make every count of a tenant anew; the old ones stand until that is done."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            rebuilding.begin(session.driver, code, zone, definition)

        return self._writer.submit(work)

    def rebuild(self, tenant: str, limit: int, refold: Refold) -> Future[bool]:
        """Make the facts of up to *limit* subjects anew; return whether there are more."""

        def work(session: Session) -> bool:
            code = self._codes.tenant(session.driver, tenant)
            return rebuilding.advance(session.driver, self._codes, code, limit, refold)

        return self._writer.submit(work, rows=limit)

    def rebuilt_share(self, tenant: str) -> float | None:
        """Return how much of the facts has been made anew, from 0 to 1; None when that is over."""
        progress = self.progress(tenant)
        if progress is None or progress.rebuild is None:
            return None
        return rebuilding.share(progress.rebuild)

    def subject_count(self, tenant: str) -> int:
        """Return how many subjects are remembered."""
        columns = schema.memory.c
        query = select(func.count()).where(columns.tenant == self._tenant_code(tenant))
        return int(self._all(query)[0][0])

    def pending(self, tenant: str, after: int, limit: int) -> Pending | None:
        """Look at the next *limit* arrivals after the event *after*; None when there are none."""
        code = self._tenant_code(tenant)
        number, last = self._rows(_WINDOW, (code, after, limit))[0]
        if not number:
            return None
        watermark = self._rows(_RECEIVED_AT, (code, last))[0][0]
        names = {number: name for name, number in self._word_codes(FOLDED).items()}
        statement = _PENDING.format(types=listed(sorted(names)))
        rows = self._rows(statement, (code, after, last))
        events = [Stored(name, names[kind], *rest) for name, kind, *rest in rows]
        return Pending(events, number, last, watermark)

    def memories(self, tenant: str, subjects: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return what is remembered of each subject that is known."""
        keys = b"".join(sorted(subjects))
        return dict(self._rows(_MEMORIES, (self._tenant_code(tenant), keys, KEY_BYTES)))

    def save_fold(self, tenant: str, folded: Folded, progress: Progress) -> Future[None]:
        """Apply a fold, mark the days that it changes and move on, all or nothing."""

        def work(session: Session) -> None:
            self._folding.save(session.driver, tenant, folded, progress)

        return self._writer.submit(work, rows=len(folded.memories) + 1)

    def recount(self, tenant: str, limit: int) -> Future[list[LegacyDay]]:
        """Count up to *limit* dirty days again from the facts; return those that were done."""
        return self._writer.submit(
            lambda session: self._folding.recount(session.driver, tenant, limit), rows=limit
        )

    # --- retention.purge

    def horizons(self, tenant: str) -> Mapping[str, int]:
        """Return of each family the moment before which nothing is counted any more."""
        columns, words = schema.horizon.c, schema.word.c
        query = select(words.name, columns.at).join_from(
            schema.horizon, schema.word, words.code == columns.family
        )
        rows = self._all(query.where(columns.tenant == self._tenant_code(tenant)))
        return {row.name: row.at for row in rows}

    def fading(
        self, tenant: str, families: Sequence[str], before: int, limit: int
    ) -> Iterator[Sequence[Subject]]:
        """Yield the subjects of *families* whose last act lies before a moment, in pieces."""
        names = {code: name for name, code in self._word_codes(families).items()}
        return purging.fading(self._all, self._tenant_code(tenant), names, before, limit)

    def freeze(
        self,
        tenant: str,
        subjects: Sequence[Subject],
        quiet: Quiet,
        before: int,
        refold: Refold,
    ) -> Future[int | None]:
        """Forget subjects, and keep their facts as numbers; return how many."""

        def work(session: Session) -> int | None:
            code = self._codes.tenant(session.driver, tenant)
            return purging.freeze(
                session.driver, self._codes, code, subjects, quiet, before, refold
            )

        return self._writer.submit(work, rows=len(subjects))

    def aged(self, tenant: str, ages: Ages, fleeting: Sequence[str], limit: int) -> Iterator[Aged]:
        """Yield the rows that are too old, in pieces; each is to be dropped before the next."""
        types = list(self._word_codes(fleeting).values())
        return purging.aged(self._all, self._tenant_code(tenant), ages, types, limit)

    def drop(self, tenant: str, aged: Aged) -> Future[int]:
        """Take a piece away for good; return how many rows it was."""

        def work(session: Session) -> int:
            code = self._codes.tenant(session.driver, tenant)
            return purging.drop(session.driver, self._codes, code, aged)

        return self._writer.submit(work, rows=len(aged.keys))

    # --- rollup.verify

    def save_verification(
        self, tenant: str, seen: Verification, drift: Sequence[LegacyDay]
    ) -> Future[None]:
        """Keep what was found, and mark the days that differ to be counted again."""

        def work(session: Session) -> None:
            code = self._codes.tenant(session.driver, tenant)
            verifying.save(session.driver, self._codes, code, seen, drift)

        return self._writer.submit(work, rows=1 + len(drift))

    # --- store.optimize

    def tidy(self) -> Tidied:
        """Refresh the planner's statistics, empty the log, and give room back where that pays."""
        return tidying.tidy(self.path, self._turns)

    def back_up(
        self,
        moment: datetime,
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> Backup | None:
        """Keep a copy of everything as it is now; None when it was cancelled."""
        target = backups.dated(backups.folder_of(self.path), moment)
        try:
            size = backups.make(self.path, target, moment, cancelled=cancelled, progress=progress)
        except backups.Cancellation:
            return None
        return Backup(target.name, size)

    def prune_backups(self, now: datetime) -> int:
        """Let go of the copies that are too many or too old; return how many."""
        return backups.prune(backups.folder_of(self.path), now)

    # --- household

    def setting(self, name: str) -> bytes | None:
        """Return a value that belongs to the whole instance."""
        rows = self._rows(_STANDS, (name,))
        return bytes(rows[0][0]) if rows else None

    def settle(self, name: str, value: bytes) -> bytes:
        """Keep *value* under *name* unless there is one; return the one that stands."""
        self._writer.submit(lambda session: session.driver.execute(_SETTLE, (name, value))).result()
        return self.setting(name) or value

    def settings(self, prefix: str) -> Mapping[str, bytes]:
        """Return every value whose name begins with *prefix*."""
        columns = schema.setting.c
        near = columns.name.between(prefix, prefix + chr(0x10FFFF))
        rows = self._all(select(columns.name, columns.value).where(near))
        return {row.name: bytes(row.value) for row in rows}

    def replace(self, name: str, before: bytes | None, value: bytes | None) -> Future[bool]:
        """Keep *value* under *name*, or nothing; False when what stood there was not *before*."""

        def work(session: Session) -> bool:
            found = session.driver.execute(_STANDS, (name,)).fetchone()
            if (None if found is None else bytes(found[0])) != before:
                return False
            session.driver.execute(_REMOVE, (name,))
            if value is not None:
                session.driver.execute(_SETTLE, (name, value))
            return True

        return self._writer.submit(work)

    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return self._writer.waiting()

    def failing_seconds(self) -> float:
        """Return for how long writing has failed; 0 while it works."""
        return self._writer.failing_seconds()

    def probe(self) -> Future[None]:
        """Write something that changes nothing, to learn whether writing works again."""
        now = str(time.time_ns()).encode()

        def work(session: Session) -> None:
            session.driver.execute(_PROBE, (now,))

        return self._writer.submit(work)

    def watch(
        self, committed: Callable[[float], None], arrived: Callable[[int, int], None]
    ) -> None:
        """Tell how many seconds each commit takes, and how many events came how late.

        Both are called by the writer's thread.
        """
        self._writer.committed = committed
        self._arrivals.tallies.arrived = arrived

    def oldest_uncounted(self) -> int | None:
        """Return when the oldest event arrived that no count has seen; None when there is none."""
        events, reached = schema.event.c, schema.progress.c
        first = (
            select(events.received_at)
            .where(
                events.tenant == schema.tenant.c.code, events.seq > func.coalesce(reached.seq, 0)
            )
            .order_by(events.seq)
            .limit(1)
            .scalar_subquery()
        )
        each = select(first.label("at")).join_from(
            schema.tenant, schema.progress, reached.tenant == schema.tenant.c.code, isouter=True
        )
        oldest = self._all(select(func.min(each.subquery().c.at)))[0][0]
        return None if oldest is None else int(oldest)

    def close(self) -> None:
        """Write what is waiting, and let go of the database; a second time changes nothing."""
        self._writer.close()
        self._checkpoints.close()
        for engine in (self._reads, self.frame_engine, self._writes):
            engine.dispose()
        self._scrub.close()
        self._lock.release()
