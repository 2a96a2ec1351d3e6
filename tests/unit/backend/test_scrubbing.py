"""What was deleted is gone from the file too, and nothing else has changed."""

import random
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from plugin_analytics.store import scrubbing
from plugin_analytics.store.scrubbing import Scrub, unused
from plugin_analytics.store.turns import Turns

TRACE = b"pseudonym of somebody"
Rows = Sequence[tuple[int, bytes]]


def opened(path: Path) -> sqlite3.Connection:
    """Open a database as the writer does."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "secure_delete = ON", "wal_autocheckpoint = 8000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def filled(path: Path, seed: int) -> sqlite3.Connection:
    """Write rows in a random order, half of which hold the trace, and delete those again."""
    chance = random.Random(seed)
    connection = opened(path)
    connection.execute("BEGIN")
    for table, tail in (("a", ""), ("b", " WITHOUT ROWID")):
        connection.execute(f"CREATE TABLE {table} (k INTEGER PRIMARY KEY, v BLOB){tail}")
        connection.execute(f"CREATE INDEX {table}v ON {table} (v)")
        for key in chance.sample(range(10_000), 3_000):
            word = TRACE if chance.random() < 0.5 else b"else"
            value = word + chance.randbytes(chance.randrange(200))
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (key, value))
        for key in range(10_000):
            where = "WHERE k = ? AND substr(v, 1, 21) = ?"
            connection.execute(f"DELETE FROM {table} {where}", (key, TRACE))
    connection.execute("COMMIT")
    return connection


def rows(connection: sqlite3.Connection) -> Rows:
    """Return all that the tables hold."""
    return connection.execute("SELECT * FROM a UNION ALL SELECT * FROM b ORDER BY 1, 2").fetchall()


def traces(path: Path) -> int:
    """Count the trace in all files of the database."""
    files = path.parent.glob(path.name + "*")
    return sum(file.read_bytes().count(TRACE) for file in files)


@pytest.mark.parametrize("seed", range(4))
def test_no_copy_stays_and_nothing_else_goes(tmp_path: Path, seed: int) -> None:
    """SQLite leaves copies between its rows; afterwards there are none, and the rows are whole."""
    path = tmp_path / "some.db"
    with closing(filled(path, seed)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = rows(connection)
        assert traces(path)  # or this test would show nothing
        assert rows(connection) == before  # from here on it remembers the pages

        scrub = Scrub(path, Turns())
        assert scrub()

        assert traces(path) == 0
        assert rows(connection) == before
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for key in range(20_000, 22_000):  # pages are written by who has read them before
            connection.execute("INSERT INTO a VALUES (?, ?)", (key, b"new"))
        connection.execute("UPDATE a SET v = v || ?", (b"more",))
        connection.execute("UPDATE b SET v = v || ?", (b"more",))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert traces(path) == 0
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    scrub.close()


def test_a_reader_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads an older state, the log is needed; after that the work is done."""
    monkeypatch.setattr(scrubbing, "_PAUSE_SECONDS", 0.01)
    path = tmp_path / "some.db"
    with closing(filled(path, 1)) as connection, closing(opened(path)) as reader:
        reader.execute("BEGIN")
        before = rows(reader)
        connection.execute("INSERT INTO a VALUES (-1, x'00')")
        scrub = Scrub(path, Turns())
        done: list[bool] = []
        work = threading.Thread(target=lambda: done.append(scrub()))
        work.start()
        work.join(0.2)
        assert done == []
        assert rows(reader) == before
        reader.execute("COMMIT")
        work.join(30)
        assert done == [True]
        assert traces(path) == 0
    scrub.close()


def test_a_reader_who_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever: the answer says that something may be left."""
    monkeypatch.setattr(scrubbing, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(scrubbing, "_ATTEMPTS", 2)
    path = tmp_path / "some.db"
    with closing(filled(path, 2)) as connection, closing(opened(path)) as reader:
        reader.execute("BEGIN")
        rows(reader)
        connection.execute("INSERT INTO a VALUES (-1, x'00')")
        scrub = Scrub(path, Turns())
        assert not scrub()
        reader.execute("COMMIT")
        assert scrub()
    scrub.close()


def test_others_write_between_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written meanwhile is neither lost nor damaged, whoever writes it."""
    monkeypatch.setattr(scrubbing, "PIECE_BYTES", 4 * 4_096)
    path, turns, stop = tmp_path / "some.db", Turns(), threading.Event()
    with closing(filled(path, 3)) as connection, closing(opened(path)):
        written: list[int] = []

        def write() -> None:
            with closing(sqlite3.connect(path, 10, isolation_level=None)) as other:
                while not stop.is_set():
                    with (
                        turns if len(written) % 2 else threading.Lock()
                    ):  # in turns, and out of turn
                        key = 100_000 + len(written)
                        other.execute("INSERT INTO a VALUES (?, randomblob(90))", (key,))
                    written.append(key)

        writer = threading.Thread(target=write)
        writer.start()
        scrub = Scrub(path, turns)
        done = scrub()
        stop.set()
        writer.join(30)
        assert done or written
        found = connection.execute("SELECT k FROM a WHERE k >= 100000 ORDER BY k").fetchall()
        assert [key for (key,) in found] == written
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    scrub.close()


def test_pages_without_rows_are_left_alone() -> None:
    """Overflow and free pages are SQLite's own business; their first byte says so."""
    for kind in (0, 1, 3, 255):
        assert list(unused(bytes([kind]) + b"\x01" * 4_095)) == []
