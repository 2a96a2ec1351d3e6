"""Call core: one sans-IO half that writes requests and reads answers, two thin shells around it.

`CoreClient` has the names and signatures of spec §15.1; `AsyncCoreClient` stands beside it.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from mosaiclife_plugin_sdk.errors import CapabilityMissing, CoreRefused, CoreUnreachable

Token = str | Callable[[], str | None]
Permit = Callable[[str], bool]

PLUGIN_UNKNOWN = "PLUGIN_UNKNOWN"
DEFAULT_TIMEOUT = 5.0


@functools.cache
def tls() -> ssl.SSLContext:
    """Return the one TLS context of the process: loading the authorities takes 30 ms."""
    return httpx.create_ssl_context()


def no_cookies() -> CookieJar:
    """Return a jar that stays empty: what an answer sets must not travel with the next call."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


class CoreInfo(msgspec.Struct, frozen=True):
    """What core says of itself."""

    version: str = ""


class Refused(msgspec.Struct, frozen=True):
    """A capability that core did not grant."""

    capability: str
    reason: str = ""


class Grants(msgspec.Struct, frozen=True):
    """What core made of the capabilities that were asked for."""

    granted: list[str] = []
    refused: list[Refused] = []


class Registration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Core's answer to a registration (spec §10)."""

    id: str
    state: str
    core: CoreInfo = CoreInfo()
    capabilities: Grants = Grants()
    egress_proxy_url: str | None = None
    scheduler: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is ready to be sent."""

    method: str
    path: str
    body: Any = None


REGISTER = Call("POST", "/plugins/register")


class _Protocol:
    """Everything about the conversation with core that needs no socket."""

    def __init__(self, base_url: str, token: Token, api_prefix: str) -> None:
        self._root = base_url.rstrip("/") + "/" + api_prefix.strip("/")
        self._register_path = httpx.URL(self._root + REGISTER.path).path
        self._token = token
        self.permit: Permit = lambda _capability: True
        self.on_unknown: Callable[[], None] = lambda: None

    def publish_event(self, topic: str, payload: Mapping[str, Any]) -> Call:
        self._require("events:publish")
        body = {"topic": topic, "payload": payload}
        return Call("POST", "/plugins/-/events", body)

    def register_job(self, spec: Mapping[str, Any]) -> Call:
        self._require("jobs:schedule")
        return Call("PUT", f"/plugins/-/jobs/{quote(str(spec['name']), safe='')}", spec)

    def remove_job(self, name: str) -> Call:
        self._require("jobs:schedule")
        return Call("DELETE", f"/plugins/-/jobs/{quote(name, safe='')}")

    def fetch_secret(self, name: str) -> Call:
        self._require("secrets:read")
        return Call("GET", f"/plugins/-/secrets/{quote(name, safe='')}")

    def request(self, call: Call) -> httpx.Request:
        """Write *call* with the token that is valid now."""
        token = self._token() if callable(self._token) else self._token
        headers = {"Authorization": f"Bearer {token or ''}", "Accept": "application/json"}
        content = None
        if call.body is not None:
            content = msgspec.json.encode(call.body)
            headers["Content-Type"] = "application/json"
        return httpx.Request(call.method, self._root + call.path, headers=headers, content=content)

    def read(self, response: httpx.Response) -> Any:
        """Return the `data` of an answer, or raise what core said."""
        document = _decode(response.content)
        if response.is_success:
            return document.get("data")
        refusal = _refusal(response, document.get("error"))
        # The registration itself is what `on_unknown` starts: it must not start itself.
        if refusal.code == PLUGIN_UNKNOWN and response.request.url.path != self._register_path:
            self.on_unknown()
        raise refusal

    def _require(self, capability: str) -> None:
        if not self.permit(capability):
            raise CapabilityMissing(f"this call needs the capability {capability!r}, not granted")


class CoreClient:
    """Core, for code that may block: `on_start`, jobs in worker threads, scripts."""

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        api_prefix: str = "/api",
        transport: httpx.BaseTransport | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.protocol = _Protocol(base_url, token, api_prefix)
        self._http = httpx.Client(
            transport=transport, timeout=timeout, verify=tls(), cookies=no_cookies()
        )

    def publish_event(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Publish a domain event under *topic*."""
        self._call(self.protocol.publish_event(topic, payload))

    def register_job(self, spec: Mapping[str, Any]) -> None:
        """Hand a schedule to core's scheduler; the same name again replaces it."""
        self._call(self.protocol.register_job(spec))

    def remove_job(self, name: str) -> None:
        """Take a schedule back from core's scheduler."""
        self._call(self.protocol.remove_job(name))

    def fetch_secret(self, name: str) -> str:
        """Return a secret that the manifest declares."""
        return _secret_value(self._call(self.protocol.fetch_secret(name)))

    def register(self, body: Mapping[str, Any]) -> Registration:
        """Register the plugin; the same body again renews the registration."""
        return _registration(self._call(replace(REGISTER, body=body)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, call: Call) -> Any:
        try:
            response = self._http.send(self.protocol.request(call))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return self.protocol.read(response)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncCoreClient:
    """Core, for code on the event loop."""

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        api_prefix: str = "/api",
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.protocol = _Protocol(base_url, token, api_prefix)
        self._http = httpx.AsyncClient(
            transport=transport, timeout=timeout, verify=tls(), cookies=no_cookies()
        )

    async def publish_event(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Publish a domain event under *topic*."""
        await self._call(self.protocol.publish_event(topic, payload))

    async def register_job(self, spec: Mapping[str, Any]) -> None:
        """Hand a schedule to core's scheduler; the same name again replaces it."""
        await self._call(self.protocol.register_job(spec))

    async def remove_job(self, name: str) -> None:
        """Take a schedule back from core's scheduler."""
        await self._call(self.protocol.remove_job(name))

    async def fetch_secret(self, name: str) -> str:
        """Return a secret that the manifest declares."""
        return _secret_value(await self._call(self.protocol.fetch_secret(name)))

    async def register(self, body: Mapping[str, Any]) -> Registration:
        """Register the plugin; the same body again renews the registration."""
        return _registration(await self._call(replace(REGISTER, body=body)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, call: Call) -> Any:
        try:
            response = await self._http.send(self.protocol.request(call))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return self.protocol.read(response)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _decode(content: bytes) -> dict[str, Any]:
    """Return the JSON object in *content*; a proxy's HTML page counts as an empty one."""
    try:
        document = msgspec.json.decode(content or b"{}")
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(response: httpx.Response, error: Any) -> CoreRefused:
    said: dict[str, Any] = error if isinstance(error, dict) else {}
    return CoreRefused(
        response.status_code,
        str(said.get("code") or f"HTTP_{response.status_code}"),
        str(said.get("message") or response.reason_phrase),
        details=[item for item in said.get("details") or () if isinstance(item, dict)],
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _unreachable(error: httpx.HTTPError) -> CoreUnreachable:
    return CoreUnreachable(str(error) or type(error).__name__)


def _seconds(text: str | None) -> float | None:
    """Read a `Retry-After` in seconds; its date form is left to the caller's own backoff."""
    return float(text) if text and text.isascii() and text.isdigit() else None


def _secret_value(data: Any) -> str:
    value = data.get("value") if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise CoreUnreachable("core's answer holds no secret")
    return value


def _registration(data: Any) -> Registration:
    try:
        return msgspec.convert(data, Registration)
    except msgspec.ValidationError as error:
        raise CoreUnreachable(f"core's answer is no registration: {error}") from error
