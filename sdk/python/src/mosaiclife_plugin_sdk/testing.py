"""Stand in for core in a plugin's own tests: `FakeCore`, a real server on the loopback.

It answers as core does (design §4) until it is told to answer otherwise, and keeps what
it was asked. A plugin under test talks to it over HTTP, as it will to the real one.
"""

from __future__ import annotations

import hmac
import json
import secrets as random_secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

from mosaiclife_plugin_sdk.clock import rfc3339, utc_now
from mosaiclife_plugin_sdk.cron import Cron, CronError

T = TypeVar("T")

NEEDS: Mapping[str, str] = {
    "events": "events:publish",
    "jobs": "jobs:schedule",
    "secrets": "secrets:read",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer instead: a JSON *body*, or *raw* bytes; after *delay*; or nothing at all."""

    status: int = 200
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False

    def content(self) -> bytes:
        """Return the bytes of the body."""
        return json.dumps(self.body).encode() if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


def refusal(
    status: int,
    code: str,
    message: str = "",
    *,
    details: Sequence[Mapping[str, str]] = (),
    retry_after: int | None = None,
) -> Answer:
    """Return core's one error shape, as 401 `AUTH_INVALID` or 409 `PLUGIN_INCOMPATIBLE`."""
    error = {
        "code": code,
        "message": message or HTTPStatus(status).phrase,
        "details": [dict(detail) for detail in details],
        "requestId": "fake",
        "timestamp": rfc3339(utc_now()),
    }
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, {"error": error}, headers=headers)


def garbage() -> Answer:
    """Return what a broken proxy answers: 200, and a page where JSON should be."""
    return Answer(raw=b"<html>\xff not json", headers={"Content-Type": "text/html"})


def hang_up() -> Answer:
    """Return no answer: the connection ends."""
    return Answer(hang_up=True)


