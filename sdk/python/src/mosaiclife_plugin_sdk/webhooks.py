"""Sign and verify deliveries as Standard Webhooks 1.0 says, over the raw bytes of the body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as randomness
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from mosaiclife_plugin_sdk.errors import WebhookRejected

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 16
MAX_EVENTS = 500  # in one delivery

_PREFIX = "whsec_"
_FOR_DEMONSTRATIONS = "demo-only-"
# The dot parts id, time and body in what is signed: with one in the id, two deliveries are one text.
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class WebhookMessage(NamedTuple):
    """What a good signature vouches for, beside the body."""

    id: str
    timestamp: int


def new_secret() -> str:
    """Make a signing secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode("ascii")


def is_secret(text: str) -> bool:
    """Tell whether *text* can sign: base64, with or without the `whsec_` in front."""
    return bool(_key(text))


def is_demo_secret(text: str) -> bool:
    """Tell whether *text*, plain or as what signs, is one of those that stand in public files."""
    return text.startswith(_FOR_DEMONSTRATIONS) or _key(text).startswith(
        _FOR_DEMONSTRATIONS.encode()
    )


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of a `webhook-signature` header."""
    return _signature(secret, _signed(webhook_id, timestamp, body)).decode("ascii")


def verify(
    secrets: Iterable[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime | float,
) -> WebhookMessage:
    """Return the message that *headers* describe, or raise `WebhookRejected`, and nothing else.

    *headers* has lower-case names. Every secret is tried against every signature, so that the
    time taken tells nothing about which one was close, and a rotation loses no delivery.
    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(webhook_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookRejected("webhook-id or webhook-timestamp is missing or malformed")
    seconds = now.timestamp() if isinstance(now, datetime) else now
    moment = int(timestamp)
    if abs(seconds - moment) > TOLERANCE_SECONDS:
        raise WebhookRejected("webhook-timestamp lies outside the window")
    offered = headers.get("webhook-signature", "").split()[:MAX_SIGNATURES]
    seen = [signature.encode("utf-8", "replace") for signature in offered]
    signed = _signed(webhook_id, moment, body)
    expected = [_signature(secret, signed) for secret in secrets if _key(secret)]
    matches = [hmac.compare_digest(good, one) for good in expected for one in seen]
    if not any(matches):
        raise WebhookRejected("no signature matches")
    return WebhookMessage(webhook_id, moment)


def _signed(webhook_id: str, timestamp: int, body: bytes) -> bytes:
    return b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)


def _signature(secret: str, signed: bytes) -> bytes:
    # A copy of a hasher that knows its key is half the work; and unlike `hmac.digest` it does not
    # let go of the interpreter, which another thread would then hold for milliseconds.
    hasher = _hasher(secret).copy()
    hasher.update(signed)
    return b"v1," + binascii.b2a_base64(hasher.digest(), newline=False)


@lru_cache(maxsize=64)
def _hasher(secret: str) -> hmac.HMAC:
    """Return a hasher with the key of *secret*, to be copied."""
    key = _key(secret)
    if not key:
        raise ValueError("a webhook secret is whsec_ and base64")
    return hmac.new(key, digestmod=hashlib.sha256)


@lru_cache(maxsize=64)
def _key(secret: str) -> bytes:
    """Return the key bytes of *secret*, none when an operator wrote something else there."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
