"""Meet every request first and see it off last: one pure ASGI layer around the whole app.

Host check, request id, time limit, span, metrics, access line, HEAD, OPTIONS and `nosniff` share
one pass over the headers and one wrapped `send`; eight middlewares would cost eight.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import context as otel

from mosaiclife_plugin_sdk.context import limit_time
from mosaiclife_plugin_sdk.errors import BadRequest, PluginError, Timeout
from mosaiclife_plugin_sdk.frame.bodies import problem
from mosaiclife_plugin_sdk.frame.logs import AccessLog
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.tracing import Tracing, end_span
from mosaiclife_plugin_sdk.settings import FrameSettings

UNMATCHED = "unmatched"
ASTERISK = "*"
TOO_LARGE = 413
REST_BYTES = 16 * 1024 * 1024  # what a refused body may still send, so that its answer arrives
REST_SECONDS = 2.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_READ_HERE = {
    name.encode(): name
    for name in ("host", "x-request-id", "x-request-timeout-ms", "traceparent", "tracestate")
}

Headers = dict[str, list[str]]
RawHeaders = list[tuple[bytes, bytes]]


class Edge:
    """The outermost layer."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        tracing: Tracing,
        settings: FrameSettings,
        *,
        access: AccessLog,
        allowed: Callable[[str], str] = lambda _template: "OPTIONS",
    ) -> None:
        self._app = app
        self._allowed = allowed
        self._metrics = metrics
        self._tracing = tracing
        self._limit = settings.api_timeout_ms / 1000
        self._log_share = settings.access_log_sample
        self._log = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        started = time.perf_counter()
        headers = _headers_in_question(scope)
        visit = _Visit(scope, receive, send, _request_id(headers), self._allowed)
        span, context = self._tracing.server_span(visit.method, headers)
        token = otel.attach(context)
        try:
            await self._serve(visit, headers)
        finally:
            seconds = time.perf_counter() - started
            route = str(visit.scope.get("path_template") or UNMATCHED)
            self._metrics.request_answered(visit.method, route, visit.status, seconds)
            if visit.status >= 500 or random.random() < self._log_share:  # sampling
                self._log.write(
                    span.get_span_context(),
                    method=visit.method,
                    route=route,
                    path=visit.path,
                    status=visit.status,
                    seconds=seconds,
                    request_id=visit.request_id,
                )
            otel.detach(token)
            end_span(span, visit.method, route, visit.status)

    async def _serve(self, visit: _Visit, headers: Headers) -> None:
        try:
            _check_target(visit.scope, headers)
            if visit.path == ASTERISK:
                await visit.answer(200, [(b"allow", self._allowed(ASTERISK).encode())])
                return
            limit = _time_limit(_single(headers, "x-request-timeout-ms"), self._limit)
            with limit_time(limit):
                async with asyncio.timeout(limit):
                    await self._app(visit.scope, visit.receive, visit.send)
        except PluginError as error:
            await visit.refuse(error)
        except TimeoutError:
            if visit.started:
                raise
            self._metrics.error("timeout")
            await visit.refuse(Timeout())


class _Visit:
    """One request and what has been answered so far."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        request_id: str,
        allowed: Callable[[str], str],
    ) -> None:
        method = str(scope.get("method", ""))
        self.method = method if method in _METHODS else "OTHER"
        self.path = scope["path"]
        self.request_id = request_id
        self.status = 500
        self._receive = receive
        self._send = send
        self._allowed = allowed
        self._more_to_read = True
        self._head_only = method == "HEAD"
        # A copy: the server looks into its own one, where HEAD stays HEAD.
        inner: dict[str, Any] = {**scope, "request_id": request_id}
        if self._head_only:
            inner["method"] = "GET"
        self.scope: Any = inner
        self.started = False

    async def receive(self) -> Any:
        """Pass the next part of the request on."""
        message: Any = await self._receive()
        self._more_to_read = message.get("more_body", False)
        return message

    async def _take_rest(self) -> None:
        """Read on for a while: closing on unread bytes resets the connection, answer and all."""
        taken = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                while self._more_to_read and taken < REST_BYTES:
                    taken += len((await self.receive()).get("body", b""))

    async def send(self, message: Message) -> None:
        """Pass *message* on, with the headers that every answer carries."""
        if message["type"] == "http.response.start":
            self.status, self.started = message["status"], True
            if self.status == TOO_LARGE:
                await self._take_rest()
            message["headers"] = [
                *self._whole_allow(message["headers"]),
                (b"x-content-type-options", b"nosniff"),
                (b"x-request-id", self.request_id.encode()),
            ]
        elif self._head_only and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)

    async def refuse(self, error: PluginError) -> None:
        """Answer with *error*, from outside the framework."""
        body = msgspec.json.encode(problem(error, self.request_id))
        kind = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await self.answer(error.status, kind, body)

    async def answer(self, status: int, headers: RawHeaders, body: bytes = b"") -> None:
        """Answer from outside the framework."""
        sized = [*headers, (b"content-length", str(len(body)).encode())]
        start: Any = {"type": "http.response.start", "status": status, "headers": sized}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    def _whole_allow(self, headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
        """Let the answer to OPTIONS name every method of the route."""
        template = self.scope.get("path_template")
        if self.method != "OPTIONS" or self.status >= 300 or template is None:
            return list(headers)
        others = [(name, value) for name, value in headers if name != b"allow"]
        return [*others, (b"allow", self._allowed(template).encode())]


def _headers_in_question(scope: Scope) -> Headers:
    """Return every value of the headers that the edge reads itself."""
    found: Headers = {}
    for name, value in scope["headers"]:
        if (known := _READ_HERE.get(name)) is not None:
            found.setdefault(known, []).append(value.decode("latin-1").strip(" \t"))
    return found


def _single(headers: Headers, name: str) -> str | None:
    """Return the value of a header; one that stands twice counts as absent."""
    values = headers.get(name, [])
    return values[0] if len(values) == 1 else None


def _request_id(headers: Headers) -> str:
    given = _single(headers, "x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _check_target(scope: Scope, headers: Headers) -> None:
    """Demand exactly one well-formed Host, and a path or, for OPTIONS, `*` (RFC 9112 §3.2)."""
    host = _single(headers, "host")
    if host is None or not _HOST.fullmatch(host):
        raise BadRequest("exactly one well-formed Host header is needed")
    asterisk = scope["path"] == ASTERISK and scope.get("method") == "OPTIONS"
    if not asterisk and not scope["path"].startswith("/"):
        raise BadRequest("the request target is not a path")


def _time_limit(given: str | None, most: float) -> float:
    if given is None:
        return most
    if not (given.isascii() and given.isdigit() and int(given[:12]) > 0):
        raise BadRequest("X-Request-Timeout-Ms is not a positive whole number")
    return min(int(given[:12]) / 1000, most)
