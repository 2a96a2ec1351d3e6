"""Let well-formed deliveries in past the framework, whose way would cost more than all the rest.

What is certain to reach the route's handler goes straight there: one good token, one tenant,
nobody looking, a body of a stated size. Everything else goes the framework's way, which knows how
to refuse it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from mosaiclife_plugin_sdk.context import parse_tenant
from mosaiclife_plugin_sdk.errors import BadRequest, PayloadTooLarge
from mosaiclife_plugin_sdk.frame.auth import is_one_of, token_of
from mosaiclife_plugin_sdk.frame.bodies import encoded_success, problem, request_id
from mosaiclife_plugin_sdk.frame.headers import request_headers
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.problems import CUT_SHORT, headers_of, settled
from mosaiclife_plugin_sdk.stores.base import Recorded

RawHeaders = list[tuple[bytes, bytes]]
Deliver = Callable[[str, Mapping[str, str], bytes], Awaitable[Recorded]]

_LONGEST_SIZE = 9  # digits
_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


class Lane:
    """Stand before the app, and take the deliveries out of its hands."""

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        deliver: Deliver,
        tokens: Callable[[], Sequence[str]],
        metrics: Metrics,
        *,
        max_body: int,
    ) -> None:
        """Hand what comes for *path* to *deliver*, and the rest to *app*."""
        self._app = app
        self._path = path
        self._deliver = deliver
        self._tokens = tokens
        self._metrics = metrics
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] == self._path and scope.get("method") == "POST":
            headers = request_headers(scope)
            # A header that stands twice is for the framework's way to refuse, or to overlook.
            whole = len(headers) == len(list(scope["headers"]))
            if whole and (tenant := self._tenant(headers)):
                await self._serve(tenant, headers, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _tenant(self, headers: Mapping[str, str]) -> str | None:
        """Return the tenant of a request that every guard would let pass."""
        size = headers.get("content-length", "")
        if not (size.isascii() and size.isdigit() and len(size) <= _LONGEST_SIZE):
            return None
        if int(size) > self._max_body or "x-user-context" in headers:
            return None
        if not is_one_of(token_of(headers.get("authorization", "")), self._tokens()):
            return None
        try:
            return parse_tenant(headers.get("x-tenant-id", ""))
        except BadRequest:
            return None

    async def _serve(
        self, tenant: str, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        inner: Any = scope
        inner["path_template"] = self._path
        extra: RawHeaders = []
        try:
            recorded = await self._deliver(tenant, headers, await self._body(receive))
            status, body = recorded.status, encoded_success(recorded.data, request_id(inner))
        except Exception as error:  # noqa: BLE001  # as the framework's own handler of exceptions
            refusal = settled(error, self._metrics, self._path)
            status, extra = refusal.status, _raw(headers_of(refusal))
            body = _encode(problem(refusal, request_id(inner)))
        sized = [*extra, _JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": sized})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _body(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest(CUT_SHORT)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body:
                raise PayloadTooLarge
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
