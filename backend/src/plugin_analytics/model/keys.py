"""Name an event by a short key, by which its repetitions are known (design §4).

A key is a hash, but one that begins as its event does in time where the id tells that: keys that
come in order are written side by side, and random ones each to a place of their own.
"""

from hashlib import blake2b

KEY = 16  # bytes
_MOMENT = 6  # bytes: milliseconds since 1970, at the head of a UUIDv7 and of a ULID
_UUID_LENGTH, _ULID_LENGTH, _ULID_MOMENT = 36, 26, 10  # characters
_FROM_CROCKFORD = str.maketrans(
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv"
)


def event_key(tenant: str, source: str, event_id: str) -> bytes:
    """Return the key of the event that *source* calls *event_id*: the same in all deliveries."""
    led = _moment(event_id)
    parts = tenant.encode(), source.encode(), event_id.encode()
    return led + digest(*parts, size=KEY - len(led))


def digest(*parts: bytes, size: int) -> bytes:
    """Hash *parts* to *size* bytes.

    Each is led by its length, so that none can borrow from another.
    """
    framed = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return blake2b(framed, digest_size=size).digest()


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
