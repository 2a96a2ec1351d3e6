"""Tell states of the database apart, so that what was read of one may be kept until the next."""

from collections.abc import Iterator
from contextlib import contextmanager


class Moments:
    """Number the states between commits; one thread makes them, any number read them.

    A reader who sees the same number before and after a look has looked at that state.
    """

    def __init__(self) -> None:
        """Begin with the state that is there."""
        self._steps = 0

    @contextmanager
    def change(self) -> Iterator[None]:
        """Be between two states: a commit becomes visible at some instant inside."""
        self._steps += 1
        try:
            yield
        finally:
            self._steps += 1

    def now(self) -> int | None:
        """Return the number of the present state; None between two."""
        steps = self._steps
        return None if steps % 2 else steps
