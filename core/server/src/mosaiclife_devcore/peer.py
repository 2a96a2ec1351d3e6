"""Speak HTTP/1.1 on a bare socket, where a web framework hides what a proxy must see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import h11

from mosaiclife_devcore.errors import BadRequest, TooLarge

Headers = Iterable[tuple[bytes, bytes]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

LARGEST_HEAD = 32 << 10
CHUNK = 64 << 10


class Gone(Exception):
    """The other side has left."""


class Peer:
    """One connection that carries one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        self._head_only = False

    async def request(self) -> h11.Request:
        """Read the head of the request."""
        event = await self._next()
        if not isinstance(event, h11.Request):
            raise Gone
        self._head_only = event.method == b"HEAD"
        return event

    async def body(self, most: int) -> bytes:
        """Read the body, of at most *most* bytes."""
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        content = bytearray()
        while isinstance(event := await self._next(), h11.Data):
            content += event.data
            if len(content) > most:
                raise TooLarge(f"the body is over {most} bytes")
        return bytes(content)

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer whole, and say that the connection ends."""
        said = [*headers, (b"connection", b"close")]
        if status >= 200 and status not in {204, 304}:
            said.append((b"content-length", str(len(body)).encode()))
        await self._send(h11.Response(status_code=status, headers=said))
        if body and not self._head_only:
            await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def tunnel(self, far: Streams, idle: float) -> None:
        """Agree to CONNECT, and carry bytes both ways from now on."""
        await self._next()
        await self._send(h11.Response(status_code=200, headers=[], reason=b"Connected"))
        far[1].write(self._http.trailing_data[0])
        await relay((self._reader, self._writer), far, idle)

    async def _next(self) -> object:
        """Return the next event, or h11's word for a pause."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise BadRequest(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            data = await self._reader.read(CHUNK)
            if not data and self._http.their_state is h11.IDLE:
                raise Gone
            self._http.receive_data(data)

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()


async def relay(one: Streams, other: Streams, idle: float) -> None:
    """Carry bytes both ways until both sides have ended, or nothing moved for *idle* seconds."""
    moved = asyncio.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            moved.set()
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def both() -> None:
        await asyncio.gather(pump(one[0], other[1]), pump(other[0], one[1]))

    tasks = [asyncio.create_task(both()), asyncio.create_task(_until_still(moved, idle))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_still(moved: asyncio.Event, idle: float) -> None:
    while True:
        moved.clear()
        try:
            await asyncio.wait_for(moved.wait(), idle)
        except TimeoutError:
            return
