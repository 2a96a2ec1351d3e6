"""Let what can wait give way to what cannot: deliveries, and whoever waits to be alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def giving_way(*held_up: Callable[[], int], rests: float, longest: float) -> Iterator[None]:
    """Rest after a step *rests* times as long as it took, if any of *held_up* says so."""
    began = time.monotonic()
    yield
    if any(each() for each in held_up):
        time.sleep(min(rests * (time.monotonic() - began), longest))


class Stride:
    """The size of a step: it doubles while nobody is held up, and is small as soon as somebody is.

    Many small steps cost more than a few large ones, and a large one is long to wait for.
    """

    def __init__(self, least: int, most: int) -> None:
        """Begin with the smallest step."""
        self._least, self._most = least, most
        self.size = least

    def adapt(self, *, free: bool) -> None:
        """Choose the size of the next step, after one that nobody had to wait for, or somebody."""
        self.size = min(2 * self.size, self._most) if free else self._least
