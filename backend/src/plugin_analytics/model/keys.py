"""Name an event by a short key, by which its repetitions are known (design §4).

A key is a hash, but one that begins as its event does in time where the id tells that: keys that
come in order are written side by side, and random ones each to a place of their own.
"""

from functools import lru_cache
from hashlib import blake2b

KEY = 16  # bytes
_MOMENT = 6  # bytes: milliseconds since 1970, at the head of a UUIDv7 and of a ULID
_UUID_LENGTH, _ULID_LENGTH, _ULID_MOMENT = 36, 26, 10  # characters
_FROM_CROCKFORD = str.maketrans(
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv"
)


def event_key(tenant: str, source: str, event_id: str) -> bytes:
    """Return the key of the event that *source* calls *event_id*: the same in all deliveries."""
    led, name = _moment(event_id), event_id.encode()
    framed = b"%b%d:%b" % (_sender(tenant, source), len(name), name)
    return led + blake2b(framed, digest_size=KEY - len(led)).digest()


def content_of(name: str, moment: int, person: bytes, body: bytes, size: int) -> bytes:
    """Return *size* bytes by which the content of an event can be told from another's."""
    kind, at = name.encode(), b"%d" % moment
    framed = b"%d:%b%d:%b%d:%b%d:%b" % (
        *(len(kind), kind, len(at), at),
        *(len(person), person, len(body), body),
    )
    return blake2b(framed, digest_size=size).digest()


@lru_cache(maxsize=1024)
def _sender(tenant: str, source: str) -> bytes:
    """Frame what most ids have in common.

    Each part of what is hashed is led by its length, so that none can borrow from another.
    """
    names = tenant.encode(), source.encode()
    return b"".join([b"%d:%b" % (len(name), name) for name in names])


def _moment(event_id: str) -> bytes:
    """Return the moment that an id begins with; nothing of one that does not grow with time."""
    length = len(event_id)
    try:
        if length == _UUID_LENGTH and event_id[14] == "7":
            return bytes.fromhex(event_id[:8] + event_id[9:13])
        if length == _ULID_LENGTH:
            number = int(event_id[:_ULID_MOMENT].upper().translate(_FROM_CROCKFORD), 32)
            return number.to_bytes(_MOMENT, "big")
    except (ValueError, OverflowError):
        return b""  # it only has the length of one
    return b""
