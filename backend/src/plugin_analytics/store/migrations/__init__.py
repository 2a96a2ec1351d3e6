"""Bring the database up to date, one migrator at a time; Alembic is imported only when behind."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from plugin_analytics.errors import StoreTooNew, StoreTooOld
from plugin_analytics.store.schema import BASELINE, REVISION

_HERE = Path(__file__).parent


def migrate(connection: Connection) -> None:
    """Apply every migration that *connection*'s database lacks; the caller holds the lock."""
    found = current(connection)
    if found == REVISION:
        return
    if found is not None and found < BASELINE:
        raise StoreTooOld(
            f"DATABASE_URL: the database was written before the first release (revision {found});"
            " move it away to start with an empty one"
        )
    if found is not None and found > REVISION:
        raise StoreTooNew(
            f"DATABASE_URL: the database is at revision {found} and this release knows"
            f" {REVISION} at most; start the newer release, or restore its backup"
        )
    _upgrade(connection)


def current(connection: Connection) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
