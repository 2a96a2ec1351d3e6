"""Overwrite in the file what is no longer in the tables (the file format: sqlite.org/fileformat.html).

With `secure_delete` SQLite overwrites a row that is deleted, but not the copies that it leaves behind
when it splits a page or packs its rows anew: they stay in the room between the rows until that is
used again. Nothing reads that room, so it can be filled with zeros while others read the file.
"""

import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

from plugin_analytics.store.turns import Turns

log = structlog.stdlib.get_logger(__name__)

PIECE_BYTES = 16 * 1024 * 1024  # looked through in one turn: some ten milliseconds
_ZEROS = bytes(65_536)
_HEAD_OF_FILE = 100  # bytes, before the first page's own head
_INNER, _LEAF = {2, 5}, {10, 13}  # kinds of pages that hold rows or keys
_COUNTS = struct.Struct(">HHH")  # first free block, number of cells, where their content begins
_BLOCK = struct.Struct(">HH")  # next free block, size of this one
_BUSY_SECONDS, _PAUSE_SECONDS, _ATTEMPTS = 0.05, 0.1, 100

Span = tuple[int, int]


class Scrub:
    """Go through the whole file of one store."""

    def __init__(self, database: Path, turns: Turns) -> None:
        """Write in *turns*, as all others do."""
        self._database = database
        self._turns = turns
        self._file: int | None = None

    def __call__(self) -> bool:
        """Empty the log, and overwrite all room between rows; False when readers never let go."""
        with closing(sqlite3.connect(self._database, _BUSY_SECONDS, isolation_level=None)) as db:
            # Most of the log is brought home while others write.
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            page = int(db.execute("PRAGMA page_size").fetchone()[0])
            start, end = 0, 1
            while start < end:
                if not self._wait_and_clear(db, page, start):
                    log.warning("what was deleted may still stand in unused room of the file")
                    return False
                start, end = start + PIECE_BYTES, os.fstat(self._opened()).st_size
        return True

    def close(self) -> None:
        """Let go of the file, after every connection has."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        """Return the file, kept open: to close it would drop the locks of all our connections."""
        if self._file is None:
            self._file = os.open(self._database, os.O_RDWR)
        return self._file

    def _wait_and_clear(self, db: sqlite3.Connection, page: int, start: int) -> bool:
        """Clear one piece as soon as no reader needs the log; tell whether that came to pass."""
        for _ in range(_ATTEMPTS):
            with self._turns, self._alone(db) as alone:
                if alone:
                    self._clear(page, start)
                    return True
            time.sleep(_PAUSE_SECONDS)
        return False

    @contextmanager
    def _alone(self, db: sqlite3.Connection) -> Iterator[bool]:
        """Hold the only right to write, over an empty log: what the file says is what counts.

        To truncate the log makes every connection forget the pages that it has read, so that none
        writes one again as it was before.
        """
        try:
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            busy = 1
        if busy:
            yield False
            return
        try:
            wal = self._database.with_name(self._database.name + "-wal")
            yield not wal.exists() or wal.stat().st_size == 0
        finally:
            db.execute("ROLLBACK")

    def _clear(self, page: int, start: int) -> None:
        file = self._opened()
        piece = os.pread(file, PIECE_BYTES, start)
        changed = False
        for offset in range(0, len(piece) - page + 1, page):
            head = _HEAD_OF_FILE if start + offset == 0 else 0
            for first, last in unused(piece[offset : offset + page], head):
                zeros = _ZEROS[: last - first]
                if piece[offset + first : offset + last] != zeros:
                    os.pwrite(file, zeros, start + offset + first)
                    changed = True
        if changed:
            os.fdatasync(file)


def unused(page: bytes, head: int = 0) -> Iterator[Span]:
    """Yield the spans of a page that hold nothing, where its head begins at *head*.

    Pages that hold no rows yield none; SQLite clears those itself when it lets go of them.
    """
    kind = page[head]
    if kind not in _INNER | _LEAF:
        return
    block, cells, content = _COUNTS.unpack_from(page, head + 1)
    pointers = head + (12 if kind in _INNER else 8)
    yield pointers + 2 * cells, content or len(page)
    while block:
        following, size = _BLOCK.unpack_from(page, block)
        yield block + _BLOCK.size, block + size
        block = following if following > block else 0
