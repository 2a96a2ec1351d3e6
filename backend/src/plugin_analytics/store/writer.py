"""Write from one thread, many callers to one commit (design §5).

Each caller hands in a unit of work and gets a future. The writer takes all units that came in
while the last commit was on its way to the disk, runs them in one transaction, commits, and only
then answers. A unit that fails alone is undone alone; a disk that fails fails all of them.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine, exc

from plugin_analytics.errors import IngestBusy, StoreUnavailable, spread
from plugin_analytics.store.base import Promise
from plugin_analytics.store.engine import RETRY_SECONDS
from plugin_analytics.store.turns import Turns

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")
GROUP_ROWS = 4_000
WAITING_ROWS = 40_000
ROOM_BYTES = 8 * 1024 * 1024  # what the deliveries of one group may bring


class Session(NamedTuple):
    """One open transaction, seen by the driver and by SQLAlchemy."""

    driver: sqlite3.Connection
    sql: Connection


class _Bracket(NamedTuple):
    """The statements around some work within a transaction."""

    begin: Sequence[str]
    undo: Sequence[str]
    end: Sequence[str]


_AMONG_OTHERS = _Bracket(("SAVEPOINT unit",), ("ROLLBACK TO unit",), ("RELEASE unit",))
# All of the transaction can begin anew. Each statement fewer is a wait for the interpreter fewer.
_ALONE = _Bracket((), ("ROLLBACK", "BEGIN IMMEDIATE"), ())

# What several callers want of the same kind: all arguments in, all results out, or none.
Joint = Callable[[Session, Sequence[Any]], Sequence[Any]]


@dataclass(slots=True)
class _Unit:
    work: Joint
    argument: Any
    rows: int
    promise: Promise[Any]
    result: Any = None
    done: bool = False
    error: Exception | None = None

    def answer(self) -> None:
        if self.error is None:
            self.promise.set_result(self.result)
        else:
            self.promise.set_exception(self.error)


def begun() -> Future[Any]:
    """Return a future that is running from the start.

    A caller who goes away must not undo what others share.
    """
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


class Writer:
    """Own the one connection that writes."""

    def __init__(
        self,
        engine: Engine,
        turns: Turns,
        undone: Callable[[], None] = lambda: None,
        change: Callable[[], AbstractContextManager[None]] = nullcontext,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the thread over a connection of *engine*, taking *turns* with the frame.

        *undone* is called whenever something that a unit wrote has been taken back; each commit
        that has written anything is made within a *change*, and *written* is called after each.
        """
        self._turns = turns
        self._folder = Path(engine.url.database or "").parent
        self._undone = undone
        self._change = change
        self._written = written
        self._queue: SimpleQueue[_Unit | None] = SimpleQueue()
        self._lock = Lock()
        self._waiting = 0
        self._closed = False
        self._failing_since: float | None = None
        self.committed: Callable[[float], None] = lambda _: None
        self._thread = Thread(
            target=self._live, args=(_open(engine),), name="store-writer", daemon=True
        )
        self._thread.start()

    def submit(self, work: Callable[[Session], T], *, rows: int = 1) -> Future[T]:
        """Queue *work*; its future is done once the work is durable. *rows* is its weight."""
        return self.submit_joint(lambda session, _: [work(session)], None, rows=rows)

    def submit_joint(self, work: Joint, argument: Any, *, rows: int = 1) -> Future[Any]:
        """Queue *work* as `hand_in` does; its future is done once the work is durable."""
        future = begun()
        self.hand_in(work, argument, future, rows=rows)
        return future

    def hand_in(self, work: Joint, argument: Any, promise: Promise[Any], *, rows: int) -> None:
        """Queue *work* with its *argument*; it is done together with that of its neighbours.

        Should it fail with several arguments, it is undone and done again with each alone. The
        *promise* is settled once all is durable, or will not be.
        """
        with self._lock:
            if self._closed:
                raise StoreUnavailable(retry_after=RETRY_SECONDS)
            if self._waiting and self._waiting + rows > WAITING_ROWS:
                raise IngestBusy(retry_after=spread(RETRY_SECONDS))
            self._waiting += rows
            self._queue.put(_Unit(work, argument, rows, promise))

    def waiting(self) -> int:
        """Return how many rows are queued or being written."""
        return self._waiting

    def failing_seconds(self) -> float:
        """Return for how long a full group could not be written; 0 while it could."""
        since = self._failing_since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Write what is queued, then end."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _live(self, session: Session) -> None:
        while group := self._next_group():
            with self._turns:
                self._write(session, group)
            with self._lock:
                self._waiting -= sum(unit.rows for unit in group)
            for unit in group:
                unit.answer()
        session.sql.close()

    def _next_group(self) -> list[_Unit]:
        """Wait for a unit, and take all that came with it; nothing means the end."""
        unit = self._queue.get()
        group: list[_Unit] = []
        rows = 0
        while unit is not None:
            group.append(unit)
            rows += unit.rows
            if rows >= GROUP_ROWS or self._queue.empty():
                return group
            unit = self._queue.get()
        if group:
            self._queue.put(None)  # the end was reached early: see it again next time
        return group

    def _write(self, session: Session, group: list[_Unit]) -> None:
        began = time.monotonic()
        try:
            session.driver.execute("BEGIN IMMEDIATE")
            before = session.driver.total_changes
            runs = [list(units) for _, units in groupby(group, key=lambda unit: unit.work)]
            for units in runs:
                self._run(session, units, _ALONE if len(runs) == 1 else _AMONG_OTHERS)
            changed = session.driver.total_changes > before
            with self._change() if changed else nullcontext():
                session.driver.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(session, group, error)
        else:
            self.committed(time.monotonic() - began)
            self._written()
            self._recover()

    def _recover(self) -> None:
        """Note that writing works again, once there is room for more than the crumbs.

        What a failed commit has left of the log takes a few small writes on a disk that is full.
        """
        if self._failing_since is None or self._room() < ROOM_BYTES:
            return
        log.info("the store is written again", failed_seconds=round(self.failing_seconds(), 1))
        self._failing_since = None

    def _room(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    def _run(self, session: Session, units: Sequence[_Unit], bracket: _Bracket) -> None:
        """Do the work of *units*, which is the same; what fails together is done one by one."""
        _say(session, bracket.begin)
        try:
            results = units[0].work(session, [unit.argument for unit in units])
        except sqlite3.OperationalError:
            raise  # the disk, not the unit: nothing of this transaction can be trusted
        except exc.OperationalError as error:
            raise sqlite3.OperationalError(str(error.orig)) from error
        except Exception as error:  # noqa: BLE001  # it goes to the unit's own caller; others live on
            _say(session, bracket.undo)
            self._undone()
            units[0].error = error if len(units) == 1 else None
        else:
            for unit, result in zip(units, results, strict=True):
                unit.result, unit.done = result, True
        _say(session, bracket.end)
        if len(units) > 1:
            for unit in units:
                if not unit.done:
                    self._run(session, [unit], _AMONG_OTHERS)

    def _fail(self, session: Session, group: list[_Unit], error: sqlite3.Error) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            log.error("the store cannot be written", reason=str(error))
        # A disk that fails may refuse this too; the next transaction begins with another try.
        with suppress(sqlite3.Error):
            session.driver.rollback()
        self._undone()
        for unit in group:
            unit.error = StoreUnavailable(retry_after=RETRY_SECONDS)
            unit.error.__cause__ = error


def _say(session: Session, statements: Sequence[str]) -> None:
    for statement in statements:
        session.driver.execute(statement)


def _open(engine: Engine) -> Session:
    """Open a connection whose transactions are in our hands, not in SQLAlchemy's."""
    sql = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    driver = sql.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine's dialect is ours
    return Session(driver, sql)
