"""Copies of the data: whole, of one moment, put back only where they belong."""

import os
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plugin_analytics.errors import CopyRefused, FolderClosed, StoreTooNew
from plugin_analytics.services.maintenance import Optimize
from plugin_analytics.store import backups, migrations, schema, tidying
from plugin_analytics.store.base import Batch
from plugin_analytics.store.sqlite import SQLiteStore
from tests.unit.backend.test_sqlite import at_revision
from tests.unit.backend.test_store import an_event, append

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CHECK = b"check-value-16by"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the file of a database that holds one event."""
    store = SQLiteStore(tmp_path / "p.db")
    store.settle(backups.KEY_CHECK, CHECK)
    append(store, an_event("e1"))
    store.close()
    return tmp_path / "p.db"


@pytest.fixture
def copy(home: Path) -> Path:
    """Return a copy of that database."""
    target = home.parent / "copy.db"
    backups.make(home, target, NOW)
    return target


def ids(database: Path) -> list[str]:
    """Return the events of a database."""
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM event ORDER BY seq")]


def put_back(home: Path, copy: Path, *, now: datetime = NOW, force: bool = False) -> Path:
    return backups.restore(home, copy, CHECK, now, force=force)


def test_a_copy_is_one_whole_file(home: Path, copy: Path) -> None:
    """It holds what was there, needs no log beside it, and nothing else is left."""
    assert ids(copy) == ["e1"]
    assert copy.read_bytes()[18:20] == b"\x01\x01"  # no write-ahead log
    left = {path.name for path in home.parent.iterdir()}
    assert left == {"p.db", "p.db.lock", "copy.db"} | {"erasures.log"} & left


def test_a_copy_is_of_one_moment_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is made, others write; what was there at its beginning is in it."""
    monkeypatch.setattr(backups, "_PAGES", 1)
    store = SQLiteStore(tmp_path / "p.db")
    append(store, *[an_event(f"e{number:03}") for number in range(500)])
    written: list[str] = []

    def write(done: int, total: int) -> None:
        if len(written) < 20:
            name = f"later{len(written)}"
            append(store, an_event(name))
            written.append(name)

    backups.make(store.path, tmp_path / "copy.db", NOW, progress=write)
    store.close()

    assert len(written) == 20
    found = ids(tmp_path / "copy.db")
    assert found[:500] == [f"e{number:03}" for number in range(500)]
    assert found[500:] == []
    assert len(ids(tmp_path / "p.db")) == 520


def test_a_copy_that_is_cancelled_or_fails_is_not_there(home: Path) -> None:
    """No half file under a name that somebody might trust."""
    with pytest.raises(backups.Cancellation):
        backups.make(home, home.parent / "copy.db", NOW, cancelled=lambda: True)
    broken = home.parent / "broken.db"
    broken.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        backups.make(broken, home.parent / "copy.db", NOW)

    assert not list(home.parent.glob("copy.db*"))


def test_the_newest_three_are_kept_and_none_for_ever(home: Path) -> None:
    """Three regular copies stay, and nothing that is older than tombstones live."""
    folder = backups.folder_of(home)
    made = [backups.dated(folder, NOW - timedelta(days=7 * week)) for week in range(5)]
    other = folder / "before-0005.db"
    for age, file in [*enumerate(made), (0, other)]:
        backups.make(home, file, NOW)
        moment = (NOW - timedelta(days=7 * age)).timestamp()
        os.utime(file, (moment, moment))

    assert backups.prune(folder, NOW) == 2
    assert {file.name for file in folder.iterdir()} == {made[n].name for n in range(3)} | {
        other.name
    }
    assert backups.prune(folder, NOW + backups.KEPT_FOR) == 2
    assert backups.prune(folder, NOW + backups.KEPT_FOR + timedelta(days=1)) == 2
    assert backups.prune(home.parent / "nowhere", NOW) == 0


def test_a_restore_brings_back_what_was(home: Path, copy: Path) -> None:
    """What came since lies aside under its own name, and the store opens."""
    with closing(SQLiteStore(home)) as store:
        append(store, an_event("e2"))

    before = put_back(home, copy)

    assert before.name == "p.db.before-restore"
    assert (ids(home), ids(before)) == (["e1"], ["e1", "e2"])
    with closing(SQLiteStore(home)) as store:
        assert append(store, an_event("e1"), an_event("e3")) == ["duplicate", "accepted"]


