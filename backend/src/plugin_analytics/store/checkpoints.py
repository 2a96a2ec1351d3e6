"""Bring the log home beside the writer, so that its commits need not wait for that.

SQLite does it within the commit that has made the log long enough: with a million events in, that
one takes fifty milliseconds, and everybody waits. Most of it can be done while others write; what
is left for the writer is what came in the meantime, and to begin the log anew.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

PAUSE_SECONDS = 0.05  # between two of them: some hundred pages, where much is written


class Checkpoints:
    """A thread that copies pages from the log into the file, soon after they were written."""

    def __init__(self, database: Path) -> None:
        """Wait until something is written to *database*."""
        self._database = database
        self._written = Event()
        self._closed = Event()
        self._thread = Thread(target=self._live, name="store-checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Say that the log has grown; from any thread."""
        if not self._written.is_set():
            self._written.set()

    def close(self) -> None:
        """End before the last connection does, which empties the log itself."""
        self._closed.set()
        self._written.set()
        self._thread.join()

    def _live(self) -> None:
        with closing(sqlite3.connect(self._database, isolation_level=None)) as db:
            while self._written.wait():
                # Before the pause: what is said from here on is never lost.
                self._written.clear()
                if self._closed.wait(PAUSE_SECONDS):
                    return
                # On a disk that fails the writer has more to say, and does.
                with suppress(sqlite3.Error):
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
