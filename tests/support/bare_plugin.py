"""A plugin in plain `http.server`, written from the design's tables: what core has to live with."""

import base64
import contextlib
import hashlib
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.processes import free_port

ENTRY = b"var plugin_bare = { get() {}, init() {} };"
CHUNK = b"console.log('a chunk of the bare plugin');" * 40

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Call:
    """A request that reached the plugin."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@dataclass
class BarePlugin:
    """Serves its probes and its remote, records every call, and answers what a test scripts."""

    name: str = "bare"
    version: str = "1.0.0"
    token: str = "bare-token"
    port: int = field(default_factory=free_port)
    ready: bool = True
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    slow: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None
    _open: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the remote's folder."""
        self.files |= {
            "/mf/remoteEntry.js": ("text/javascript", ENTRY),
            "/mf/chunk.1234abcd.js": ("text/javascript", CHUNK),
            "/mf/page.html": ("text/html", b"<script>alert(1)</script>"),
            "/mf/mark.svg": ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        }

    @property
    def url(self) -> str:
        """Return the plugin's origin."""
        return f"http://127.0.0.1:{self.port}"

    def manifest(self, **changes: Any) -> dict[str, Any]:
        """Return the manifest, with some top-level members changed."""
        return {
            "name": self.name,
            "version": self.version,
            "compat": {"core": ">=2.1 <3.0"},
            "capabilities": ["events:publish", "events:subscribe", "jobs:schedule"],
            "ui": {"mode": "ModuleFederation", "remotePath": "/mf/remoteEntry.js"},
            "endpoints": {"basePath": "/v1"},
            "health": {"livenessPath": "/healthz", "readinessPath": "/readyz"},
            **changes,
        }

    def registration(self, **changes: Any) -> dict[str, Any]:
        """Return the body of a registration, with some members changed."""
        remote = {"remoteUrl": f"{self.url}/mf/remoteEntry.js", "integrity": sri(self.entry)}
        return {"manifest": self.manifest(), "serviceUrl": self.url, "ui": remote, **changes}

    @property
    def entry(self) -> bytes:
        """Return the bytes of the remote's entry."""
        return self.files["/mf/remoteEntry.js"][1]

    def register(self, core: httpx.Client, **changes: Any) -> httpx.Response:
        """Register with core."""
        return core.post(
            "/api/plugins/register",
            json=self.registration(**changes),
            headers={"authorization": f"Bearer {self.token}"},
        )

    def received(self, path: str) -> list[Call]:
        """Return the calls that a path received."""
        return [call for call in list(self.calls) if call.path.partition("?")[0] == path]

    def start(self) -> Self:
        """Listen."""
        plugin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                plugin._open.append(self.connection)

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, self.rfile.read(length))
                self.reply(*plugin.answer(call))

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Stay silent: the calls are recorded."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Be gone, as a crashed process is."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        while self._open:
            with contextlib.suppress(OSError):  # it may be closed already
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop."""
        self.slow.set()
        self.stop()

    def answer(self, call: Call) -> Answer:
        """Record a call and say what to answer."""
        self.calls.append(call)
        path = call.path.partition("?")[0]
        if script := self.answers.get(path):
            return script.pop(0) if len(script) > 1 else script[0]
        if path in self.files:
            media_type, body = self.files[path]
            return 200, {"content-type": media_type}, body
        if path == "/v1/slow":
            self.slow.wait(30)
        if path == "/readyz" and not self.ready:
            return as_json({"checks": {"store": {"status": "fail"}}}, 503)
        if path == "/manifest":
            return as_json(self.manifest())
        return as_json({"data": {"path": call.path}})


def as_json(document: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer in JSON."""
    plain = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **plain}, json.dumps(document).encode()


def sri(body: bytes) -> str:
    """Return the subresource integrity of some bytes."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
