"""Copy the database while it is written, and put a copy back (docs/operate-data.md).

A copy is one file: whole, checked, and of one moment. The pseudonym key is not in it, only the
value by which a wrong key is told: whoever finds a copy finds no names in it.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from plugin_analytics.clock import from_micros, micros
from plugin_analytics.errors import CopyRefused, StoreLocked
from plugin_analytics.store import migrations
from plugin_analytics.store.lock import FileLock

KEPT = 3
KEPT_FOR = timedelta(days=35)  # as long as a wish to be forgotten is remembered at the door
KEY_CHECK = "pseudonym-key-check"
_COPIED_AT = "copied-at"
_PAGES, _PAUSE = 1_024, 0.01  # 4 MiB at a time, and a breath for whoever reads or writes
_STEPS = 100_000
_READERS_SECONDS = 5.0  # until the log of somebody's database is left as it is
_DATED = re.compile(r"\d{8}T\d{6}Z\.db")
_PART = ".part"
_NOTE = (
    "INSERT INTO setting (name, value) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET value = excluded.value"
)

Cancelled = Callable[[], bool]
Progress = Callable[[int, int], None]


class Cancellation(Exception):
    """Somebody asked to stop; nothing is left of the copy."""


def folder_of(database: Path) -> Path:
    """Return where copies of *database* are kept."""
    return database.parent / "backups"


def dated(folder: Path, moment: datetime) -> Path:
    """Return the name of a copy that is made at *moment*."""
    return folder / f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.db"


def make(
    database: Path,
    target: Path,
    moment: datetime,
    *,
    cancelled: Cancelled = lambda: False,
    progress: Progress = lambda *_: None,
) -> int:
    """Copy *database* as it is now to *target*, and return how many bytes that is.

    Everybody goes on reading and writing meanwhile. The copy appears under its name when it is
    whole, checked and on the disk.
    """
    part = target.with_name(target.name + _PART)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        _copy(database, part, cancelled, progress)
        _finish(part, moment, cancelled)
        part.replace(target)
        _sync(target.parent)
        return target.stat().st_size
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def prune(folder: Path, now: datetime) -> int:
    """Keep the newest copies, none of them for ever; return how many have gone."""
    files = sorted(folder.glob("*.db"), reverse=True) if folder.is_dir() else []
    regular = [file for file in files if _DATED.fullmatch(file.name)]
    old = [file for file in files if _age(file, now) > KEPT_FOR]
    gone = {*regular[KEPT:], *old}
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def restore(database: Path, copy: Path, key_check: bytes, now: datetime, *, force: bool) -> Path:
    """Put *copy* in the place of *database*; return where the former one lies.

    Whatever is wrong is found before anything has been touched.
    """
    if not copy.is_file():
        raise CopyRefused(f"{copy}: is not there")
    if database.exists() and copy.samefile(database):
        raise CopyRefused(f"{copy}: is the database itself")
    if copy.with_name(copy.name + "-wal").exists():
        raise CopyRefused(f"{copy}: is in use, its -wal file lies beside it; make a backup of it")
    with _locked(database):
        part = database.with_name(database.name + ".restoring")
        try:
            shutil.copyfile(copy, part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            _check(part, copy, key_check, now, force=force)
            return _exchange(database, part)
        finally:
            part.unlink(missing_ok=True)


# --- copying


def _copy(database: Path, part: Path, cancelled: Cancelled, progress: Progress) -> None:
    def step(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)
        if cancelled():
            raise Cancellation

    with closing(_reader(database)) as source, closing(sqlite3.connect(part)) as copy:
        # While the source reads of one moment, what others write does not start the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        source.backup(copy, pages=_PAGES, progress=step, sleep=_PAUSE)


def _finish(part: Path, moment: datetime, cancelled: Cancelled) -> None:
    """Make one file of the copy, note when it was made, check it, and bring it to the disk."""
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        copy.execute(_NOTE, (_COPIED_AT, str(micros(moment)).encode()))
        copy.set_progress_handler(cancelled, _STEPS)
        try:
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            raise Cancellation if cancelled() else error from error
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is not sound: {verdict}")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _reader(database: Path) -> sqlite3.Connection:
    """Open *database* for reading; one that could not write would leave its log behind."""
    address = f"file:{quote(str(database.absolute()))}?mode=rw"
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _age(file: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(file.stat().st_mtime, UTC)


# --- restoring


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Hold the lock of the plugin, so that it neither runs nor starts."""
    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(database, wait=0)
    except StoreLocked as error:
        raise CopyRefused(
            f"{database.name}: the plugin is running; stop it, then restore"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _check(part: Path, copy: Path, key_check: bytes, now: datetime, *, force: bool) -> None:
    """Refuse what this release cannot start with, or should not."""
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            revision = migrations.revision_of(connection)
            kept = dict(connection.execute("SELECT name, value FROM setting").fetchall())
    except sqlite3.DatabaseError as error:
        raise CopyRefused(f"{copy}: is not a database of this plugin ({error})") from error
    if verdict != "ok":
        raise CopyRefused(f"{copy}: is damaged ({verdict})")
    migrations.refuse(revision, kept.get(migrations.COMPATIBLE_FROM))
    if kept.get(KEY_CHECK) != key_check:
        raise CopyRefused("PSEUDONYM_KEY: is not the key with which this copy was written")
    made = kept.get(_COPIED_AT)
    moment = (
        datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        if made is None
        else from_micros(int(made))
    )
    if now - moment > KEPT_FOR and not force:
        raise CopyRefused(
            f"{copy}: is more than {KEPT_FOR.days} days old, and may hold what had to be forgotten"
            " since; --force restores it all the same"
        )


def _exchange(database: Path, part: Path) -> Path:
    """Put *part* in the place of *database*: at every moment one of the two is there."""
    before = database.with_name(database.name + ".before-restore")
    if database.exists():
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(database, _READERS_SECONDS)) as former,
        ):
            former.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        before.unlink(missing_ok=True)
        os.link(database, before)
    for suffix in ("-wal", "-shm"):
        beside = database.with_name(database.name + suffix)
        before.with_name(before.name + suffix).unlink(missing_ok=True)
        if beside.exists():  # of a database that was too broken to be closed in good order
            beside.rename(before.with_name(before.name + suffix))
    part.replace(database)
    _sync(database.parent)
    return before


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
