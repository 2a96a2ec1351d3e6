"""Decide which addresses a plugin may name: no way into core's own network (design: The wire)."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from mosaiclife_devcore.errors import PermissionDenied, ValidationFailed

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def origin_of(url: str) -> str:
    """Return `scheme://host:port` of *url* in one spelling, or raise `ValueError`."""
    parts = urlsplit(url)
    _check_form(url, parts)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"


def own_origins(host: str, port: int) -> frozenset[str]:
    """Return every spelling of the address that this core listens on."""
    names = {host, *LOOPBACK} if host in {"0.0.0.0", "::", *LOOPBACK} else {host}  # noqa: S104
    wrapped = (f"[{name}]" if ":" in name else name for name in names)
    return frozenset(f"http://{name}:{port}" for name in wrapped)


def check_url(url: str, field: str, allowed: Collection[str], own: Collection[str]) -> str:
    """Return *url* when policy lets this plugin name it, else say why not."""
    try:
        origin = origin_of(url)
    except ValueError as error:
        fault = {"field": field, "message": str(error)}
        raise ValidationFailed("the address cannot be used", details=[fault]) from error
    if origin in own:
        raise _denied(field, f"{origin} is this core's own origin")
    if origin not in {origin_of(entry) for entry in allowed}:
        raise _denied(field, f"{origin} is not among the origins allowed for this token")
    return url


def _check_form(url: str, parts: SplitResult) -> None:
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("the scheme is http or https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address carries no user and no password")
    if not parts.hostname or any(character.isspace() or character == "\\" for character in url):
        raise ValueError("the address has no usable host")
    if parts.fragment:
        raise ValueError("an address carries no fragment")


def _denied(field: str, message: str) -> PermissionDenied:
    return PermissionDenied(message, details=[{"field": field, "message": message}])
