"""Serve the UI bundle from memory, whole or not at all (spec §7.1; design §7).

A build writes many files; a reader in between would see half of two versions. So the folder is
taken over in one step, when every file has the hash that `integrity.json` says, and the version
before it stays served for tabs that are still open.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from mosaiclife_plugin_sdk.app import CheckFailed
from mosaiclife_plugin_sdk.errors import NotFound
from mosaiclife_plugin_sdk.frame.bodies import matches

log = structlog.stdlib.get_logger(__name__)

ENTRY = "remoteEntry.js"
INTEGRITY = "integrity.json"
POLL_SECONDS = 1.0
MAX_FILES, MAX_BYTES = 500, 32 * 1024 * 1024

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_UNKNOWN_TYPE = "application/octet-stream"
_PACKED_ALREADY = (".png", ".woff2")
_OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


@dataclass(frozen=True, slots=True)
class File:
    """One file of a bundle, ready to be sent."""

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A bundle whose every file is what its build said."""

    hash: str
    integrity: str
    files: Mapping[str, File]


class Bundle:
    """The present version of the folder, and the one before."""

    def __init__(self, folder: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._seen: object = None
        self._snapshots: list[Snapshot] = []
        self.on_change = on_change

    @property
    def current(self) -> Snapshot | None:
        """Return the version that is served under the plain path."""
        return self._snapshots[0] if self._snapshots else None

    def find(self, version: str) -> Snapshot | None:
        """Return the snapshot with this hash, of the two that are kept."""
        return next((kept for kept in self._snapshots if kept.hash == version), None)

    async def check(self) -> None:
        """Be the readiness check of the bundle."""
        if self.current is None:
            raise CheckFailed(f"no whole bundle in the folder {self._folder.name!r}: build the UI")

    async def watch(self) -> None:
        """Look at the folder once a second, for ever."""
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(POLL_SECONDS)

    def refresh(self) -> None:
        """Take the folder over if it has changed and is whole."""
        mark = _mark(self._folder)
        if mark == self._seen:
            return
        snapshot = read_snapshot(self._folder)
        # A folder that changed while it was read is read again at the next look.
        if snapshot is None or mark != _mark(self._folder):
            return
        self._seen = mark
        if self.current is None or snapshot.hash != self.current.hash:
            self._snapshots = [snapshot, *self._snapshots[:1]]
            log.info("ui bundle taken over", hash=snapshot.hash, files=len(snapshot.files))
            self.on_change()


def read_snapshot(folder: Path) -> Snapshot | None:
    """Read *folder*, or return None when it is not whole."""
    try:
        listing = (folder / INTEGRITY).read_bytes()
        promised = msgspec.json.decode(listing, type=dict[str, str])
        if ENTRY not in promised or len(promised) > MAX_FILES:
            return None
        contents = {name: _inside(folder, name).read_bytes() for name in promised}
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    if any(integrity_of(contents[name]) != said for name, said in promised.items()):
        return None
    if sum(map(len, contents.values())) > MAX_BYTES:
        return None
    version = hashlib.sha256(contents[ENTRY]).hexdigest()[:16]
    # Core reads the listing to keep the whole bundle, before somebody asks for a part of it.
    contents[INTEGRITY] = listing
    files = {name: _file(name, content) for name, content in contents.items()}
    return Snapshot(version, promised[ENTRY], files)


def integrity_of(content: bytes) -> str:
    """Return the value of an `integrity` attribute for *content*."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode("ascii")


def remote_routes(bundle: Bundle, entry_path: str) -> list[HTTPRouteHandler]:
    """Return the routes below the folder of *entry_path*: plain, and by content hash."""
    folder, entry = posixpath.split(entry_path)

    kinds = {kind.partition(";")[0] for kind in (*_TYPES.values(), _UNKNOWN_TYPE)}
    content: dict[str, Any] = {kind: {"schema": {}} for kind in sorted(kinds)}

    @get(
        f"{folder}/{{name:path}}",
        opt={"public": True, "etag": True, "content": content},
        sync_to_thread=False,
        summary="A file of the UI remote",
    )
    def serve(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
        version, _, rest = name.lstrip("/").partition("/")
        if rest and (snapshot := bundle.find(version)):
            return _answer(request, snapshot, rest, "public, max-age=31536000, immutable")
        wanted = name.lstrip("/")
        if bundle.current is None:
            raise NotFound("There is no UI bundle.")
        wanted = ENTRY if wanted == entry else wanted
        return _answer(request, bundle.current, wanted, "no-cache")

    return [serve]


def _answer(
    request: Request[Any, Any, Any], snapshot: Snapshot, name: str, caching: str
) -> Response[Any]:
    file = snapshot.files.get(name)
    if file is None:
        raise NotFound("The UI bundle has no such file.")
    headers = {
        "ETag": f'"{file.etag}"',
        "Cache-Control": caching,
        "Vary": "Accept-Encoding",
        **_OPEN_TO_ALL,
    }
    if matches(request.headers.get("if-none-match", ""), file.etag):
        return Response(None, status_code=304, headers=headers)
    if file.packed is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for offer in accepted.lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _file(name: str, content: bytes) -> File:
    suffix = posixpath.splitext(name)[1]
    packed = None if suffix in _PACKED_ALREADY else gzip.compress(content, 9, mtime=0)
    if packed is not None and len(packed) >= len(content):
        packed = None
    media_type = _TYPES.get(suffix, _UNKNOWN_TYPE)
    return File(content, packed, media_type, hashlib.sha256(content).hexdigest()[:16])


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} lies outside the bundle")
    return path


def _mark(folder: Path) -> object:
    """Return something that differs when any file of *folder* does."""
    try:
        return sorted(
            (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
            for path in folder.rglob("*")
            if path.is_file() and (status := path.stat())
        )
    except OSError:
        return None