class FakeCore:
    """A core for one plugin, to be used as a context manager.

    `script` queues answers for one kind of call: `register`, `events`, `jobs`, `secrets`.
    When the queue is empty core is well again.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        version: str = "2.1.0",
        scheduler: bool = False,
        secrets: Mapping[str, str] | None = None,
        refused: Sequence[str] = (),
        prefix: str = "/api",
    ) -> None:
        """Prepare a core that knows one *token* and refuses the capabilities in *refused*."""
        self.token = token or random_secrets.token_urlsafe(24)
        self.version = version
        self.scheduler = scheduler
        self.secrets = dict(secrets or {})
        self.refused = list(refused)
        self.prefix = prefix
        self.asked: list[Asked] = []
        self.registrations: list[dict[str, Any]] = []
        self.events: list[tuple[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self._scripts: dict[str, deque[Answer]] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._serve, name="fake-core", daemon=True)

    # The life of the server.

    @property
    def url(self) -> str:
        """Return the value for `CORE_BASE_URL`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop answering, and end every connection: core is gone."""
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.cut()
        self._thread.join()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    # What a test says and asks.

    def script(self, call: str, *answers: Answer) -> None:
        """Answer the next calls of a kind with *answers*, one each."""
        with self._changed:
            self._scripts.setdefault(call, deque()).extend(answers)

    def forget(self) -> None:
        """Be a core that was restarted: it knows no plugin, no job."""
        with self._changed:
            self.registrations.clear()
            self.jobs.clear()

    def wait_for(self, probe: Callable[[FakeCore], T], *, within: float = 10.0) -> T:
        """Return the first truthy *probe* of this core; fail after *within* seconds."""
        with self._changed:
            self._changed.wait_for(lambda: probe(self), timeout=within)
            found = probe(self)
        if not found:
            asked = [f"{one.method} {one.path}" for one in self.asked]
            raise AssertionError(f"core was not asked for it within {within} s, but: {asked}")
        return found

    # Answering.

    def answer(self, asked: Asked) -> Answer:
        """Answer one request, and keep it."""
        with self._changed:
            self.asked.append(asked)
            answer = self._answer(asked)
            self._changed.notify_all()
        self._stopped.wait(answer.delay)
        return answer

    def _answer(self, asked: Asked) -> Answer:
        call, _, name = self._call(asked.path).partition("/")
        if scripted := self._scripts.get(call):
            return scripted.popleft()
        handler = self._handlers().get((asked.method, call))
        if handler is None:
            return refusal(404, "RESOURCE_NOT_FOUND")
        if not self._is_ours(asked.headers.get("authorization", "")):
            return refusal(401, "AUTH_INVALID")
        if call != "register" and not self.registrations:
            return refusal(404, "PLUGIN_UNKNOWN")
        if call in NEEDS and NEEDS[call] not in self.granted:
            return refusal(403, "PERMISSION_DENIED", f"{NEEDS[call]} was not granted")
        return handler(unquote(name), asked.body)

    @property
    def granted(self) -> list[str]:
        """Return the capabilities that the plugin asked for last and was granted."""
        asked = self.registrations[-1]["manifest"].get("capabilities") or []
        return [one for one in asked if one not in self.refused]

    def _call(self, path: str) -> str:
        """Return `register`, or what follows `/plugins/-/`; `/v1` is an alias."""
        root = path.removeprefix(self.prefix).removeprefix("/v1")
        below = root.removeprefix("/plugins/")
        return "register" if below == "register" else below.removeprefix("-/")

    def _is_ours(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode())

    def _handlers(self) -> Mapping[tuple[str, str], Callable[[str, Any], Answer]]:
        return {
            ("POST", "register"): self._register,
            ("POST", "events"): self._publish,
            ("PUT", "jobs"): self._put_job,
            ("DELETE", "jobs"): self._delete_job,
            ("GET", "secrets"): self._secret,
        }

    def _register(self, _: str, body: Any) -> Answer:
        manifest = body.get("manifest") if isinstance(body, dict) else None
        if not isinstance(manifest, dict) or "name" not in manifest:
            detail = {"field": "$.manifest", "message": "an object with a name is required"}
            return refusal(422, "VALIDATION_FAILED", details=[detail])
        status = 200 if self.registrations else 201
        self.registrations.append(body)
        return _data(self._record(manifest), status)

    def _record(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        asked = manifest.get("capabilities") or []
        return {
            "id": manifest["name"],
            "state": "Registering",
            "core": {"version": self.version},
            "capabilities": {
                "granted": self.granted,
                "refused": [
                    {"capability": one, "reason": "refused by the test"}
                    for one in asked
                    if one in self.refused
                ],
            },
            "scheduler": self.scheduler,
        }

    def _publish(self, _: str, body: Any) -> Answer:
        if not isinstance(body, dict) or not isinstance(body.get("topic"), str):
            detail = {"field": "$.topic", "message": "a string is required"}
            return refusal(422, "VALIDATION_FAILED", details=[detail])
        self.events.append((body["topic"], body.get("payload")))
        return _data({"id": f"event-{len(self.events)}"}, 202)

    def _put_job(self, name: str, body: Any) -> Answer:
        try:
            Cron.parse(body["schedule"], body.get("timezone", "UTC"))
        except (CronError, KeyError, TypeError, AttributeError) as error:
            detail = {"field": "$.schedule", "message": str(error)}
            return refusal(422, "VALIDATION_FAILED", details=[detail])
        self.jobs[name] = body
        return _data({"name": name}, 200)

    def _delete_job(self, name: str, _: Any) -> Answer:
        if self.jobs.pop(name, None) is None:
            return refusal(404, "RESOURCE_NOT_FOUND")
        return _data({"name": name}, 200)

    def _secret(self, name: str, _: Any) -> Answer:
        if name not in self.registrations[-1]["manifest"].get("secrets", []):
            return refusal(403, "PERMISSION_DENIED", "the manifest declares no secret of this name")
        if name not in self.secrets:
            return refusal(404, "RESOURCE_NOT_FOUND")
        return _data({"name": name, "value": self.secrets[name]}, 200)


def _data(data: Any, status: int) -> Answer:
    meta = {"requestId": "fake", "timestamp": rfc3339(utc_now())}
    return Answer(status, {"data": data, "meta": meta})


class _Server(ThreadingHTTPServer):
    """A threading server that can end its connections, kept alive or not."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
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


def _handler(core: FakeCore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = urlsplit(self.path).path
            self.reply(core.answer(Asked(self.command, path, headers, _read(content))))

        def reply(self, answer: Answer) -> None:
            if answer.hang_up:
                self.close_connection = True
                return
            content = answer.content()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", **answer.headers}
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # a client that did not wait for its answer
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Say nothing: a test reads `asked`."""

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    return Handler


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content
