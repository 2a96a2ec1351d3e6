"""Speak HTTP/1.1 as uvicorn does, with a lane for deliveries and one write for each small answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mosaiclife_plugin_sdk.frame.edge import RawHeaders
from mosaiclife_plugin_sdk.frame.lane import Exchange, Lane

_CLOSE = (b"connection", b"close")


class Protocol(HttpToolsProtocol):
    """Uvicorn's protocol, which need not see those requests that a lane admits.

    Such a request has an `Exchange` in the place of uvicorn's cycle, which looks enough like one
    for all that concerns the connection: pipelining, keep-alive, its end.
    """

    def __init__(self, lane: Lane, **others: Any) -> None:
        """Serve one connection, and let *lane* choose first."""
        super().__init__(**others)
        self._lane = lane
        self._exchange: Exchange | None = None  # the last one
        self._reads: Exchange | None = None  # the one whose body is coming

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to serve a connection."""
        self._wire = JoinedWrites(transport, self.loop)
        joined: Any = self._wire  # what uvicorn asks of a transport it has
        super().connection_made(joined)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was being read; what is being done goes on, and is waited for at the stop."""
        doing = None if self._exchange is None else self._exchange.cut_short()
        if doing is not None:
            tasks: Any = self.tasks
            tasks.add(doing)
            doing.add_done_callback(tasks.discard)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Let a delivery in by the lane, or begin what uvicorn does with any request."""
        self._reads = self._admitted()
        if self._reads is None:
            super().on_headers_complete()
        else:
            cycle: Any = self._reads
            self.cycle = self._exchange = cycle

    def on_body(self, body: bytes) -> None:
        """Take the next part of a body."""
        if self._reads is None:
            super().on_body(body)
        else:
            self._reads.read(body)

    def on_message_complete(self) -> None:
        """Begin what is to be done with a delivery, once all of it is there."""
        if self._reads is None:
            super().on_message_complete()
        else:
            self._reads.complete()

    def _admitted(self) -> Exchange | None:
        """Return the exchange for a delivery that finds the connection at rest."""
        if self.url != self._lane.target or self.parser.get_method() != b"POST":
            return None
        last: Any = self.cycle  # none before the first
        if (
            (last and not last.response_complete)
            or self.expect_100_continue
            or self.flow.write_paused
        ):
            return None
        if self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        exchange = self._lane.admit(self.headers, self._send)
        if exchange is not None:
            exchange.keep_alive = self.parser.should_keep_alive()
        return exchange

    def _send(self, exchange: Exchange, status: int, headers: RawHeaders, body: bytes) -> None:
        """Write an answer in one piece, and turn to the next request."""
        if self._wire.is_closing():
            return
        closing = not exchange.keep_alive or _CLOSE in headers
        lines = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        if closing and _CLOSE not in headers:
            lines.append(b"connection: close\r\n")
        self._wire.write_whole(b"".join((*lines, b"\r\n", body)))
        if closing:
            self._wire.close()
        self.on_response_complete()


class JoinedWrites:
    """A transport that keeps a first piece back until the second, or the next turn of the loop.

    To send a segment costs more than to make a small answer, and uvicorn writes its head and its
    body apart.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Write to *transport*, from the thread of *loop*."""
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the transport does."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send *data* with what is held, or hold it for a moment."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = data
            self._loop.call_soon(self._flush)

    def write_whole(self, data: bytes) -> None:
        """Send *data*, to which nothing belongs that is not there yet."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Send what is held, and close."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether the connection is going."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        # The caller may have gone in the meantime: there is nobody left to write to.
        if held and not self._transport.is_closing():
            self._transport.write(held)
