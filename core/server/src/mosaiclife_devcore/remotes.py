"""Serve each plugin's remote from core's own origin, cached by content (design: The wire).

A browser cannot resolve a service's name in a cluster, so core fetches the bundle from the
registered `remoteUrl` and answers under `/mf/{id}/{hash}/`. The last two bundles are kept
whole: open tabs, rolling updates and a plugin that is down keep working.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import structlog
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.errors import CoreError, NotFound, PermissionDenied
from mosaiclife_devcore.origins import origin_of
from mosaiclife_devcore.outbound import Reply, call
from mosaiclife_devcore.registry import ActiveUI, Registration, Registry

log = structlog.get_logger(__name__)

KEPT_BUNDLES = 2
MAX_FILE = 8 << 20
MAX_FILES = 400
FETCH_SECONDS = 5.0
SCRIPT = {"text/javascript", "application/javascript", "application/x-javascript"}
OTHER = {"text/css", "application/json", "application/wasm"}
FAMILIES = ("image/", "font/")
PACKED = ("text/", "application/", "image/svg")
SANDBOX = "sandbox; default-src 'none'"
_FILE = re.compile(r"(?:[A-Za-z0-9_~@-][A-Za-z0-9._~@-]*/)*[A-Za-z0-9_~@-][A-Za-z0-9._~@-]*")


class RemoteFault(Exception):
    """The remote cannot be shown, and why."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a bundle, ready to be served."""

    body: bytes
    media_type: str
    packed: bytes | None

    @property
    def is_script(self) -> bool:
        """Tell whether a page may run it."""
        return self.media_type in SCRIPT


@dataclass(slots=True)
class Bundle:
    """One build of a remote."""

    hash: str
    folder: str
    entry: str
    files: dict[str, File] = field(default_factory=dict)


class Remotes:
    """The bundles that pages may load."""

    def __init__(
        self, http: httpx.AsyncClient, registry: Registry, configured: str | None = None
    ) -> None:
        """Serve what plugins register; *configured* is a remote that core's operator names."""
        self._http = http
        self._configured = configured
        self._bundles: dict[str, OrderedDict[str, Bundle]] = {}
        registry.listen(lambda plugin: self._drop_forgotten(plugin.id, plugin.current is None))

    async def look(self, plugin_id: str, registration: Registration) -> ActiveUI:
        """Fetch and verify the registered entry; return what pages may load from now on."""
        entry = await self._fetch(registration.remote_url)
        _verify(entry.body, registration.integrity, "remoteEntry")
        if self._is_external(registration):
            return _active(registration, registration.remote_url, registration.integrity)
        bundle = await self._keep(plugin_id, registration, entry)
        return _active(
            registration,
            f"/mf/{plugin_id}/{bundle.hash}/{bundle.entry}",
            registration.integrity or integrity_of(entry.body),
        )

    async def file(self, plugin_id: str, digest: str, path: str) -> File:
        """Return a file of a kept bundle, fetched once when nobody asked for it before."""
        bundle = self._bundles.get(plugin_id, OrderedDict()).get(digest)
        if bundle is None or not _FILE.fullmatch(path):
            raise NotFound("no kept bundle holds this file")
        if path not in bundle.files:
            if len(bundle.files) >= MAX_FILES:
                raise NotFound(f"a bundle has at most {MAX_FILES} files")
            reply = await self._fetch(bundle.folder + path)
            bundle.files[path] = _to_file(reply)
        return bundle.files[path]

    def _is_external(self, registration: Registration) -> bool:
        """Tell whether browsers fetch the remote themselves: it lies at an origin of its own.

        What core's own configuration names may be a host that core alone can resolve (spec §12).
        """
        if registration.remote_url == self._configured:
            return False
        return origin_of(registration.remote_url) != origin_of(registration.service_url)

    async def _keep(self, plugin_id: str, registration: Registration, entry: Reply) -> Bundle:
        digest = hashlib.sha256(entry.body).hexdigest()[:16]
        kept = self._bundles.setdefault(plugin_id, OrderedDict())
        if digest in kept:
            kept.move_to_end(digest)
            return kept[digest]
        folder, _, name = registration.remote_url.partition("?")[0].rpartition("/")
        bundle = Bundle(digest, folder + "/", name, {name: _to_file(entry)})
        await self._prefetch(bundle)
        kept[digest] = bundle
        while len(kept) > KEPT_BUNDLES:
            kept.popitem(last=False)
        log.info("remote_kept", plugin=plugin_id, hash=digest, files=len(bundle.files))
        return bundle

    async def _prefetch(self, bundle: Bundle) -> None:
        """Fetch every file that the bundle lists, so that it outlives the plugin's process."""
        for name, integrity in (await self._listing(bundle)).items():
            if name not in bundle.files and _FILE.fullmatch(name):
                reply = await self._fetch(bundle.folder + name)
                _verify(reply.body, integrity, name)
                bundle.files[name] = _to_file(reply)

    async def _listing(self, bundle: Bundle) -> dict[str, str]:
        """Return the bundle's `integrity.json`; a bundle without one is fetched as it is used."""
        try:
            reply = await self._fetch(bundle.folder + "integrity.json")
            listed = msgspec.json.decode(reply.body, type=dict[str, str])
        except (RemoteFault, msgspec.MsgspecError):
            return {}
        return dict(list(listed.items())[:MAX_FILES])

    async def _fetch(self, url: str) -> Reply:
        try:
            reply = await call(self._http, "GET", url, seconds=FETCH_SECONDS, limit=MAX_FILE)
        except CoreError as error:
            raise RemoteFault(f"{_name(url)} cannot be fetched: {error.message}") from error
        if reply.status != 200:
            raise RemoteFault(f"{_name(url)} answers {reply.status}")
        return reply

    def _drop_forgotten(self, plugin_id: str, forgotten: bool) -> None:
        if forgotten:
            self._bundles.pop(plugin_id, None)


