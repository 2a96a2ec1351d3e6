"""Bring what another thread has finished back to the event loop, many in one wake."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Landing:
    """Where futures of threads come down; one for each event loop.

    A commit finishes what many callers wait for. To wake the loop for each of them would cost the
    writer more than the commit's own statements.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._down: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._due = False

    async def __call__(self, future: Future[T]) -> T:
        """Return the result of *future*, or raise what it raises."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(lambda done: self._touch_down(loop, mine, done))
        return await mine

    def _touch_down(
        self, loop: asyncio.AbstractEventLoop, mine: asyncio.Future[T], done: Future[T]
    ) -> None:
        self._down.append((mine, done))
        if not self._due:
            self._due = True
            loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # First, so that what comes down from here on wakes the loop again.
        self._due = False
        while self._down:
            mine, done = self._down.popleft()
            if mine.done():
                continue  # its caller has gone
            if (error := done.exception()) is not None:
                mine.set_exception(error)
            else:
                mine.set_result(done.result())
