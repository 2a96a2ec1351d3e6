"""Run a plugin as a process: refuse bad settings, serve, drain on a signal, exit 0."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from socket import socket
from types import FrameType
from typing import Any, NoReturn

import structlog
import uvicorn
from litestar import Litestar

from mosaiclife_plugin_sdk.app import PluginApp
from mosaiclife_plugin_sdk.errors import ManifestError, SettingsError
from mosaiclife_plugin_sdk.frame.health import Readiness
from mosaiclife_plugin_sdk.frame.logs import finish_lines, lines_in_turns
from mosaiclife_plugin_sdk.frame.protocol import Protocol
from mosaiclife_plugin_sdk.settings import FrameSettings

log = structlog.stdlib.get_logger(__name__)

Build = Callable[[Mapping[str, str]], tuple[Litestar, FrameSettings]]

BAD_SETTINGS = 2
START_FAILED = 3
KEEP_ALIVE_SECONDS = 75
# A thread that comes back from the disk asks the busy loop for its turn; with Python's own 5 ms a
# commit of a few statements would wait longer for turns than for the disk. Much less than this, and
# threads that compute would do nothing but take turns.
TURN_SECONDS = 0.0001
# Requests in flight are objects that live on for some milliseconds; Python's own 700 would have
# them walked several times each.
YOUNG_OBJECTS = 10_000


class DrainingServer(uvicorn.Server):
    """Uvicorn that goes red first and closes its listener later.

    Stock uvicorn closes the listener at the first signal, so that requests of callers who have
    not yet seen the red probe fail; and it ends by its own signal, not with 0.
    """

    def __init__(self, app: Litestar, settings: FrameSettings) -> None:
        super().__init__(_config(app, settings))
        self._readiness: Readiness = app.state.readiness
        self._plugin: PluginApp = app.state.plugin
        self._drain = settings.drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        with lines_in_turns(self._loop):
            await super().serve(sockets)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen, and leave what stands by now out of every later collection."""
        await super().startup(sockets)
        # A hundred thousand objects stay to the end: to walk them all stops requests for 70 ms.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to drain at the first signal, end at once at the second."""
        if self._readiness.draining or self._loop is None:
            finish_lines()
            os._exit(128 + sig)
        self._readiness.draining = True
        self._loop.call_soon_threadsafe(self._start_drain, self._loop)

    async def on_tick(self, counter: int) -> bool:
        """Stop also when the plugin wants to be built anew."""
        return await super().on_tick(counter) or self._plugin.start_again

    @property
    def wanted_again(self) -> bool:
        """Tell whether the plugin, and not a signal, has ended this server."""
        return self._plugin.start_again and not self._readiness.draining

    def _start_drain(self, loop: asyncio.AbstractEventLoop) -> None:
        log.info("draining", seconds=self._drain)
        loop.call_later(self._drain, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def run(build: Build) -> NoReturn:
    """Build the app from the environment and serve it until a signal; never return.

    Exit codes: 0 after a graceful stop, 2 for a bad setting or manifest, 3 when the start failed.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A log line must not wait in a buffer for the ones after it.
        sys.stdout.reconfigure(line_buffering=True)
    sys.setswitchinterval(TURN_SECONDS)
    while (server := _serve(build)).wanted_again:
        log.info("starting again")
        gc.unfreeze()
    sys.exit(0 if server.started else START_FAILED)


def _serve(build: Build) -> DrainingServer:
    """Build the app and serve it until it ends; a bad setting or manifest ends the process."""
    try:
        app, settings = build(os.environ)
    except (SettingsError, ManifestError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        sys.exit(BAD_SETTINGS)
    server = DrainingServer(app, settings)
    log.info("starting", host=settings.host, port=settings.port)
    server.run()
    return server


def _config(app: Litestar, settings: FrameSettings) -> uvicorn.Config:
    protocol: Any = partial(Protocol, app.state.lane)  # uvicorn calls it, though it wants a class
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(settings.api_timeout_ms / 1000) + 1,
    )