@get("/mf/{plugin_id:str}/{digest:str}/{path:path}")
async def serve_remote(
    request: Request[Any, Any, Any],
    plugin_id: FromPath[str],
    digest: FromPath[str],
    path: FromPath[str],
    registry: NamedDependency[Registry],
    remotes: NamedDependency[Remotes],
) -> Response[bytes]:
    """Answer a file of a remote; whatever is no script is sandboxed."""
    registry.get(plugin_id).registration()
    try:
        file = await remotes.file(plugin_id, digest, path.lstrip("/"))
    except RemoteFault as fault:
        raise NotFound(str(fault)) from fault
    etag = f'"{hashlib.sha256(file.body).hexdigest()[:16]}"'
    headers = _headers(file, etag)
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)


def integrity_of(body: bytes) -> str:
    """Return the subresource integrity of *body*."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode("ascii")


def _verify(body: bytes, integrity: str | None, name: str) -> None:
    if integrity is not None and integrity_of(body) not in integrity.split():
        raise RemoteFault(f"{name} is not what was registered: its integrity differs")


def _active(registration: Registration, url: str, integrity: str | None) -> ActiveUI:
    return ActiveUI(
        version=registration.version,
        entry_url=url,
        integrity=integrity,
        contributions=registration.manifest.normalised()["ui"].get("contributions", {}),
        frontend_sdk=registration.manifest.compat.frontend_sdk,
        external=not url.startswith("/"),
    )


def _to_file(reply: Reply) -> File:
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in SCRIPT | OTHER and not media_type.startswith(FAMILIES):
        raise PermissionDenied(f"a remote serves no {media_type or 'untyped file'}")
    worth = media_type.startswith(PACKED) and len(reply.body) > 512
    packed = gzip.compress(reply.body, 6, mtime=0) if worth else None
    return File(reply.body, media_type, packed)


def _headers(file: File, etag: str) -> dict[str, str]:
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "etag": etag,
        "vary": "accept-encoding",
        "cross-origin-resource-policy": "same-origin",
    }
    return headers if file.is_script else {**headers, "content-security-policy": SANDBOX}


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
