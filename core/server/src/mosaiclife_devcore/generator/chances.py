"""Say how often each thing is chosen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from random import Random


class Choice:
    """Words with weights, made ready to be drawn from many times."""

    __slots__ = ("_sums", "words")

    def __init__(self, weights: Mapping[str, int]) -> None:
        self.words = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def __call__(self, chance: Random) -> str:
        """Draw one word."""
        # One call of `random` a draw, the same one that `Random.choices` makes.
        place = bisect_right(self._sums, chance.random() * self._sums[-1])
        return self.words[min(place, len(self.words) - 1)]

    def some(self, chance: Random, count: int) -> list[str]:
        """Draw *count* words."""
        return chance.choices(self.words, cum_weights=self._sums, k=count)


def rank_weights(count: int) -> Iterable[float]:
    """Yield a weight for each of *count* people: a few tell most, milder than on the open web."""
    return (1 / (rank + 1) ** 0.7 for rank in range(count))


FAMILY = Choice({"image": 78, "video": 10, "audio": 8, "document": 4})
REACTION = Choice({"heart": 60, "candle": 26, "smile": 14})
WORDS = Choice({"1-99": 30, "100-299": 40, "300-999": 25, "1000+": 5})
VISIBILITY = Choice({"public": 80, "private": 15, "personal": 5})
ORIGIN = Choice({"manual": 70, "prompt": 15, "response": 8, "conversation": 7})
