"""Keep the database file in shape: statistics, the write-ahead log, and room that nobody uses."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from plugin_analytics.store.base import Tidied
from plugin_analytics.store.turns import Turns

ANALYSED_ROWS = 400  # of each index: enough for the planner, and over in a moment
SHRINK_FREE_BYTES = 16 * 1024 * 1024
SHRINK_USED_BYTES = 128 * 1024 * 1024
_ROOM = 3  # times what is in use: the new file, and the log through which it goes
_BUSY_SECONDS = 0.05


def tidy(database: Path, turns: Turns) -> Tidied:
    """Do the store's own housekeeping, each step in a turn of its own."""
    with closing(sqlite3.connect(database, _BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA analysis_limit = {ANALYSED_ROWS}")
        with turns:
            connection.execute("PRAGMA optimize").fetchall()
        page = _number(connection, "page_size")
        free = page * _number(connection, "freelist_count")
        used = page * _number(connection, "page_count") - free
        shrunk = _pays(database, used, free)
        if shrunk:
            with turns:
                connection.execute("VACUUM")
        # Most of the log is brought home while others write; the rest is a matter of a moment.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        with turns:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return Tidied(used, 0 if shrunk else free, shrunk)


def _pays(database: Path, used: int, free: int) -> bool:
    """Tell whether to write the file anew.

    Nobody can write meanwhile, so only what is done in a second or two, and only where more than
    half of the file is empty. Elsewhere what comes in fills the room again.
    """
    room = shutil.disk_usage(database.parent).free
    return free > max(used, SHRINK_FREE_BYTES) and used <= SHRINK_USED_BYTES and room > _ROOM * used


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
