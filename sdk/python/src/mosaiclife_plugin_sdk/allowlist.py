"""Judge an address by the hosts and ports that a manifest allows (spec §9, §13).

One list serves both ends: the plugin's client asks it before a socket opens, and core's proxy
asks it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mosaiclife_plugin_sdk.errors import EgressRefused

DEFAULT_PORTS = {"http": 80, "https": 443}

# A name as the manifest writes it. IPv6 literals, percent signs, underscores, a dot at the end and
# letters beyond ASCII are all other spellings of something, and no entry has them.
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")


class Target(NamedTuple):
    """Where a connection would go."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class AllowList:
    """The entries of `permissions.network.egressAllow`: a host and a port each, no patterns."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = frozenset(map(parse_target, entries))

    def check(self, target: Target) -> None:
        """Refuse a *target* that no entry names."""
        if target not in self._entries:
            raise EgressRefused(f"the manifest's egressAllow does not name {target}")


def parse_target(text: str) -> Target:
    """Read `host:port` in its one spelling, or raise `EgressRefused`."""
    host, _, port = text.rpartition(":")
    return target_of(host, port)


def target_of(host: str, port: str | int) -> Target:
    """Return where *host* and *port* lead; only letters' case is no difference."""
    name = host.lower()
    if not _HOST.fullmatch(name) or len(name) > 253:
        raise EgressRefused(f"{host!r} is not a host name that an allow list could hold")
    number = str(port)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65536):
        raise EgressRefused(f"{number!r} is not a port")
    return Target(name, int(number))
