"""Bring what another thread has finished back to the event loop, many in one wake."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Landing:
    """Where results of threads come down; one for each event loop.

    A commit finishes what many callers wait for. To wake the loop for each of them would cost the
    writer more than the commit's own statements.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._down: deque[Arrival[Any]] = deque()
        self._due = False

    def expect(self, left: Callable[[], None] = lambda: None) -> "Arrival[Any]":
        """Return what a thread shall settle; *left* is called once that has come down."""
        return Arrival(self._touch_down, left)

    def _touch_down(self, arrival: "Arrival[Any]") -> None:
        self._down.append(arrival)
        if not self._due:
            self._due = True
            arrival.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # First, so that what comes down from here on wakes the loop again.
        self._due = False
        while self._down:
            self._down.popleft().hand_over()


class Arrival(Generic[T]):
    """One result that is awaited on the loop, and settled by a thread.

    It is half of a `concurrent.futures.Future`: nobody blocks for it, so it needs no lock.
    """

    __slots__ = ("_error", "_left", "_result", "_touch_down", "here", "loop")

    def __init__(
        self, touch_down: "Callable[[Arrival[Any]], None]", left: Callable[[], None]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.here: asyncio.Future[T] = self.loop.create_future()
        self._touch_down = touch_down
        self._left = left
        self._error: BaseException | None = None

    def set_result(self, result: T) -> None:
        """Settle it, from any thread."""
        self._result = result
        self._touch_down(self)

    def set_exception(self, error: BaseException) -> None:
        """Settle it with what is to be raised, from any thread."""
        self._error = error
        self._touch_down(self)

    def hand_over(self) -> None:
        """Give the caller, who may have gone, what has been settled."""
        self._left()
        if self.here.done():
            return
        if self._error is not None:
            self.here.set_exception(self._error)
        else:
            self.here.set_result(self._result)
