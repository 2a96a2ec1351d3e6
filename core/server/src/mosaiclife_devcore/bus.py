"""Tell open pages and subscribed plugins what happens, by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from mosaiclife_devcore.errors import NotFound
from mosaiclife_devcore.registry import Plugin
from mosaiclife_devcore.requests import encode
from mosaiclife_devcore.settings import Settings

QUEUE = 256
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
PLUGIN_CHANGED = "plugin.changed"
HEARTBEAT = "core.heartbeat"
COMMENT = b": still here\n\n"

Message = Mapping[str, Any]
Listener = asyncio.Queue[Message | None]


class Bus:
    """A fan-out of messages; a listener that does not keep up is let go and may come back."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._closed = False

    def open(self) -> Listener:
        """Return a queue that receives every message from now on; None ends it."""
        listener: Listener = asyncio.Queue(QUEUE)
        self._listeners.add(listener)
        if self._closed:
            listener.put_nowait(None)
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop sending to *listener*."""
        self._listeners.discard(listener)

    def publish(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Send a topic's payload to everybody who listens."""
        self.send({"type": topic, "payload": payload})

    def plugin_changed(self, plugin: Plugin) -> None:
        """Say that a plugin's record is another now."""
        self.send({"type": PLUGIN_CHANGED, "id": plugin.id})

    def send(self, message: Message) -> None:
        """Put *message* before every listener."""
        for listener in list(self._listeners):
            if listener.full():
                self._end(listener)
            else:
                listener.put_nowait(message)

    def close(self) -> None:
        """End all streams, so that a stopping server has nothing to wait for."""
        self._closed = True
        for listener in list(self._listeners):
            self._end(listener)

    def _end(self, listener: Listener) -> None:
        self.leave(listener)
        while listener.full():
            listener.get_nowait()
        listener.put_nowait(None)


@get("/events/stream")
async def stream_to_page(bus: NamedDependency[Bus], settings: NamedDependency[Settings]) -> Stream:
    """Stream all that a page may react to; a page that hears no heartbeat knows a dead line."""
    seconds = settings.heartbeat_seconds
    return _stream(bus, None, seconds, _data({"type": HEARTBEAT, "seconds": seconds}))


@get("/events/{topic:str}")
async def stream_to_plugin(
    topic: FromPath[str],
    bus: NamedDependency[Bus],
    caller: NamedDependency[Plugin],
    settings: NamedDependency[Settings],
) -> Stream:
    """Stream one topic to a plugin that may subscribe."""
    caller.registration().approval.require("events:subscribe")
    if topic == PLUGIN_CHANGED:
        raise NotFound("the registry's changes are for pages")
    return _stream(bus, topic, settings.heartbeat_seconds, COMMENT)


def _stream(bus: Bus, topic: str | None, seconds: float, beat: bytes) -> Stream:
    lines = _lines(bus, topic, seconds, beat)
    return Stream(lines, media_type="text/event-stream", headers=HEADERS)


async def _lines(bus: Bus, topic: str | None, seconds: float, beat: bytes) -> AsyncIterator[bytes]:
    listener = bus.open()
    try:
        # A page learns at once how often to expect the next sign of life.
        yield b": open\n\n" + (beat if topic is None else b"")
        while True:
            try:
                async with asyncio.timeout(seconds):
                    message = await listener.get()
            except TimeoutError:
                yield beat
                continue
            if message is None:
                return
            if topic is None or message["type"] == topic:
                yield _data(message)
    finally:
        bus.leave(listener)


def _data(message: Message) -> bytes:
    return b"data: " + encode(message) + b"\n\n"
