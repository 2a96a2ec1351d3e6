"""Make ULIDs: ids that sort by the moment they were made, and say nothing else."""

from __future__ import annotations

import secrets
from datetime import datetime
from random import Random

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26


def ulid(moment: datetime, chance: Random | None = None) -> str:
    """Return the id of something that happened at *moment*; *chance* makes it repeatable."""
    tail = chance.getrandbits(80) if chance else secrets.randbits(80)
    number = (int(moment.timestamp() * 1000) << 80) | tail
    digits = [(number >> (5 * place)) & 31 for place in reversed(range(_LENGTH))]
    return "".join(_ALPHABET[digit] for digit in digits)
