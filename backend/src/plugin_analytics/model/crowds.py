"""Hold people as bits: each has a small number, and who is in either of two crowds is one OR.

A person who is asked for over and over, in a year's weeks or in every zone, must not be compared
with all others each time. Ten years of days are a few thousand ORs.
"""

from collections.abc import Iterable, Iterator
from typing import Final

STANDS = 0  # the end of what still stands, as the store keeps it: nought takes no room there
_ORDER: Final = "little"  # so that a crowd needs room up to its highest number only


def crowd_of(numbers: Iterable[int]) -> int:
    """Return the crowd of these people."""
    crowd = 0
    for number in numbers:
        crowd |= 1 << number
    return crowd


def numbers_in(crowd: int) -> Iterator[int]:
    """Yield the number of everybody in a crowd, the lowest first."""
    while crowd:
        lowest = crowd & -crowd
        yield lowest.bit_length() - 1
        crowd ^= lowest


def packed(crowd: int) -> bytes:
    """Write a crowd as the store keeps it."""
    return crowd.to_bytes((crowd.bit_length() + 7) // 8, _ORDER)


def unpacked(people: bytes) -> int:
    """Read what `packed` has written."""
    return int.from_bytes(people, _ORDER)