def test_the_log_of_a_killed_process_does_not_join_the_copy(home: Path, copy: Path) -> None:
    """Writes that were only in the log go aside with their database."""
    with closing(sqlite3.connect(home, isolation_level=None)) as open_:
        open_.execute("PRAGMA wal_autocheckpoint = 0")
        open_.execute("UPDATE event SET id = 'e9'")
        killed = {suffix: Path(f"{home}{suffix}").read_bytes() for suffix in ("", "-wal")}
    for suffix, content in killed.items():
        Path(f"{home}{suffix}").write_bytes(content)

    before = put_back(home, copy)

    assert (ids(home), ids(before)) == (["e1"], ["e9"])


def test_a_broken_database_is_replaced_all_the_same(home: Path, copy: Path) -> None:
    """That is what copies are for; the broken one is kept aside."""
    home.write_bytes(b"broken" * 1000)

    before = put_back(home, copy)

    assert ids(home) == ["e1"]
    assert before.read_bytes() == b"broken" * 1000


def test_somebody_who_reads_is_left_their_database(
    home: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader keeps the log from being emptied: it goes aside with what it belongs to."""
    monkeypatch.setattr(backups, "_READERS_SECONDS", 0.05)
    with closing(sqlite3.connect(home, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT id FROM event").fetchall() == [("e1",)]
        with closing(sqlite3.connect(home)) as writer:
            writer.execute("UPDATE event SET id = 'e9'")
            writer.commit()
        before = put_back(home, copy)

    assert (ids(home), ids(before)) == (["e1"], ["e9"])


def test_wishes_to_be_forgotten_outlive_a_restore(home: Path, copy: Path) -> None:
    """The log beside the database is not touched: the next start forgets again what it says."""
    log = home.with_name("erasures.log")
    log.write_text("a line\n")

    put_back(home, copy)

    assert log.read_text() == "a line\n"


def test_a_restore_into_an_empty_folder(home: Path, copy: Path) -> None:
    """A lost volume needs no former database."""
    elsewhere = home.parent / "new" / "p.db"

    put_back(elsewhere, copy)

    assert ids(elsewhere) == ["e1"]


def test_a_running_plugin_is_not_pulled_from_under_its_feet(home: Path, copy: Path) -> None:
    """The lock tells; nothing is touched."""
    with closing(SQLiteStore(home)), pytest.raises(CopyRefused, match="is running; stop it"):
        put_back(home, copy)

    assert ids(home) == ["e1"]


def spoilt(copy: Path, statement: str) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(statement)
        connection.commit()


def test_what_does_not_belong_here_is_refused(home: Path, copy: Path) -> None:
    """Missing, foreign, damaged, of another key, too new or too old: one line, nothing changed."""
    before = home.read_bytes()
    with pytest.raises(CopyRefused, match="is not there"):
        put_back(home, home.parent / "none.db")
    with pytest.raises(CopyRefused, match="is the database itself"):
        put_back(home, home)
    text = home.parent / "text.db"
    text.write_text("nothing of the kind" * 1000)
    with pytest.raises(CopyRefused, match="is not a database of this plugin"):
        put_back(home, text)
    sqlite3.connect(home.parent / "other.db").execute("CREATE TABLE other (a)").connection.close()
    with pytest.raises(CopyRefused, match="is not a database of this plugin"):
        put_back(home, home.parent / "other.db")
    with pytest.raises(CopyRefused, match="PSEUDONYM_KEY"):
        backups.restore(home, copy, b"another key", NOW, force=False)
    with pytest.raises(CopyRefused, match=r"35 days old.*--force"):
        put_back(home, copy, now=NOW + timedelta(days=36))
    Path(f"{copy}-wal").write_bytes(b"x")
    with pytest.raises(CopyRefused, match="is in use"):
        put_back(home, copy)
    Path(f"{copy}-wal").unlink()
    spoilt(copy, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match="revision 9999"):
        put_back(home, copy)

    assert home.read_bytes() == before
    assert not list(home.parent.glob("p.db.*restor*"))


def test_damage_is_found(home: Path, copy: Path) -> None:
    """A page that rotted in storage is no surprise after the restore."""
    content = bytearray(copy.read_bytes())
    content[-3000:-1000] = bytes(2000)
    content[4096 * 2 : 4096 * 2 + 200] = b"\xff" * 200
    copy.write_bytes(content)

    with pytest.raises(CopyRefused, match=r"damaged|not a database"):
        put_back(home, copy)


def test_an_old_copy_wants_a_word(home: Path, copy: Path) -> None:
    """Whoever says that they know what they do may."""
    put_back(home, copy, now=NOW + timedelta(days=400), force=True)

    assert ids(home) == ["e1"]


# --- housekeeping


def test_housekeeping_makes_a_copy_each_week(home: Path) -> None:
    """It tidies up, copies, and tells what it did."""
    told: list[tuple[int, int | None, str]] = []
    with closing(SQLiteStore(home)) as store:
        job = Optimize(store, lambda: NOW)
        done = job(lambda: False, lambda *step: told.append(step))
        again = job(lambda: True, lambda *_: None)
        wal = Path(f"{home}-wal").stat().st_size

    assert done.backup == "20261201T120000Z.db"
    assert done.backup_bytes == (backups.folder_of(home) / done.backup).stat().st_size
    assert told[0] == (0, None, "tidying up")
    assert told[-1][0] == told[-1][1]
    assert again.backup is None
    assert wal == 0


def test_room_is_given_back_where_that_pays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is mostly empty and not large is written anew; any other is left alone."""
    monkeypatch.setattr(tidying, "SHRINK_FREE_BYTES", 100_000)
    with closing(SQLiteStore(home)) as store:
        store.append(
            Batch("a", 1, [an_event(f"x{number}") for number in range(5_000)]), lambda *_: None
        ).result()
        store._writer.submit(lambda session: session.driver.execute("DELETE FROM event")).result()
        before = store.tidy()
        large = home.stat().st_size

    assert before.shrunk
    assert before.free == 0
    assert large < 300_000
    with closing(SQLiteStore(home)) as store:
        assert not store.tidy().shrunk
    assert not tidying._pays(home, tidying.SHRINK_USED_BYTES + 1, 10**12)
    assert not tidying._pays(home, 10**6, 10**6)


def test_housekeeping_lets_others_write(home: Path) -> None:
    """Events come in while it works."""
    stop = threading.Event()
    with closing(SQLiteStore(home)) as store:

        def write() -> None:
            number = 0
            while not stop.is_set():
                append(store, an_event(f"w{number}"))
                number += 1

        thread = threading.Thread(target=write)
        thread.start()
        for _ in range(5):
            store.tidy()
            store.back_up(NOW, lambda: False, lambda *_: None)
        stop.set()
        thread.join()
        assert len(ids(home)) > 5


# --- before a migration


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return a database as the first release left it, with one event."""
    database = tmp_path / "p.db"
    at_revision(database, schema.BASELINE)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO event (tenant, seq, key, content, id, type, source, at, received_at,"
            " class, body) VALUES (1, 1, x'01', x'02', 'e1', 1, 1, 1, 1, 0, x'7b7d')"
        )
        connection.commit()
    return database


def test_a_migration_begins_with_a_copy(older: Path) -> None:
    """The database as it was is kept; an empty or current one is not copied."""
    SQLiteStore(older).close()
    SQLiteStore(older).close()
    SQLiteStore(older.parent / "new.db").close()

    kept = backups.folder_of(older) / f"before-{schema.REVISION}.db"
    assert list(kept.parent.iterdir()) == [kept]
    assert ids(kept) == ["e1"]
    with closing(sqlite3.connect(kept)) as connection:
        assert migrations.revision_of(connection) == schema.BASELINE


def test_without_a_copy_nothing_is_migrated(older: Path) -> None:
    """Where there is no room for it, the start waits."""
    backups.folder_of(older).write_text("in the way")

    with pytest.raises(FolderClosed, match="no backup before the migration"):
        SQLiteStore(older)

    with closing(sqlite3.connect(older)) as connection:
        assert migrations.revision_of(connection) == schema.BASELINE
    backups.folder_of(older).unlink()
    SQLiteStore(older).close()


def test_a_newer_database_says_which_releases_it_lets_in(home: Path) -> None:
    """A mark that reaches back to this release lets it start; one that does not, or none, not."""
    mark = "UPDATE setting SET value = CAST('{} {}' AS BLOB) WHERE name = 'compatible-from'"
    spoilt(home, "UPDATE alembic_version SET version_num = '9999'")
    spoilt(home, mark.format("9999", schema.REVISION))
    SQLiteStore(home).close()
    assert ids(home) == ["e1"]

    for other in (
        mark.format("9999", "9998"),
        mark.format(schema.REVISION, schema.REVISION),
        "DELETE FROM setting WHERE name = 'compatible-from'",
    ):
        spoilt(home, other)
        with pytest.raises(StoreTooNew, match=r"revision 9999.*restore its backup"):
            SQLiteStore(home)
