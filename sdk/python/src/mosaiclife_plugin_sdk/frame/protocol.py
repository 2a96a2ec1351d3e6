"""Speak HTTP/1.1 as uvicorn does, with one write for each small answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """Uvicorn's protocol over a transport that joins the head of an answer to its body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to serve a connection."""
        joined: Any = JoinedWrites(transport, self.loop)  # what uvicorn asks of a transport it has
        super().connection_made(joined)


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
