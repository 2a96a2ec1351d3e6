"""Open SQLite as the plugin wants it: WAL, every commit on the disk, reads that can be stopped."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import QueuePool

from mosaiclife_plugin_sdk import time_left
from plugin_analytics.errors import FolderClosed, StoreUnavailable
from plugin_analytics.store.many import STATEMENTS
from plugin_analytics.store.turns import Turns

BUSY_SECONDS = 5.0
RETRY_SECONDS = 2
# 32 MiB of WAL, before the writer brings home itself what `Checkpoints` has left of it.
CHECKPOINT_PAGES = 8_000
STEPS_BETWEEN_LOOKS = 20_000
STATEMENTS_OF_READERS = 128  # that each keeps prepared; the writer has one for each number of rows
_HELD = "turn"
_MAY_RECOVER = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
_WRITING = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten: see docs/privacy.md
)


def writer_engine(database: Path) -> Engine:
    """Return an engine for the one connection of the writer."""
    cache = "PRAGMA cache_size = -32768"
    return _engine(database, 1, *_WRITING, cache, statements=STATEMENTS)


def guest_engine(database: Path, turns: Turns, *, size: int) -> Engine:
    """Return an engine for the frame's tables: it writes when its turn has come.

    The frame knows no driver: a disk that fails reaches it as the 503 that it is.
    """
    engine = _engine(database, size, *_WRITING, "PRAGMA cache_size = -1024")

    @event.listens_for(engine, "before_cursor_execute")
    def _wait(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        info = connection.info
        if _HELD not in info and not statement.lstrip().upper().startswith("SELECT"):
            turns.take()
            info[_HELD] = True

    @event.listens_for(engine, "handle_error")
    def _translate(context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, exc.OperationalError):
            raise StoreUnavailable(retry_after=RETRY_SECONDS) from context.original_exception

    @event.listens_for(engine, "checkin")
    def _leave(_connection: Any, record: Any) -> None:
        if record.info.pop(_HELD, False):
            turns.leave()

    return engine


def reader_engine(database: Path, *, size: int) -> Engine:
    """Return an engine whose connections cannot write, and stop when the call's time is over."""
    engine = _engine(database, size, "PRAGMA query_only = ON", "PRAGMA cache_size = -4096")

    @event.listens_for(engine, "checkout")
    def _watch(connection: sqlite3.Connection, *_: Any) -> None:
        left = time_left()
        if left is None:
            connection.set_progress_handler(None, 0)
            return
        deadline = time.monotonic() + left
        connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)

    return engine


@contextmanager
def opening() -> Iterator[None]:
    """Tell a disk that may recover, while a store is opened, from a database that is broken."""
    try:
        yield
    except (exc.OperationalError, StoreUnavailable) as error:
        cause = error.orig if isinstance(error, exc.OperationalError) else error.__cause__
        if _primary_code(cause) not in _MAY_RECOVER:
            raise
        raise FolderClosed(f"the database cannot be opened: {cause}") from error


def _primary_code(error: BaseException | None) -> int:
    """Return SQLite's own code without what it says of the kind; 0 when there is none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _engine(
    database: Path, size: int, *pragmas: str, statements: int = STATEMENTS_OF_READERS
) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{database}",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": statements,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return engine
