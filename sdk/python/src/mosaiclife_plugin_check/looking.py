"""Fetch what every plugin must offer (spec §8.2), and judge it."""

import base64
import hashlib
import http.client
import json
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

SECONDS = 3.0
PROBES = ("/healthz", "/readyz")
METRIC = b"plugin_info{"
SCHEMES: dict[str, type[http.client.HTTPConnection]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


class Fault(Exception):
    """What is not as it should be, in one line."""


@dataclass(frozen=True)
class Wanted:
    """What the caller knows about the plugin; `only` leaves out everything but these paths."""

    only: tuple[str, ...] = ()
    version: str | None = None
    remote: str | None = None
    without_remote: bool = False


class Plugin:
    """The plugin behind a URL. No proxy of the environment stands between."""

    def __init__(self, url: str) -> None:
        """Read *url*; one that leads nowhere is a `Fault`."""
        parts = urlsplit(url)
        try:
            connection, port = SCHEMES[parts.scheme], parts.port
        except (KeyError, ValueError) as error:
            raise Fault(f"{url!r} is not of the form http://host:port") from error
        if not parts.hostname:
            raise Fault(f"{url!r} names no host")
        self._connection, self._host, self._port = connection, parts.hostname, port
        self._base = parts.path.rstrip("/")

    def fetch(self, path: str) -> bytes:
        """Return what *path* answers with 200; any other end is a `Fault`."""
        status, body = self.ask(path)
        if status != http.client.OK:
            raise Fault(f"{path} answered {status}, not 200: {_start_of(body)}".rstrip(": "))
        return body

    def ask(self, path: str) -> tuple[int, bytes]:
        """Return status and body, whatever they are; no answer is a `Fault`."""
        connection = self._connection(self._host, self._port, timeout=SECONDS)
        try:
            connection.request("GET", self._base + path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Fault(f"no answer: {error}") from error
        finally:
            connection.close()


def findings(plugin: Plugin, wanted: Wanted) -> Iterator[tuple[str, Fault | None]]:
    """Yield each thing that was looked at, with what is wrong about it."""
    for path in wanted.only or PROBES:
        yield path, _fault_in(partial(plugin.fetch, path))
    if wanted.only:
        return
    yield "/manifest", _fault_in(lambda: _check_version(_manifest(plugin), wanted.version))
    yield "/metrics", _fault_in(lambda: _check_metrics(plugin.fetch("/metrics")))
    if not wanted.without_remote:
        yield "remote", _fault_in(lambda: _check_remote(plugin, _manifest(plugin), wanted.remote))


def _fault_in(look: Callable[[], object]) -> Fault | None:
    try:
        look()
    except Fault as fault:
        return fault
    return None


def _manifest(plugin: Plugin) -> dict[str, Any]:
    return document("/manifest", plugin.fetch("/manifest"))


def document(where: str, body: bytes) -> dict[str, Any]:
    """Return the JSON object in *body*, which came from *where*; anything else is a `Fault`."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Fault(f"{where} is not JSON") from error
    if not isinstance(found, dict):
        raise Fault(f"{where} is not a JSON object")
    return found


def _check_version(manifest: dict[str, Any], wanted: str | None) -> None:
    """Hold the version that runs against the one that was meant to run."""
    version = manifest.get("version")
    if not isinstance(version, str):
        raise Fault("names no version")
    if wanted is not None and version != wanted:
        raise Fault(f"names version {version}, not {wanted}")


def _check_metrics(body: bytes) -> None:
    if METRIC not in body:
        raise Fault("holds no plugin_info")


def _check_remote(plugin: Plugin, manifest: dict[str, Any], elsewhere: str | None) -> None:
    """Hold the entry's bytes against the manifest, and against the hashes beside it."""
    ui, name = manifest.get("ui"), manifest.get("name")
    path = elsewhere or (ui.get("remotePath") if isinstance(ui, dict) else None)
    if not isinstance(path, str) or not path.startswith("/") or not isinstance(name, str):
        raise Fault("the manifest names no plugin or no path for it")
    body = plugin.fetch(path)
    container = f"plugin_{name.replace('-', '_')}"
    if container.encode() not in body:
        raise Fault(f"{path} is not the container {container}")
    wanted = _integrity(plugin, path)
    if wanted is not None and wanted != f"sha384-{_hash_of(body)}":
        raise Fault(f"{path} is not what integrity.json says")


def _integrity(plugin: Plugin, path: str) -> object:
    """Return the hash that lies beside the entry; a bundle without hashes has none."""
    folder, entry = posixpath.split(path)
    listing = posixpath.join(folder, "integrity.json")
    status, body = plugin.ask(listing)
    if status == http.client.NOT_FOUND:
        return None
    if status != http.client.OK:
        raise Fault(f"{listing} answered {status}")
    return document(listing, body).get(entry, "none")


def _hash_of(body: bytes) -> str:
    return base64.b64encode(hashlib.sha384(body).digest()).decode("ascii")


def _start_of(body: bytes) -> str:
    return " ".join(body[:200].decode("utf-8", "replace").split())
