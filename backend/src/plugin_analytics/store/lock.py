"""Let one process at a time write to a database file."""

import fcntl
import os
import time
from pathlib import Path

from plugin_analytics.errors import StoreLocked

WAIT_SECONDS = 5.0  # a predecessor that is draining is given this long to leave


class FileLock:
    """An advisory lock beside the database; the kernel releases it with the process."""

    def __init__(self, database: Path, *, wait: float = WAIT_SECONDS) -> None:
        """Take the lock, or raise `StoreLocked` once *wait* seconds are over."""
        self._path = database.with_name(database.name + ".lock")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait
        while not self._try():
            if time.monotonic() >= deadline:
                os.close(self._file)
                raise StoreLocked(
                    f"DATABASE_URL: another process writes to {database.name};"
                    " stop it, or give this one a DATA_DIR of its own"
                )
            time.sleep(0.05)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes in."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
