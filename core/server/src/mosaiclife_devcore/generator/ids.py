"""Make the ids of the invented world: opaque, repeatable, random or in the order of time."""

from __future__ import annotations

from random import Random
from typing import Literal

Kind = Literal["random", "ordered"]
KINDS: tuple[Kind, ...] = ("random", "ordered")


class Ids:
    """A source of UUIDs that follows from its seed."""

    def __init__(self, chance: Random, kind: Kind = "random") -> None:
        self._chance = chance
        self._ordered = kind == "ordered"

    def plain(self) -> str:
        """Return a version 4 UUID."""
        return _uuid(f"{self._chance.getrandbits(128):032x}", "4")

    def at(self, moment: int) -> str:
        """Return the id of something that happened at *moment* (milliseconds since 1970).

        Version 7 ids begin with the moment and thus sort by it.
        """
        if not self._ordered:
            return self.plain()
        return _uuid(f"{moment:012x}{self._chance.getrandbits(80):020x}", "7")


def _uuid(digits: str, version: str) -> str:
    """Write 32 hexadecimal digits as a UUID of a version, variant 1."""
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
