"""Call the world outside, and nobody that the manifest does not name (spec §13; design: Egress).

The clients are httpx's own. What makes them safe sits below them, in their transport, where each
request passes and each redirect passes again: before a socket opens, the address is held against
the manifest's list and the capability against what core granted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import httpx

from mosaiclife_plugin_sdk.allowlist import DEFAULT_PORTS, AllowList, target_of
from mosaiclife_plugin_sdk.client import no_cookies, tls
from mosaiclife_plugin_sdk.errors import CapabilityMissing, EgressRefused

HTTP_OUTBOUND = "http:outbound"
TIMEOUT = 10.0

T = TypeVar("T", httpx.BaseTransport, httpx.AsyncBaseTransport)
Wrap = Callable[[T], T]
# These change where a request goes, or whom TLS believes; `timeout` and `trace` change neither.
_KEPT_EXTENSIONS = ("timeout", "trace")


class Route(NamedTuple):
    """The way out: straight, or through the proxy that core offered."""

    proxy_url: str | None = None
    token: str = ""

    def proxy(self) -> httpx.Proxy | None:
        """Return the proxy with the header by which it knows the plugin."""
        if self.proxy_url is None:
            return None
        known_by = {"Proxy-Authorization": f"Bearer {self.token}"}
        return httpx.Proxy(self.proxy_url, headers=known_by, ssl_context=_tls_for(self.proxy_url))


@dataclass(frozen=True, slots=True)
class EgressRules:
    """What holds for every call out of this plugin, now."""

    allowed: AllowList
    permit: Callable[[str], bool]
    route: Callable[[], Route] = Route

    def judge(self, request: httpx.Request) -> None:
        """Refuse *request*, or leave nothing in it that could send it elsewhere."""
        if not self.permit(HTTP_OUTBOUND):
            raise CapabilityMissing(f"calls outside need the capability {HTTP_OUTBOUND!r}")
        _judge_url(request.url, self.allowed)
        if request.headers.get("host", "").lower() != request.url.netloc.decode("ascii").lower():
            raise EgressRefused("the Host header names another host than the URL")
        kept = {key: request.extensions.get(key) for key in _KEPT_EXTENSIONS}
        request.extensions = {key: value for key, value in kept.items() if value is not None}


class EgressClient(httpx.Client):
    """An `httpx.Client` for jobs in worker threads and other code that may block."""

    def __init__(
        self,
        rules: EgressRules,
        *,
        wrap: Wrap[httpx.BaseTransport] = lambda inner: inner,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(
            transport=_Guarded(rules, wrap), timeout=timeout, trust_env=False, cookies=no_cookies()
        )


class AsyncEgressClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` for code on the event loop."""

    def __init__(
        self,
        rules: EgressRules,
        *,
        wrap: Wrap[httpx.AsyncBaseTransport] = lambda inner: inner,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(
            transport=_AsyncGuarded(rules, wrap),
            timeout=timeout,
            trust_env=False,
            cookies=no_cookies(),
        )


@dataclass(frozen=True, slots=True)
class Egress:
    """The plugin's two ways out: one to await, one to block on."""

    client: EgressClient
    async_client: AsyncEgressClient

    async def aclose(self) -> None:
        """Close the connections of both."""
        self.client.close()
        await self.async_client.aclose()


class _Guarded(httpx.BaseTransport):
    """A transport that judges first, and then takes the route of the moment."""

    def __init__(self, rules: EgressRules, wrap: Wrap[httpx.BaseTransport]) -> None:
        self._rules, self._wrap = rules, wrap
        self._by_route: dict[Route, httpx.BaseTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._rules.judge(request)
        route = self._rules.route()
        if route not in self._by_route:
            inner = httpx.HTTPTransport(verify=tls(), trust_env=False, proxy=route.proxy())
            # Two threads may come here at once; nothing is open yet in the one that loses.
            self._by_route.setdefault(route, self._wrap(inner))
        return self._by_route[route].handle_request(request)

    def close(self) -> None:
        for transport in self._by_route.values():
            transport.close()


class _AsyncGuarded(httpx.AsyncBaseTransport):
    """The same on the event loop."""

    def __init__(self, rules: EgressRules, wrap: Wrap[httpx.AsyncBaseTransport]) -> None:
        self._rules, self._wrap = rules, wrap
        self._by_route: dict[Route, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._rules.judge(request)
        route = self._rules.route()
        if route not in self._by_route:
            inner = httpx.AsyncHTTPTransport(verify=tls(), trust_env=False, proxy=route.proxy())
            self._by_route[route] = self._wrap(inner)
        return await self._by_route[route].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._by_route.values():
            await transport.aclose()


def _judge_url(url: httpx.URL, allowed: AllowList) -> None:
    if url.scheme not in DEFAULT_PORTS:
        raise EgressRefused(f"the scheme {url.scheme!r} is not http or https")
    if url.userinfo:
        raise EgressRefused("an address carries no user and no password")
    host = url.raw_host.decode("ascii")
    allowed.check(target_of(host, url.port or DEFAULT_PORTS[url.scheme]))


def _tls_for(proxy_url: str) -> Any:
    return tls() if proxy_url.startswith("https:") else None
