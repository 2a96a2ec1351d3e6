"""Remember beside the database what had to be forgotten, so that a restored copy forgets it again.

One JSON line for each wish, on the disk before the answer. It holds keyed hashes and instants, and
nobody's name.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from plugin_analytics.store.erasures import Logged

NAME = "erasures.log"


class _Line(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    id: str
    kind: str
    tenant: str
    hash: str
    at: int
    requested_at: int
    types: tuple[str, ...] | None = None


_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


class ErasureLog:
    """The file, and which wishes are in it."""

    def __init__(self, path: Path) -> None:
        """Read *path*; what a crash has left of a last line is not a line."""
        self._path = path
        self._lines = {each.id: each for each in _read(path)}

    def lines(self) -> Sequence[Logged]:
        """Return every line."""
        return list(self._lines.values())

    def append(self, lines: Iterable[Logged]) -> None:
        """Write what is not there yet, and wait until it is on the disk."""
        fresh = [each for each in lines if each.id not in self._lines]
        if not fresh:
            return
        new = not self._path.exists()
        with self._path.open("ab+") as file:
            file.seek(0, os.SEEK_END)
            torn = file.tell() > 0 and not _ends_well(self._path)
            file.write(b"\n" * torn + b"".join(map(_written, fresh)))
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self._path.parent)
        self._lines.update({each.id: each for each in fresh})

    def keep(self, names: Collection[str]) -> None:
        """Drop every line but those of the wishes *names*, whole or not at all."""
        kept = {each.id: each for each in self._lines.values() if each.id in names}
        if len(kept) == len(self._lines):
            return
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as file:
            file.write(b"".join(map(_written, kept.values())))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        self._lines = kept


def _read(path: Path) -> Iterable[Logged]:
    if not path.exists():
        return
    for text in path.read_bytes().splitlines():
        try:
            line = _decoder.decode(text)
            names = bytes.fromhex(line.tenant), bytes.fromhex(line.hash)
        except (msgspec.DecodeError, ValueError):
            continue
        yield Logged(line.id, line.kind, *names, line.at, line.requested_at, line.types)


def _written(line: Logged) -> bytes:
    shown = _Line(
        id=line.id,
        kind=line.kind,
        tenant=line.tenant_hash.hex(),
        hash=line.hash.hex(),
        at=line.at,
        requested_at=line.requested_at,
        types=line.types,
    )
    return _encoder.encode(shown) + b"\n"


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
