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
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.trace import Span

from mosaiclife_plugin_sdk.context import limit_time
from mosaiclife_plugin_sdk.errors import BadRequest, PluginError, Timeout
from mosaiclife_plugin_sdk.frame.bodies import problem
from mosaiclife_plugin_sdk.frame.deadlines import Deadlines
from mosaiclife_plugin_sdk.frame.headers import READ, single_headers, values_of
from mosaiclife_plugin_sdk.frame.logs import AccessLog
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.propagation import TRACEPARENT, TRACESTATE
from mosaiclife_plugin_sdk.frame.tracing import Carrier, Tracing, end_span, names_of
from mosaiclife_plugin_sdk.settings import FrameSettings

UNMATCHED = "unmatched"
ASTERISK = "*"
TOO_LARGE = 413
REST_BYTES = 16 * 1024 * 1024  # what a refused body may still send, so that its answer arrives
REST_SECONDS = 2.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWS = " \t"
_LONGEST_HOST = 512  # with what may stand around it
NO_SNIFF = (b"x-content-type-options", b"nosniff")

Headers = Mapping[str, str]
RawHeaders = list[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """What is known of a request when it has come in."""

    started: float
    method: str
    request_id: str
    span: Span
    context: Context


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
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        pairs: RawHeaders = list(scope["headers"])
        headers = single_headers(pairs)
        entry = self.enter(_method(scope), headers, pairs)
        # A copy: the server looks into its own one, where HEAD stays HEAD.
        inner: Any = {**scope, "headers": pairs, READ: headers}
        visit = _Visit(inner, receive, send, self._allowed, entry)
        token = otel.attach(entry.context)
        try:
            await self._serve(visit, headers)
        finally:
            route = visit.scope.get("path_template") or UNMATCHED
            self.leave(entry, route, visit.path, visit.status)
            otel.detach(token)

    def enter(self, method: str, headers: Headers, pairs: RawHeaders) -> Entry:
        """Note that a request came in, and give it a name."""
        span, context = self._tracing.server_span(method, _carrier(headers, pairs))
        return Entry(
            time.perf_counter(), method, _request_id(headers.get("x-request-id")), span, context
        )

    def leave(self, entry: Entry, route: str, path: str, status: int) -> None:
        """Tell what became of it, in metrics, log and trace."""
        started, method, request_id, span, _ = entry
        seconds = time.perf_counter() - started
        self._metrics.request_answered(method, route, status, seconds)
        if status >= 500 or random.random() < self._log_share:  # sampling
            self._log.write(
                names_of(span),
                method=method,
                route=route,
                path=path,
                status=status,
                seconds=seconds,
                request_id=request_id,
            )
        end_span(span, method, route, status)

    def limit(self, headers: Headers) -> float:
        """Return how many seconds a request may take."""
        return _time_limit(headers.get("x-request-timeout-ms"), self._limit)

    async def _serve(self, visit: _Visit, headers: Headers) -> None:
        try:
            check_host(headers)
            _check_target(visit.scope)
            if visit.path == ASTERISK:
                await visit.answer(200, [(b"allow", self._allowed(ASTERISK).encode())])
                return
            limit = self.limit(headers)
            with limit_time(limit), self._deadlines.within(limit):
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
        scope: Any,
        receive: Receive,
        send: Send,
        allowed: Callable[[str], str],
        entry: Entry,
    ) -> None:
        self.method = entry.method
        self.path = scope["path"]
        self.request_id = entry.request_id
        self.status = 500
        self._receive = receive
        self._send = send
        self._allowed = allowed
        self._more_to_read = True
        self._head_only = entry.method == "HEAD"
        scope["request_id"] = self.request_id
        if self._head_only:
            scope["method"] = "GET"
        self.scope = scope
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
                NO_SNIFF,
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

    def _whole_allow(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
        """Let the answer to OPTIONS name every method of the route."""
        if self.method != "OPTIONS" or self.status >= 300:
            return headers
        if (template := self.scope.get("path_template")) is None:
            return headers
        others = [(name, value) for name, value in headers if name != b"allow"]
        return [*others, (b"allow", self._allowed(template).encode())]


def _method(scope: Scope) -> str:
    method = str(scope.get("method", ""))
    return method if method in _METHODS else "OTHER"


def _carrier(headers: Headers, pairs: RawHeaders) -> Carrier:
    """Return what is told of a trace; the state may be spread over several headers."""
    parent = headers.get("traceparent")
    if parent is None:
        return {}
    if len(headers) == len(pairs) and "tracestate" not in headers:
        return {TRACEPARENT: (parent,)}
    return {TRACEPARENT: (parent,), TRACESTATE: values_of(pairs, b"tracestate")}


def _request_id(given: str | None) -> str:
    if given is not None and _REQUEST_ID.fullmatch(text := given.strip(_OWS)):
        return text
    # To ask the system for randomness would let other threads take the interpreter.
    return f"{random.getrandbits(128):032x}"  # a name, no secret


def check_host(headers: Headers) -> None:
    """Demand exactly one well-formed Host (RFC 9112 §3.2)."""
    host = headers.get("host")
    if host is None or len(host) > _LONGEST_HOST or not _well_formed(host.strip(_OWS)):
        raise BadRequest("exactly one well-formed Host header is needed")


def _check_target(scope: Scope) -> None:
    """Demand a path or, for OPTIONS, `*` (RFC 9112 §3.2)."""
    if scope["path"].startswith("/"):
        return
    if scope["path"] != ASTERISK or scope.get("method") != "OPTIONS":
        raise BadRequest("the request target is not a path")


@lru_cache(maxsize=64)
def _well_formed(host: str) -> bool:
    return _HOST.fullmatch(host) is not None


def _time_limit(given: str | None, most: float) -> float:
    if given is None:
        return most
    given = given.strip(_OWS)
    if not (given.isascii() and given.isdigit() and int(given[:12]) > 0):
        raise BadRequest("X-Request-Timeout-Ms is not a positive whole number")
    return min(int(given[:12]) / 1000, most)
