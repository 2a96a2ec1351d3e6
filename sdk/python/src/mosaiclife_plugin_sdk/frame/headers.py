"""Read the headers of a request once, for everybody who looks at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

READ = "single_headers"  # where a scope holds what was read of it

Pairs = Sequence[tuple[bytes, bytes]]


class _Names(dict[bytes, str]):
    """The names that nearly every request has; to look one up is a third of decoding it."""

    def __missing__(self, name: bytes) -> str:
        return name.decode("latin-1").lower()


_NAMES = _Names(
    {
        name.encode(): name
        for name in (
            *("host", "user-agent", "accept", "accept-encoding", "connection", "authorization"),
            *("content-type", "content-length", "x-request-id", "x-request-timeout-ms"),
            *("x-tenant-id", "x-user-context", "traceparent", "tracestate"),
            *("webhook-id", "webhook-timestamp", "webhook-signature", "if-none-match"),
        )
    }
)


def single_headers(pairs: Pairs) -> dict[str, str]:
    """Return the headers by lower-case name, without those that stand more than once."""
    names = _NAMES
    found = {names[name]: value.decode("latin-1") for name, value in pairs}
    if len(found) < len(pairs):
        times = Counter(names[name] for name, _ in pairs)
        found = {name: value for name, value in found.items() if times[name] == 1}
    return found


def request_headers(scope: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the headers of *scope* that stand once; the edge has read them already."""
    read: Mapping[str, str] | None = scope.get(READ)
    return single_headers(list(scope["headers"])) if read is None else read


def values_of(pairs: Pairs, name: bytes) -> list[str]:
    """Return every value of one header, in their order."""
    return [value.decode("latin-1") for each, value in pairs if each == name]
