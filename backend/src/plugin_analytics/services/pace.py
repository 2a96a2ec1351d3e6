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
