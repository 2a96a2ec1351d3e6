"""Be the plugins' way out: a forward proxy that holds each to its manifest (spec §13).

Plain calls come in absolute form and are passed on whole; TLS comes as CONNECT and stays between
the plugin and the host. Who calls is known by `Proxy-Authorization`; where to is looked up here,
and the address that was judged is the one that is connected to.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Iterable
from urllib.parse import urlsplit

import h11
import httpx
import structlog

from mosaiclife_devcore.addresses import lookup
from mosaiclife_devcore.errors import (
    AuthInvalid,
    AuthRequired,
    BadRequest,
    CoreError,
    PermissionDenied,
    ProxyAuthRequired,
    TimedOut,
    Unavailable,
)
from mosaiclife_devcore.identity import Tokens
from mosaiclife_devcore.ids import ulid
from mosaiclife_devcore.outbound import call, new_http
from mosaiclife_devcore.peer import Gone, Peer
from mosaiclife_devcore.proxy import HOP_BY_HOP
from mosaiclife_devcore.rates import Rates
from mosaiclife_devcore.registry import Plugin
from mosaiclife_devcore.requests import encode, timestamp
from mosaiclife_devcore.settings import Settings
from mosaiclife_plugin_sdk import Clock
from mosaiclife_plugin_sdk.allowlist import AllowList, Target, parse_target, target_of
from mosaiclife_plugin_sdk.errors import EgressRefused

log = structlog.get_logger(__name__)

HTTP_OUTBOUND = "http:outbound"
LARGEST_BODY, LARGEST_ANSWER = 8 << 20, 8 << 20
MOST_OPEN = 100
HEAD_SECONDS, CALL_SECONDS, IDLE_SECONDS = 10.0, 15.0, 60.0
# Whoever finds this in an answer knows that the proxy speaks, and not the host (RFC 9209).
OWN_WORD = (b"proxy-status", b"mosaiclife-core")
# `outbound.call` unpacks what it holds, so these are no longer true of it.
NO_LONGER_TRUE = {"content-encoding", "content-length"}


class EgressProxy:
    """The proxy's listener, on a port of its own: a web framework passes no CONNECT on."""

    def __init__(self, settings: Settings, tokens: Tokens, rates: Rates, clock: Clock) -> None:
        self._settings = settings
        self._tokens = tokens
        self._rates = rates
        self._clock = clock
        self._http = new_http()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen, if this core offers a way out at all."""
        if self._settings.egress:
            host, port = self._settings.host, self._settings.egress_port
            self._server = await asyncio.start_server(self._accept, host, port)
            log.info("egress_listens", host=host, port=self.port)

    async def stop(self) -> None:
        """Close the listener and what is open."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._http.aclose()

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        sockets = self._server.sockets if self._server else ()
        return next((int(sock.getsockname()[1]) for sock in sockets), 0)

    def url_for(self, plugin: Plugin, host: str | None) -> str | None:
        """Return what *plugin* is told: the proxy, under the name by which it reached core."""
        granted = (plugin.candidate or plugin.registration()).approval.granted
        if self._server is None or HTTP_OUTBOUND not in granted:
            return None
        name = urlsplit(f"//{host}").hostname or self._settings.host
        wrapped = f"[{name}]" if ":" in name else name
        return self._settings.egress_url or f"http://{wrapped}:{self.port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open) >= MOST_OPEN:
            writer.close()
            return
        self._open.add(task)
        try:
            with contextlib.suppress(Gone, ConnectionError, TimeoutError):
                await self._serve(Peer(reader, writer))
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                request = await peer.request()
            await self._pass_on(peer, request)
        except CoreError as error:
            await self._refuse(peer, error)

    async def _pass_on(self, peer: Peer, request: h11.Request) -> None:
        caller = self._caller(request)
        target = target_in(request)
        address = await self._admitted(caller, target)
        log.info("egress", plugin=caller.id, method=request.method.decode(), target=str(target))
        if request.method == b"CONNECT":
            await self._tunnel(peer, address, target)
        else:
            await self._forward(peer, request, address, target)

    def _caller(self, request: h11.Request) -> Plugin:
        offered = [value for name, value in request.headers if name == b"proxy-authorization"]
        try:
            caller = self._tokens.owner(_as_bearer(offered[0]) if len(offered) == 1 else None)
        except (AuthRequired, AuthInvalid) as error:
            raise ProxyAuthRequired(error.message) from error
        self._rates.count_call(caller.id)
        return caller

    async def _admitted(self, plugin: Plugin, target: Target) -> str:
        """Return the address of a target that *plugin* may reach."""
        current = plugin.registration()
        registration = plugin.candidate or current
        registration.approval.require(HTTP_OUTBOUND)
        try:
            AllowList(registration.manifest.permissions.network.egress_allow).check(target)
        except EgressRefused as error:
            raise PermissionDenied(str(error)) from error
        inward = target in {parse_target(entry) for entry in plugin.grant.private_egress}
        return await lookup(target, inward=inward)

    async def _tunnel(self, peer: Peer, address: str, target: Target) -> None:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                reader, writer = await asyncio.open_connection(address, target.port)
        except OSError as error:
            raise Unavailable(f"{target} cannot be reached") from error
        try:
            await peer.tunnel((reader, writer), IDLE_SECONDS)
        finally:
            writer.close()

    async def _forward(
        self, peer: Peer, request: h11.Request, address: str, target: Target
    ) -> None:
        async with asyncio.timeout(CALL_SECONDS):
            body = await peer.body(LARGEST_BODY)
        absolute = urlsplit(request.target.decode("ascii"))
        path = (absolute.path or "/") + (f"?{absolute.query}" if absolute.query else "")
        try:
            reply = await call(
                self._http,
                request.method.decode("ascii"),
                httpx.URL(scheme="http", host=address, port=target.port, raw_path=path.encode()),
                headers=[*passed_on(request.headers), ("host", absolute.netloc)],
                body=body or None,
                seconds=CALL_SECONDS,
                limit=LARGEST_ANSWER,
            )
        except TimedOut as error:
            raise TimedOut(f"{target} took too long") from error
        except Unavailable as error:
            raise Unavailable(f"{target} does not answer, or says too much") from error
        kept = [
            (name.encode(), value.encode("latin-1"))
            for name, value in reply.headers.multi_items()
            if name not in HOP_BY_HOP | NO_LONGER_TRUE
        ]
        await peer.answer(reply.status, kept, reply.body)

    async def _refuse(self, peer: Peer, error: CoreError) -> None:
        body = {
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "requestId": ulid(self._clock()),
            "timestamp": timestamp(),
        }
        headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
        headers += [(b"content-type", b"application/json"), OWN_WORD]
        with contextlib.suppress(h11.LocalProtocolError):  # the answer has begun already
            await peer.answer(error.status, headers, encode({"error": body}))


def target_in(request: h11.Request) -> Target:
    """Return where *request* wants to go, in the one form that its method has."""
    text = request.target.decode("latin-1")
    try:
        if request.method == b"CONNECT":
            return parse_target(text)
        parts = urlsplit(text)
        if parts.scheme != "http" or parts.username is not None or parts.password is not None:
            raise BadRequest("send http in absolute form without user, and all else by CONNECT")
        return target_of(parts.hostname or "", parts.port or 80)
    except (EgressRefused, ValueError) as error:
        raise BadRequest(f"the target cannot be used: {error}") from error


def passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return the caller's headers without those that were for the proxy."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    named = ",".join(value for name, value in pairs if name == "connection").lower().split(",")
    dropped = HOP_BY_HOP | {"host", "content-length", "expect"} | {name.strip() for name in named}
    return [(name, value) for name, value in pairs if name not in dropped]


def _as_bearer(header: bytes) -> str:
    """Read Basic, which is all that many clients can say to a proxy, as the token in it."""
    scheme, _, rest = header.decode("latin-1").partition(" ")
    if scheme.lower() != "basic":
        return header.decode("latin-1")
    try:
        token = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        token = ""
    return f"Bearer {token}"
