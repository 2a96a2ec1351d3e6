"""Say for whom a call is made: tenant, viewer and the time that is left (design: Tenancy)."""

from __future__ import annotations

import base64
import binascii
import re
import time
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import lru_cache
from typing import Literal, NewType

import msgspec

from mosaiclife_plugin_sdk.errors import BadRequest

Tenant = NewType("Tenant", str)

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class UserContext(msgspec.Struct, frozen=True, kw_only=True):
    """Who is looking, and with which role in each of the legacies in question.

    The service scope is said (`{"scope": "service"}`) and never a default.
    """

    sub: str | None = None
    operator: bool = False
    timezone: str | None = None
    legacies: dict[str, str] = {}
    scope: Literal["user", "service"] = "user"

    @property
    def is_service(self) -> bool:
        """Tell whether core itself asks, on nobody's behalf."""
        return self.scope == "service"

    def role_in(self, legacy_id: str) -> str | None:
        """Return the viewer's role in *legacy_id*, or None for a stranger."""
        return self.legacies.get(legacy_id)


SERVICE = UserContext(scope="service")

_decoder = msgspec.json.Decoder(UserContext)
_encoder = msgspec.json.Encoder()


@lru_cache(maxsize=1024)
def parse_tenant(value: str) -> Tenant:
    """Read the value of an `X-Tenant-ID` header."""
    if not _IDENTIFIER.fullmatch(value):
        raise BadRequest("X-Tenant-ID is not a tenant id")
    return Tenant(value)


def encode_user_context(context: UserContext) -> str:
    """Write *context* as an `X-User-Context` header: base64url JSON without padding."""
    return base64.urlsafe_b64encode(_encoder.encode(context)).rstrip(b"=").decode("ascii")


def decode_user_context(header: str) -> UserContext:
    """Read an `X-User-Context` header; anything malformed is a `BadRequest`."""
    try:
        raw = base64.b64decode(_padded(header), altchars=b"-_", validate=True)
        context = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise BadRequest("X-User-Context is not base64url JSON of a user context") from error
    if context.scope == "user" and not context.sub:
        raise BadRequest("X-User-Context names no user: `sub` is missing")
    return context


class _Limit:
    """What `limit_time` returns: every request enters one, and a generator would cost thrice."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(time.monotonic() + self._seconds)

    def __exit__(self, *_: object) -> None:
        _deadline.reset(self._token)


def limit_time(seconds: float) -> AbstractContextManager[None]:
    """Allow *seconds* to the code inside and to all that it starts."""
    return _Limit(seconds)


def time_left() -> float | None:
    """Return the seconds that the present call may still take, or None when nobody set a limit."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _padded(text: str) -> bytes:
    bare = text.rstrip("=").encode("ascii", "replace")
    return bare + b"=" * (-len(bare) % 4)
