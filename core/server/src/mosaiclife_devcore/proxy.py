"""Pass a page's calls on to its plugin, and nothing else with them (design: The wire).

The browser's word counts for method, path, query, body and harmless headers. Who asks, for
which tenant and with which token is core's word alone. Only paths under the manifest's
`basePath` exist, and an answer never runs as core's page.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx
from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.errors import BadRequest, NotFound, Unavailable
from mosaiclife_devcore.outbound import (
    RETRY_SOON,
    Reply,
    call,
    credentials,
    new_traceparent,
    on_behalf,
)
from mosaiclife_devcore.rates import Rates
from mosaiclife_devcore.registry import Plugin, Registry
from mosaiclife_devcore.remotes import SANDBOX
from mosaiclife_devcore.requests import request_id
from mosaiclife_devcore.settings import Settings
from mosaiclife_devcore.world import World

MAX_ANSWER = 8 << 20
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
# What core says itself, or what is between the browser and core alone.
CORES_OWN = {
    *("authorization", "cookie", "host", "content-length", "accept-encoding", "origin", "referer"),
    *("x-tenant-id", "x-user-context", "x-request-id", "x-request-timeout-ms", "forwarded"),
    *("traceparent", "tracestate", "baggage", "expect", "date", "via"),
}
CORES_PREFIXES = ("x-forwarded-", "sec-", "webhook-")
ANSWERED = {
    *("content-type", "content-language", "content-disposition", "cache-control", "etag", "vary"),
    *("last-modified", "retry-after", "allow", "idempotent-replayed", "expires"),
}
_TWICE_ENCODED = re.compile(r"%(?:2e|2f|5c|25|00)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


@route(
    "/plugins/{plugin_id:str}/proxy/{path:path}",
    http_method=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
)
async def proxy(
    request: Request[Any, Any, Any],
    plugin_id: FromPath[str],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    rates: NamedDependency[Rates],
    world: NamedDependency[World],
    http: NamedDependency[httpx.AsyncClient],
) -> Response[bytes]:
    """Pass one call on and answer what the plugin answered."""
    plugin = registry.get(plugin_id)
    registration = plugin.routable()
    rates.count_data(plugin.id)
    path = plugin_path(request.scope["raw_path"], plugin_id)
    check_under(path, registration.manifest.base_path)
    query = request.scope["query_string"].decode("latin-1")
    reply = await call(
        http,
        request.method,
        registration.url(path) + (f"?{query}" if query else ""),
        headers=_headers(request, plugin, settings, world, query),
        body=await request.body() or None,
        seconds=settings.plugin_timeout_ms / 1000,
        limit=MAX_ANSWER,
    )
    return to_browser(reply)


def plugin_path(raw_path: bytes, plugin_id: str) -> str:
    """Return the part of the raw path that is the plugin's, still percent-encoded."""
    text = raw_path.partition(b"?")[0].decode("latin-1")
    _, found, path = text.partition(f"/plugins/{plugin_id}/proxy/")
    if not found:
        raise NotFound("write the plugin's id as it is, without percent signs")
    return "/" + path


def check_under(path: str, base_path: str) -> None:
    """Refuse a path that does not lie under *base_path* however anybody reads it."""
    plain = unquote(path)
    if (
        _CONTROL.search(plain)
        or _TWICE_ENCODED.search(plain)
        or plain.count("/") != path.count("/")
    ):
        raise BadRequest("the path may be read in two ways")
    segments = plain.split("/")[1:]
    if any(segment in {".", ".."} for segment in segments) or "" in segments[:-1]:
        raise BadRequest("the path climbs or has empty parts")
    if path != base_path and not path.startswith(base_path + "/"):
        raise NotFound(f"the plugin's own routes lie under {base_path}")


def to_browser(reply: Reply) -> Response[bytes]:
    """Turn a plugin's answer into core's: chosen headers, and no way to be core's page."""
    if reply.status == 401:
        message = "the plugin does not accept core's token"
        raise Unavailable(message, headers=RETRY_SOON)
    headers = {name: value for name, value in reply.headers.items() if name in ANSWERED}
    headers["content-security-policy"] = SANDBOX
    body = b"" if reply.status in {204, 304} else reply.body
    return Response(body, status_code=reply.status, headers=headers)


def _headers(
    request: Request[Any, Any, Any], plugin: Plugin, settings: Settings, world: World, query: str
) -> list[tuple[str, str]]:
    viewer = world.viewer(parse_qs(query).get("legacyId"))
    own = {
        **credentials(plugin),
        **on_behalf(world.tenant_id, viewer),
        "x-request-id": request_id(request.scope),
        "traceparent": new_traceparent(),
        "x-request-timeout-ms": str(settings.plugin_timeout_ms),
    }
    return [*_passed_on(request), *own.items()]


def _passed_on(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    """Return the browser's headers without those that are not its own to send."""
    named = request.headers.get("connection", "").lower()
    dropped = HOP_BY_HOP | CORES_OWN | {name.strip() for name in named.split(",")}
    return [
        (name, value)
        for name, value in request.headers.multi_items()
        # An underscore reads as a dash to some servers, which would smuggle a name past us.
        if name not in dropped and not name.startswith(CORES_PREFIXES) and "_" not in name
    ]
