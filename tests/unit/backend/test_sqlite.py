"""What only the SQLite adapter promises: its file, its lock, its migrations, its limits in time."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from mosaiclife_plugin_sdk import SettingsError, Timeout
from mosaiclife_plugin_sdk.context import limit_time
from plugin_analytics.errors import StoreUnavailable
from plugin_analytics.model.calendar import Range
from plugin_analytics.model.reports import COUNTED
from plugin_analytics.model.rollup import Folded
from plugin_analytics.store import migrations, schema
from plugin_analytics.store.engine import reader_engine, writer_engine
from plugin_analytics.store.lock import FileLock
from plugin_analytics.store.reading import translated
from plugin_analytics.store.sqlite import SQLiteStore
from plugin_analytics.store.writer import Session

SPAN = Range(date(2026, 1, 1), date(2027, 1, 1))
MONTHS = [Range(date(2026, month, 1), date(2026, month + 1, 1)) for month in range(1, 12)]
ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    " SELECT COUNT(*) FROM n"
)
WEEK = timedelta(days=7)
WEEKS = [number * WEEK for number in range(20)]


def columns(database: Path) -> dict[str, set[str]]:
    """Return each table's columns with type, emptiness and default, wherever they stand."""
    with closing(sqlite3.connect(database)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM pragma_table_list")]
        return {
            name: {str(row[1:]) for row in connection.execute(f"PRAGMA table_info({name})")}
            for name in names
            if not name.startswith("sqlite_")
        }


def test_file_is_durable_by_its_settings(tmp_path: Path) -> None:
    """WAL, and a sync at every commit."""
    store = SQLiteStore(tmp_path / "p.db")

    def pragmas(session: Session) -> tuple[str, int]:
        (mode,) = session.driver.execute("PRAGMA journal_mode").fetchone()
        (level,) = session.driver.execute("PRAGMA synchronous").fetchone()
        return mode, level

    try:
        assert store._writer.submit(pragmas).result() == ("wal", 2)
    finally:
        store.close()


def test_second_writer_is_told_so(tmp_path: Path) -> None:
    """One process at a time; the lock is free again once the first has closed."""
    first = FileLock(tmp_path / "p.db")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: another process writes"):
        FileLock(tmp_path / "p.db", wait=0)

    first.release()
    first.release()

    FileLock(tmp_path / "p.db", wait=0).release()


def test_lock_waits_for_a_predecessor_that_leaves(tmp_path: Path) -> None:
    """A restart does not fail because the old process is still draining."""
    first = FileLock(tmp_path / "p.db")
    timer = threading.Timer(0.2, first.release)
    timer.start()

    FileLock(tmp_path / "p.db", wait=5).release()
    timer.join()


def test_migrations_and_schema_say_the_same(tmp_path: Path) -> None:
    """The tables that migrations make are those that the code reads, and the head is known."""
    SQLiteStore(tmp_path / "migrated.db").close()
    engine = writer_engine(tmp_path / "declared.db")
    schema.metadata.create_all(engine)
    engine.dispose()

    migrated, declared = columns(tmp_path / "migrated.db"), columns(tmp_path / "declared.db")

    assert {name: migrated[name] for name in declared} == declared
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_heads() == [schema.REVISION]


def test_newer_database_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """What a later release wrote is not touched; the lock is free again."""
    store = SQLiteStore(tmp_path / "p.db")
    store._writer.submit(
        lambda session: session.driver.execute("UPDATE alembic_version SET version_num = '9999'")
    ).result()
    store.close()

    for _ in range(2):
        with pytest.raises(SettingsError, match=r"revision 9999.*start the newer release"):
            SQLiteStore(tmp_path / "p.db")


def test_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that dies halfway is not there at the next start."""
    upgrade = migrations._upgrade

    def die(connection: Connection) -> None:
        upgrade(connection)
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "_upgrade", die)
    with pytest.raises(ZeroDivisionError):
        SQLiteStore(tmp_path / "p.db")
    assert "event" not in columns(tmp_path / "p.db")

    monkeypatch.undo()
    SQLiteStore(tmp_path / "p.db").close()


def at_revision(database: Path, revision: str) -> None:
    """Make a database as the release of *revision* left it."""
    engine = writer_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_database_from_before_the_first_release_is_refused(tmp_path: Path) -> None:
    """What was never released is not carried along; the remedy is named."""
    at_revision(tmp_path / "p.db", "0004")
    with closing(sqlite3.connect(tmp_path / "p.db")) as old:
        old.execute("UPDATE alembic_version SET version_num = '0003'")
        old.commit()

    with pytest.raises(SettingsError, match=r"revision 0003.*move it away"):
        SQLiteStore(tmp_path / "p.db")


def test_migrations_only_expand(tmp_path: Path) -> None:
    """No revision takes away a column that the release before it reads or writes."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    revisions = [one.revision for one in reversed(list(script.walk_revisions()))]
    shapes = []
    for revision in revisions:
        at_revision(tmp_path / f"{revision}.db", revision)
        shapes.append(columns(tmp_path / f"{revision}.db"))

    assert shapes
    for before, after in pairwise(shapes):
        assert {name: after[name] & before[name] for name in before} == before


def test_reading_stops_when_the_time_of_the_call_is_over(tmp_path: Path) -> None:
    """A statement that would run for minutes ends with its caller's time, as a 504."""
    SQLiteStore(tmp_path / "p.db").close()
    engine = reader_engine(tmp_path / "p.db", size=1)
    endless = text(ENDLESS)
    began = time.monotonic()

    with (
        limit_time(0.2),
        pytest.raises(Timeout),
        translated(),
        engine.connect() as connection,
    ):
        connection.execute(endless)

    assert time.monotonic() - began < 10
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


@pytest.mark.parametrize("moment", [nullcontext, SQLiteStore.snapshot])
def test_statements_of_reports_stop_too(
    tmp_path: Path, moment: Callable[[SQLiteStore], AbstractContextManager[None]]
) -> None:
    """What goes to the driver itself ends as a 504, in a snapshot or outside; a fault as a 503."""
    store = SQLiteStore(tmp_path / "p.db")
    try:
        with limit_time(0.2), pytest.raises(Timeout), moment(store):
            store._rows(ENDLESS, ())
        with pytest.raises(StoreUnavailable), moment(store):
            store._rows("SELECT nothing FROM nowhere", ())
        with moment(store):
            assert store._rows("SELECT 1", ()) == [(1,)]
    finally:
        store.close()


def test_readers_cannot_write(tmp_path: Path) -> None:
    """A report that tried to write would fail."""
    SQLiteStore(tmp_path / "p.db").close()
    engine = reader_engine(tmp_path / "p.db", size=1)

    with pytest.raises(OperationalError, match="readonly"), engine.connect() as reader:
        reader.execute(text("DELETE FROM event"))
    engine.dispose()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_reports_use_the_keys_of_their_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """No report scans a table: each statement searches along a key."""
    store = SQLiteStore(tmp_path / "p.db")
    plans: list[str] = []
    store.begin_again("a", "UTC", "v1").result()
    while store.rebuild("a", 1, lambda _: Folded()).result():
        pass
    read, read_rows = store._all, store._rows

    def explained(query: Any) -> Any:
        statement = query.compile(store._reads, compile_kwargs={"literal_binds": True})
        plans.extend(row[-1] for row in read_rows(f"EXPLAIN QUERY PLAN {statement}", ()))
        return read(query)

    def rows_explained(statement: str, values: Sequence[Any]) -> Any:
        plans.extend(row[-1] for row in read_rows(f"EXPLAIN QUERY PLAN {statement}", values))
        return read_rows(statement, values)

    monkeypatch.setattr(store, "_all", explained)
    monkeypatch.setattr(store, "_rows", rows_explained)
    try:
        weeks = [Range(start, start + WEEK) for start in map(SPAN.start.__add__, WEEKS)]
        for slots in ([SPAN], MONTHS, weeks):
            store.series("a", "l1", slots, ZoneInfo(zone), COUNTED, kinds=True)
            store.series("a", "l1", slots, ZoneInfo(zone), COUNTED)
            store.storytellers("a", "l1", slots, ZoneInfo(zone))
        store.first_day("a", "l1", ZoneInfo(zone))
        store.freshness("a", "l1")
        store.pending("a", 0, 10)
        store.memories("a", [b"x"])
        store.health("a", SPAN)
        store.progress("a")
        store.setting("a")
        store.settings("a")
    finally:
        store.close()

    assert len(plans) >= 8
    scans = [plan.split()[1] for plan in plans if plan.startswith("SCAN")]
    assert [name for name in scans if name in schema.metadata.tables] == []
