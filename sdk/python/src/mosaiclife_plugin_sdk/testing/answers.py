"""What the stand-in was asked, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mosaiclife_plugin_sdk.clock import rfc3339, utc_now


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: a JSON *body*, or *raw* bytes, or a *stream*; after *delay*; or nothing."""

    status: int = 200
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False
    stream: Callable[[], Iterator[bytes]] | None = None

    def content(self) -> bytes:
        """Return the bytes of the body."""
        return json.dumps(self.body).encode() if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived; *body* is decoded where it is JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Refusal(Exception):
    """Carries the answer of a call that core does not do."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        error = {
            "code": code,
            "message": message or HTTPStatus(status).phrase,
            "details": [dict(detail) for detail in details],
            "requestId": "fake",
            "timestamp": rfc3339(utc_now()),
        }
        self.answer = Answer(status, {"error": error}, headers=dict(headers or {}))


def refusal(
    status: int,
    code: str,
    message: str = "",
    *,
    details: Sequence[Mapping[str, str]] = (),
    retry_after: int | None = None,
) -> Answer:
    """Return core's one error shape, as 401 `AUTH_INVALID` or 409 `PLUGIN_INCOMPATIBLE`."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Refusal(status, code, message, details=details, headers=headers).answer


def success(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return core's one success shape."""
    meta = {"requestId": "fake", "timestamp": rfc3339(utc_now())}
    return Answer(status, {"data": data, "meta": meta}, headers=dict(headers or {}))


def garbage() -> Answer:
    """Return what a broken proxy answers: 200, and a page where JSON should be."""
    return Answer(raw=b"<html>\xff not json", headers={"Content-Type": "text/html"})


def hang_up() -> Answer:
    """Return no answer: the connection ends."""
    return Answer(hang_up=True)
