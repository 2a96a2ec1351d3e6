"""Let well-formed deliveries in past server and framework, whose ways cost more than all the rest.

What is certain to reach the route's handler goes straight there from the parser: one good token,
one tenant, nobody looking, a body of a stated size. Everything else goes the framework's way, which
knows how to refuse it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from opentelemetry import context as otel

from mosaiclife_plugin_sdk.context import limit_time, parse_tenant
from mosaiclife_plugin_sdk.errors import BadRequest
from mosaiclife_plugin_sdk.frame.auth import is_one_of, token_of
from mosaiclife_plugin_sdk.frame.bodies import encoded_success, problem
from mosaiclife_plugin_sdk.frame.deadlines import Deadlines
from mosaiclife_plugin_sdk.frame.edge import NO_SNIFF, Edge, Entry, RawHeaders, check_host
from mosaiclife_plugin_sdk.frame.headers import single_headers
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.frame.problems import CUT_SHORT, headers_of, settled
from mosaiclife_plugin_sdk.stores.base import Recorded

Deliver = Callable[[str, Mapping[str, str], bytes], Awaitable[Recorded]]

_LONGEST_SIZE = 9  # digits
_JSON = (b"content-type", b"application/json")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_encode = msgspec.json.Encoder().encode


class Lane:
    """Stand before the app, and take the deliveries out of its hands."""

    def __init__(
        self,
        path: str,
        deliver: Deliver,
        tokens: Callable[[], Sequence[str]],
        edge: Edge,
        metrics: Metrics,
        *,
        max_body: int,
    ) -> None:
        """Hand what comes for *path* to *deliver*; the *edge* is told of it as of all requests."""
        self.path = path
        self.target = path.encode()
        self.deliver = deliver
        self.edge = edge
        self.metrics = metrics
        self.deadlines = Deadlines()
        self._tokens = tokens
        self._max_body = max_body
        self._complete: list[Exchange] = []

    def admit(self, pairs: RawHeaders, send: Send) -> Exchange | None:
        """Begin an exchange for a POST that every guard would let pass; its answer goes to *send*."""
        headers = single_headers(pairs)
        # A header that stands twice is for the framework's way to refuse, or to overlook.
        if len(headers) < len(pairs) or not self._is_welcome(headers):
            return None
        try:
            check_host(headers)
            tenant, limit = parse_tenant(headers.get("x-tenant-id", "")), self.edge.limit(headers)
        except BadRequest:
            return None
        entry = self.edge.enter("POST", headers, pairs)
        return Exchange(self, entry, tenant, headers, limit, send)

    def _is_welcome(self, headers: Mapping[str, str]) -> bool:
        size = headers.get("content-length", "")
        if not (size.isascii() and size.isdigit() and len(size) <= _LONGEST_SIZE):
            return False
        if int(size) > self._max_body or "x-user-context" in headers:
            return False
        return is_one_of(token_of(headers.get("authorization", "")), self._tokens())

    def begin_soon(self, exchange: Exchange) -> None:
        """Begin what is to be done, together with all that this turn of the loop brings.

        To do one thing many times in a row is a good deal faster than many things in turns: the
        processor keeps at hand what it needs.
        """
        self._complete.append(exchange)
        if len(self._complete) == 1:
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        complete, self._complete = self._complete, []
        for exchange in complete:
            exchange.begin()


class _Nobody:
    """Whom the server would wake when more of a request has come."""

    def set(self) -> None:
        """Wake nobody: an exchange is told itself."""


class Exchange:
    """A delivery and its answer, in the place where the server keeps its own pair of the two."""

    message_event = _Nobody()

    def __init__(
        self,
        lane: Lane,
        entry: Entry,
        tenant: str,
        headers: Mapping[str, str],
        limit: float,
        send: Send,
    ) -> None:
        self._lane = lane
        self._entry = entry
        self._tenant = tenant
        self._headers = headers
        self._limit = limit
        self._send = send
        self._parts: list[bytes] = []
        self._whole = False
        self._awaited: asyncio.Future[Recorded] | None = None
        self.keep_alive = True
        self.disconnected = self.response_complete = False
        self.at = time.monotonic() + limit
        lane.deadlines.add(self)

    def read(self, part: bytes) -> None:
        """Take the next part of the body, which nobody waits for once the answer is given."""
        if not self.response_complete:
            self._parts.append(part)

    def complete(self) -> None:
        """Note that this was all of the body."""
        self._whole = True
        self._lane.begin_soon(self)

    def begin(self) -> None:
        """Hand the delivery over, within the time and the trace of the request."""
        if self.response_complete:
            return  # its time was over before
        # A connection that rests must not hold on to what it has brought.
        parts, self._parts = self._parts, []
        token = otel.attach(self._entry.context)
        try:
            with limit_time(self._limit):
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                coming = self._lane.deliver(self._tenant, self._headers, body)
                self._awaited = awaited = asyncio.ensure_future(coming)
                awaited.add_done_callback(self._arrived)
        except Exception as error:  # noqa: BLE001  # as the framework's own handler of exceptions
            self._refuse(error)
        finally:
            otel.detach(token)

    def cut_short(self) -> asyncio.Future[Recorded] | None:
        """Note that the caller has gone; return what is still being done for it."""
        self.disconnected = True
        if not self._whole and not self.response_complete:
            self._refuse(BadRequest(CUT_SHORT))
        return None if self.response_complete else self._awaited

    def miss(self) -> None:
        """Answer that the time is over, and stop what has not come to an end."""
        self._refuse(TimeoutError())
        if self._awaited is not None:
            self._awaited.cancel()

    def _arrived(self, awaited: asyncio.Future[Recorded]) -> None:
        try:
            recorded = awaited.result()
            status, body = recorded.status, encoded_success(recorded.data, self._entry.request_id)
            if not 200 <= status < 600:
                raise ValueError(f"the plugin has answered a delivery with status {status}")
        except asyncio.CancelledError:
            self._refuse(TimeoutError())  # by us, or because the server has waited long enough
        except Exception as error:  # noqa: BLE001  # as the framework's own handler of exceptions
            self._refuse(error)
        else:
            self._answer(status, [], body)

    def _refuse(self, error: Exception) -> None:
        if self.response_complete:
            return
        lane, request_id = self._lane, self._entry.request_id
        refusal = settled(error, lane.metrics, lane.path)
        try:
            body = _encode(problem(refusal, request_id))
        except TypeError as fault:  # an author's details may hold what is no JSON
            refusal = settled(fault, lane.metrics, lane.path)
            body = _encode(problem(refusal, request_id))
        self._answer(refusal.status, _raw(headers_of(refusal)), body)

    def _answer(self, status: int, extra: RawHeaders, body: bytes) -> None:
        """Send the answer, unless one was given before, and see the request off."""
        if self.response_complete:
            return
        self.response_complete = True
        lane, entry = self._lane, self._entry
        lane.deadlines.discard(self)
        headers = [
            *extra,
            _JSON,
            (b"content-length", b"%d" % len(body)),
            NO_SNIFF,
            (b"x-request-id", entry.request_id.encode()),
        ]
        if not self.disconnected:
            self._send(self, status, headers, body)
        lane.edge.leave(entry, lane.path, lane.path, status)


Send = Callable[[Exchange, int, RawHeaders, bytes], None]


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    """Write headers as they are sent; what would end a line becomes a blank (RFC 9110 §5.5)."""
    return [
        (name.lower().encode(), _CONTROLS.sub(b" ", value.encode("latin-1", "replace")))
        for name, value in headers.items()
    ]
