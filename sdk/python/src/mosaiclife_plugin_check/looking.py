"""Fetch what every plugin must offer (spec §8.2), and judge it."""

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SECONDS = 3.0
PROBES = ("/healthz", "/readyz")
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
    entry: str | None = None


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
        connection = self._connection(self._host, self._port, timeout=SECONDS)
        try:
            connection.request("GET", self._base + path, headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Fault(f"no answer: {error}") from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise Fault(f"answered {answer.status}, not 200: {_start_of(body)}")
        return body


def findings(plugin: Plugin, wanted: Wanted) -> Iterator[tuple[str, Fault | None]]:
    """Yield each thing that was looked at, with what is wrong about it."""
    for path in wanted.only or PROBES:
        yield path, _fault_in(partial(plugin.fetch, path))
    if wanted.only:
        return
    yield "/manifest", _fault_in(lambda: _check_version(_manifest(plugin), wanted.version))
    yield "/metrics", _fault_in(lambda: _check_metrics(plugin.fetch("/metrics")))
    yield "the remote's entry", _fault_in(lambda: _check_entry(plugin, wanted.entry))


def _fault_in(look: Callable[[], object]) -> Fault | None:
    try:
        look()
    except Fault as fault:
        return fault
    return None


def _manifest(plugin: Plugin) -> dict[str, Any]:
    try:
        document = json.loads(plugin.fetch("/manifest"))
    except ValueError as error:
        raise Fault("is not JSON") from error
    if not isinstance(document, dict):
        raise Fault("is not a JSON object")
    return document


def _check_version(manifest: dict[str, Any], wanted: str | None) -> None:
    """Hold the version that runs against the one that was meant to run."""
    version = manifest.get("version")
    if not isinstance(version, str):
        raise Fault("names no version")
    if wanted is not None and version != wanted:
        raise Fault(f"names version {version}, not {wanted}")


def _check_metrics(body: bytes) -> None:
    if b"# TYPE " not in body:
        raise Fault("holds no metric")


def _check_entry(plugin: Plugin, file: str | None) -> None:
    """Fetch the entry where the manifest says that it lies, and compare it byte by byte."""
    ui = _manifest(plugin).get("ui")
    path = ui.get("remotePath") if isinstance(ui, dict) else None
    if not isinstance(path, str) or not path.startswith("/"):
        raise Fault("the manifest names no path for it")
    body = plugin.fetch(path)
    if not body:
        raise Fault(f"{path} is empty")
    if file is not None and body != _read(Path(file)):
        raise Fault(f"{path} differs from {file}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Fault(f"{file} cannot be read: {error.strerror}") from error


def _start_of(body: bytes) -> str:
    return " ".join(body[:200].decode("utf-8", "replace").split())
