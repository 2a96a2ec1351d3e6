"""Stand in for core: a real server on the loopback that answers as it is told, and remembers."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REGISTER = "/api/plugins/register"


@dataclass(frozen=True)
class Answer:
    """What to answer: JSON, or nothing at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass(frozen=True)
class Asked:
    """One request of the plugin."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        """Return the decoded body, None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def refusal(status: int, code: str, message: str) -> Answer:
    """Return core's error body."""
    details = [{"field": "compat.core", "message": message}]
    return Answer(status, {"error": {"code": code, "message": message, "details": details}})


HANG_UP = Answer(0, hang_up=True)


class StandInCore:
    """A core that knows one plugin; use it as a context manager."""

    def __init__(self, token: str, *script: Answer) -> None:
        """Answer registrations with *script* first, and accept whatever has *token* from then on."""
        self.token = token
        self.remote = Answer(404, {})
        self._script = deque(script)
        self._asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._serve, name="stand-in-core", daemon=True)

    @property
    def url(self) -> str:
        """Return the value for CORE_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def remote_url(self) -> str:
        """Return the address of a remote that is there when `remote` says so."""
        return f"{self.url}/elsewhere/remoteEntry.js"

    def __enter__(self) -> "StandInCore":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.cut()
        self._server.server_close()
        self._thread.join()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    @property
    def registrations(self) -> list[Asked]:
        """Return every attempt to register, answered kindly or not."""
        with self._lock:
            return [asked for asked in self._asked if asked.path == REGISTER]

    def answer(self, asked: Asked) -> Answer:
        """Keep a request, and answer it."""
        with self._lock:
            self._asked.append(asked)
            if asked.path.startswith("/elsewhere/"):
                return self.remote
            if asked.path == REGISTER and self._script:
                return self._script.popleft()
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return refusal(401, "AUTH_INVALID", "the token is not the one that core gave")
        return _well(asked)


def _well(asked: Asked) -> Answer:
    """Answer as a core that is content with everything."""
    if asked.path != REGISTER:
        return Answer(202, {"data": {"id": "accepted"}})
    body = asked.json()
    manifest = body.get("manifest") if isinstance(body, dict) else None
    if not isinstance(manifest, dict):
        return refusal(422, "VALIDATION_FAILED", "there is no manifest")
    granted = {"granted": manifest.get("capabilities") or [], "refused": []}
    record = {"id": manifest.get("name"), "state": "Registering", "core": {"version": "2.1.0"}}
    return Answer(201, {"data": {**record, "capabilities": granted, "scheduler": False}})


class _Server(ThreadingHTTPServer):
    """A server whose connections can be ended."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a plugin may leave in the middle of an answer."""

    def cut(self) -> None:
        """End every connection that a plugin keeps alive."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the plugin was faster
                self._open.discard(connection)


def _handler(core: StandInCore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = self.path.replace("/api/v1/", "/api/").partition("?")[0]
            self.reply(core.answer(Asked(self.command, path, headers, body, time.monotonic())))

        def reply(self, answer: Answer) -> None:
            if answer.hang_up:
                self.close_connection = True
                return
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"content-type": "application/json", **answer.headers}
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Stay silent: the requests are kept."""

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    return Handler
