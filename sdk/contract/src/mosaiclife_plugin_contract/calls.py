"""Call the plugin: the one door to httpx, which lets no exception of its own out."""

import asyncio
import json
import time
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from mosaiclife_plugin_contract.violation import Unanswered, Unreachable, Violation, shown

LONGEST_BODY = 16 * 1024 * 1024

Headers = Sequence[tuple[str, str | bytes]]
Content = bytes | AsyncIterable[bytes]


@dataclass(frozen=True)
class Reply:
    """What the plugin answered."""

    asked: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """Return the body, which must be UTF-8."""
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Violation(f"{self.asked}: the body is UTF-8", str(error)) from error

    def json(self) -> Any:
        """Return the decoded body, which must be JSON and say so."""
        kind = self.media_type
        if kind != "application/json" and not kind.endswith("+json"):
            raise Violation(f"{self.asked}: the body is JSON", self.summary, "application/json")
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise Violation(f"{self.asked}: the body is JSON", str(error)) from error

    @property
    def summary(self) -> str:
        """Return the answer in one line."""
        return shown(f"{self.status} {self.media_type or 'no content type'} ".encode() + self.body)


class Caller:
    """Sends one request at a time, follows nothing, and gives up in time."""

    def __init__(
        self, base_url: str, seconds: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Call what answers at *base_url*, waiting at most *seconds* for an answer."""
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            base_url=base_url,
            transport=transport,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def __call__(
        self, method: str, path: str, headers: Headers = (), content: Content = b""
    ) -> Reply:
        """Return the answer; without one, or with one that does not end, raise `Unanswered`."""
        asked = f"{method} {path}"
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(asked, method, path, headers, content)
        except TimeoutError as error:
            raise Unanswered(f"{asked} is answered", f"nothing in {self._seconds:g} s") from error
        except httpx.LocalProtocolError:
            raise  # the kit asked wrongly: its own fault, and not the plugin's
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise Unreachable(f"{asked}: somebody listens", shown(str(error))) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            saw = f"{type(error).__name__} {error}".strip()
            raise Unanswered(f"{asked} is answered in HTTP", shown(saw)) from error

    async def _ask(
        self, asked: str, method: str, path: str, headers: Headers, content: Content
    ) -> Reply:
        began = time.perf_counter()
        raw = [(name.encode(), _bytes(value)) for name, value in headers]
        options: dict[str, Any] = {"headers": raw}
        if content != b"" or method in ("POST", "PUT", "PATCH"):
            options["content"] = content
        async with self._client.stream(method, path, **options) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LONGEST_BODY:
                    raise Unanswered(f"{asked}: the body ends", f"over {LONGEST_BODY} bytes")
        seconds = time.perf_counter() - began
        return Reply(asked, answer.status_code, answer.headers, bytes(body), seconds)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
