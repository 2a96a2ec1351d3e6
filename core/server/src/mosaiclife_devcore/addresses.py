"""Look a name up, and tell the world's addresses from one's own network (design: The wire)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from mosaiclife_devcore.errors import PermissionDenied, Unavailable
from mosaiclife_plugin_sdk.allowlist import Target

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


async def lookup(target: Target, *, inward: bool) -> str:
    """Return the address to connect to; with *inward* it may lie in one's own network.

    A name with several addresses is judged by all of them: which one answers is chance.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise Unavailable(f"{target.host} cannot be found") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not inward and not all(map(is_public, addresses)):
        raise PermissionDenied(f"{target} lies in this core's own network")
    return addresses[0]


def is_public(text: str) -> bool:
    """Tell whether an address belongs to the world: no loopback, no private or special range."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        # Translated and tunnelled addresses have an IPv4 address inside, perhaps one of ours.
        if address not in _GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast
