"""Call plugins: bounded answers, no redirects, core's token and identity on every call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from mosaiclife_devcore.errors import TimedOut, Unavailable
from mosaiclife_devcore.registry import Plugin
from mosaiclife_plugin_sdk import SERVICE, UserContext, encode_user_context

RETRY_SOON = {"retry-after": "2"}
Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a plugin answered, held whole."""

    status: int
    headers: httpx.Headers
    body: bytes


class OverLimit(Unavailable):
    """The plugin's answer is larger than core holds for anyone."""


def _plain_transport(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    return inner


def new_http(wrap: Wrap = _plain_transport) -> httpx.AsyncClient:
    """Return the client for calls to plugins; it follows nobody and asks no proxy.

    It keeps no cookie either: what one plugin sets must not travel to another, or come back. *wrap*
    may look at what goes out.
    """
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    return httpx.AsyncClient(
        transport=wrap(httpx.AsyncHTTPTransport(trust_env=False, limits=limits)),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def credentials(plugin: Plugin) -> dict[str, str]:
    """Return the header by which the plugin knows core (spec §8.4)."""
    return {"authorization": f"Bearer {plugin.grant.tokens[0]}"}


def on_behalf(tenant: str | None, viewer: UserContext = SERVICE) -> dict[str, str]:
    """Return the headers that say for whom core calls."""
    tenancy = {"x-tenant-id": tenant} if tenant else {}
    return {**tenancy, "x-user-context": encode_user_context(viewer)}


def new_traceparent() -> str:
    """Start a trace (W3C trace context)."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str | httpx.URL,
    *,
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: bytes | None = None,
    seconds: float = 5.0,
    limit: int = 8 << 20,
) -> Reply:
    """Send one request and hold the answer, within *seconds* in all and *limit* bytes."""
    request = http.build_request(
        method, url, headers=_plain(headers), content=body, timeout=httpx.Timeout(seconds)
    )
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(http, request, limit)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut("the plugin took too long") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"the plugin does not answer ({type(error).__name__})"
        raise Unavailable(message, headers=RETRY_SOON) from error


async def _exchange(http: httpx.AsyncClient, request: httpx.Request, limit: int) -> Reply:
    response = await http.send(request, stream=True)
    try:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise OverLimit(f"the plugin's answer is over {limit} bytes")
        return Reply(response.status_code, response.headers, b"".join(chunks))
    finally:
        await response.aclose()


def _plain(headers: Mapping[str, str] | list[tuple[str, str]] | None) -> httpx.Headers:
    """Ask for unpacked answers: between two processes of one cluster packing only costs."""
    merged = httpx.Headers(headers)
    merged["accept-encoding"] = "identity"
    return merged
