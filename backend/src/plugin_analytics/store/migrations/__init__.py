"""Bring the database up to date, one migrator at a time; Alembic is imported only when behind."""

import sqlite3
from pathlib import Path

import structlog
from sqlalchemy import Connection

from plugin_analytics.errors import StoreTooNew, StoreTooOld
from plugin_analytics.store.schema import BASELINE, REVISION

log = structlog.stdlib.get_logger(__name__)

COMPATIBLE_FROM = (
    "compatible-from"  # the setting by which a newer database lets an older release in
)
_HERE = Path(__file__).parent
_IS_THERE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"
_REVISION = "SELECT version_num FROM alembic_version"
_MARK = "SELECT value FROM setting WHERE name = ?"


def migrate(connection: Connection) -> None:
    """Apply every migration that *connection*'s database lacks; the caller holds the lock."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine's dialect is ours
    found = revision_of(driver)
    if found == REVISION:
        return
    refuse(found, _mark_of(driver) if found else None)
    if found is not None and found > REVISION:
        log.warning("the database is newer than this release", revision=found, known=REVISION)
        return
    _upgrade(connection)


def behind(driver: sqlite3.Connection) -> bool:
    """Tell whether there is something in the database, and a migration is about to change it."""
    found = revision_of(driver)
    return found is not None and BASELINE <= found < REVISION


def revision_of(driver: sqlite3.Connection) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    if driver.execute(_IS_THERE).fetchone() is None:
        return None
    found = driver.execute(_REVISION).fetchone()
    return None if found is None else str(found[0])


def refuse(found: str | None, compatible_from: bytes | None) -> None:
    """Refuse a revision that this release cannot work with.

    One that is newer says itself from which revision on a release can: "0006 0004". What an
    earlier migration has said counts for nothing: a later one that says nothing lets nobody in.
    """
    if found is not None and found < BASELINE:
        raise StoreTooOld(
            f"DATABASE_URL: the database was written before the first release (revision {found});"
            " move it away to start with an empty one"
        )
    if found is None or found <= REVISION:
        return
    revision, _, first = (compatible_from or b"").decode().partition(" ")
    if revision != found or not BASELINE <= first <= REVISION:
        raise StoreTooNew(
            f"DATABASE_URL: the database is at revision {found} and this release knows"
            f" {REVISION} at most; start the newer release, or restore its backup"
        )


def _mark_of(driver: sqlite3.Connection) -> bytes | None:
    found = driver.execute(_MARK, (COMPATIBLE_FROM,)).fetchone()
    return None if found is None else bytes(found[0])


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
