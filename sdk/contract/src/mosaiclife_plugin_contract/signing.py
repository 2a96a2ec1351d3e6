"""Sign deliveries as Standard Webhooks 1.0 says: HMAC-SHA256 over id, timestamp and raw body."""

import base64
import hashlib
import hmac
import secrets as randomness

PREFIX = "whsec_"


def new_secret() -> str:
    """Make a signing secret."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def mac(secret: str, signed: bytes) -> bytes:
    """Return the code that stands for *signed*."""
    return hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256)


def signature(secret: str, webhook_id: str, timestamp: int | str, body: bytes) -> str:
    """Return one entry of a `webhook-signature` header."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(mac(secret, signed)).decode()
