"""Take turns at writing, first come first served.

SQLite's own lock is not fair: whoever polls for it waits for ever beside a writer that never
pauses. The frame's short writes share the file with ingest, so both queue here first.
"""

from collections import deque
from threading import Lock


class Turns:
    """A lock that goes to whoever has waited longest."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._queue: deque[Lock] = deque()

    def take(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = Lock()
            mine.acquire()
            self._queue.append(mine)
        mine.acquire()  # released by whoever hands the turn over

    def leave(self) -> None:
        """Hand the turn to the next, if anybody waits."""
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_: object) -> None:
        self.leave()
