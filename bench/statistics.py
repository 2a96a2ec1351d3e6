"""Condense many timings into the few numbers that are told."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least *share* of *values* do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    if not 0 < share <= 1:
        raise ValueError("a share lies above 0 and is at most 1")
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    if not values:
        raise ValueError("no values, no median")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def rate(pairs: Sequence[tuple[float, float]]) -> float:
    """Return how many in a second, over several windows of (number, seconds)."""
    seconds = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / seconds if seconds else 0.0


def rounded(value: float) -> float:
    """Return *value* with three digits that mean something; more would be noise."""
    if value == 0:
        return 0.0
    digits = 2 - math.floor(math.log10(abs(value)))
    return round(value, max(digits, 0))
