"""Serve a stand-in on the loopback, in threads, with connections that can be cut."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from mosaiclife_plugin_sdk.testing.answers import Answer, Asked


class Server(ThreadingHTTPServer):
    """A threading server that can end its connections, kept alive or not."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember each connection."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """End every connection; its thread then ends by itself."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other side was faster
                self._open.discard(connection)
        deadline = time.monotonic() + 2
        while self._open and time.monotonic() < deadline:
            time.sleep(0.005)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has the server's owner answer it, and writes that."""

    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Serve one request of any method."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        self.reply(self.server.answer(Asked(self.command, path, headers, _read(content))))

    def reply(self, answer: Answer) -> None:
        """Write *answer*, to its end or for as long as it streams."""
        if answer.hang_up:
            self.close_connection = True
        elif answer.stream is not None:
            self.head(answer, {"Content-Type": "text/event-stream", "Connection": "close"})
            for piece in answer.stream():
                self.wfile.write(piece)
        else:
            content = answer.content()
            plain = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            self.head(answer, plain)
            self.wfile.write(content)

    def head(self, answer: Answer, headers: dict[str, str]) -> None:
        """Write status and headers."""
        self.send_response(answer.status)
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def handle_one_request(self) -> None:
        """Let a client go that did not wait for its answer."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing: a test reads `asked`."""

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content
