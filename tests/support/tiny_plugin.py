"""A plugin that has nothing but the frame and one route of each kind; a program too."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from mosaiclife_plugin_sdk import (
    CheckDegraded,
    CheckFailed,
    CoreClient,
    Delivery,
    Job,
    JobContext,
    Manifest,
    PluginApp,
    UnsupportedMediaType,
    UserContext,
    parse_manifest,
    read_settings,
)
from mosaiclife_plugin_sdk.frame import FrameSettings, create_app, ok, run

MANIFEST: dict[str, Any] = {
    "name": "tiny",
    "version": "0.1.0",
    "compat": {"core": ">=2.1 <3.0"},
    "capabilities": ["events:publish", "jobs:schedule"],
    "ui": {"mode": "ModuleFederation", "remotePath": "/mf/remoteEntry.js"},
    "endpoints": {"basePath": "/v1"},
    "health": {"livenessPath": "/healthz", "readinessPath": "/readyz"},
}


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """A body."""

    text: str
    stars: int = 0


@get("/notes")
async def list_notes(
    request: Request[Any, Any, Any],
    tenant: NamedDependency[str],
    viewer: NamedDependency[UserContext],
    limit: FromQuery[int] = 20,
) -> Response[Any]:
    """Say who asks, with an ETag."""
    return ok(request, {"tenant": tenant, "sub": viewer.sub, "limit": limit}, etag="notes-1")


@get("/notes/{note_id:str}")
async def read_note(request: Request[Any, Any, Any], note_id: FromPath[str]) -> Response[Any]:
    """Return one note; any id will do."""
    return ok(request, note_id)


@post("/notes")
async def write_note(request: Request[Any, Any, Any], data: JSONBody[Note]) -> Response[Any]:
    """Return the note that came."""
    return ok(request, data, status=201)


@get("/slow")
async def slow(request: Request[Any, Any, Any], seconds: FromQuery[float] = 2.0) -> Response[Any]:
    """Take *seconds*."""
    await asyncio.sleep(seconds)
    return ok(request, seconds)


@get("/broken")
async def broken() -> None:
    """Fail as code fails."""
    raise RuntimeError("the secret is secret-token-1")


async def linger(_context: JobContext) -> dict[str, bool]:
    """Take longer than a drain of the tests lasts."""
    await asyncio.sleep(1.5)
    return {"lingered": True}


class TinyPlugin(PluginApp):
    """Counts what the frame hands it."""

    routes: Sequence[Any] = (list_notes, read_note, write_note, slow, broken)
    jobs: Sequence[Job] = (
        Job("tidy", "Tidy up.", run=lambda _context: {"tidied": 1}, schedule="0 3 * * *"),
        Job("linger", "Take a while.", run=linger),
    )

    def __init__(self, manifest: Manifest | None = None) -> None:
        """Start with nothing."""
        super().__init__(manifest or parse_manifest(MANIFEST))
        self.webhook = self.take
        self.taken: list[Delivery] = []
        self.calls: list[str] = []
        self.healthy = True
        self.reservation = ""
        self.checks = {"store": self.check}
        self.queues = {"inbox": lambda: float(len(self.taken))}

    async def check(self) -> None:
        """Be as healthy as the test wants."""
        if not self.healthy:
            raise CheckFailed("the test says so")
        if self.reservation:
            raise CheckDegraded(self.reservation)

    async def take(self, delivery: Delivery) -> dict[str, int]:
        """Count a delivery."""
        if delivery.content_type != "application/json":
            raise UnsupportedMediaType
        self.taken.append(delivery)
        return {"count": len(self.taken)}

    def on_start(self, core: CoreClient) -> None:
        """Note the call."""
        self.calls.append("start")

    def on_stop(self) -> None:
        """Note the call."""
        self.calls.append("stop")


def settings(manifest: Manifest, folder: Path, **environ: str) -> FrameSettings:
    """Return settings for a test: no core, one token, no bundle unless one lies in *folder*."""
    base = {
        "SELF_REGISTER": "false",
        "REG_TOKEN": "secret-token-1",
        "PLUGIN_MANIFEST": "plugin.yaml",
        "UI_BUNDLE_DIR": str(folder),
    }
    return read_settings(FrameSettings, manifest, {**base, **environ})


def build(environ: Mapping[str, str]) -> tuple[Litestar, FrameSettings]:
    """Build the tiny plugin as a process does."""
    plugin = TinyPlugin()
    read = read_settings(FrameSettings, plugin.manifest, environ)
    return create_app(plugin, read), read


if __name__ == "__main__":
    run(build)
