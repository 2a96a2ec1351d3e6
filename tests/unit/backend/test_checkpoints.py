"""Bringing the log home: it happens beside whoever writes, and ends when the store does."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from plugin_analytics.store.checkpoints import Checkpoints
from tests.support.processes import eventually


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "plugin.db"


@pytest.fixture
def writer(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection that leaves its log to others."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA wal_autocheckpoint = 0")
        opened.execute("CREATE TABLE note (text)")
        yield opened


def write(writer: sqlite3.Connection, number: int = 100) -> None:
    """Write about *number* pages."""
    for _ in range(number):
        writer.execute("INSERT INTO note VALUES (randomblob(4000))")


def at_home(database: Path) -> int:
    """Return how many bytes are in the file itself."""
    return database.stat().st_size


def is_home(database: Path, pages: int) -> bool:
    """Tell whether the file has so many pages of what was written."""
    return at_home(database) >= pages * 4000


def test_what_was_written_comes_home(database: Path, writer: sqlite3.Connection) -> None:
    """The file grows though the writer never asks for it, and again with what comes later."""
    checkpoints = Checkpoints(database)
    for pages in (100, 200):
        write(writer)
        assert at_home(database) < pages * 4000
        checkpoints.written()
        eventually(partial(is_home, database, pages), within=5, every=0.01)
    checkpoints.close()


def test_nothing_is_done_while_nothing_is_written(
    database: Path, writer: sqlite3.Connection
) -> None:
    """A store at rest leaves the disk alone."""
    checkpoints = Checkpoints(database)
    write(writer)
    time.sleep(0.3)

    assert at_home(database) < 100 * 4000
    checkpoints.close()


def test_database_that_is_locked_is_tried_again(database: Path, writer: sqlite3.Connection) -> None:
    """A failure is nobody's end: the next thing that is written brings all of it home."""
    checkpoints = Checkpoints(database)
    writer.execute("PRAGMA locking_mode = EXCLUSIVE")
    write(writer)
    checkpoints.written()
    time.sleep(0.3)
    assert at_home(database) < 100 * 4000

    writer.execute("PRAGMA locking_mode = NORMAL")
    write(writer, 1)
    checkpoints.written()
    eventually(partial(is_home, database, 100), within=5, every=0.01)
    checkpoints.close()


def test_disk_that_fails_once_is_tried_again(
    database: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error ends nothing: who writes is told of it, and the next time all comes home."""
    failures = iter(["disk I/O error"])

    class Failing(sqlite3.Connection):
        def execute(self, *statement: Any) -> sqlite3.Cursor:
            for reason in failures:
                raise sqlite3.OperationalError(reason)
            return super().execute(*statement)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
    checkpoints = Checkpoints(database)
    write(writer)
    checkpoints.written()
    time.sleep(0.3)
    assert list(failures) == []
    assert at_home(database) < 100 * 4000

    checkpoints.written()
    eventually(partial(is_home, database, 100), within=5, every=0.01)
    checkpoints.close()


def test_end_is_heard_at_any_moment(database: Path, writer: sqlite3.Connection) -> None:
    """Whatever it is doing just then, it ends when it is told to."""
    began = time.monotonic()
    for number in range(40):
        checkpoints = Checkpoints(database)
        write(writer, 1)
        checkpoints.written()
        time.sleep(number * 0.003)
        checkpoints.written()
        checkpoints.close()

    assert time.monotonic() - began < 20, "some end was not heard"
