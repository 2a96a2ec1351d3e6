"""Bring what another thread has finished back to the event loop, many in one wake."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, TypeVar

import structlog

log = structlog.stdlib.get_logger(__name__)

R = TypeVar("R")  # what a thread finds
T = TypeVar("T")  # what the caller is given


class Landing:
    """Where results of threads come down; one for each event loop.

    A commit finishes what many callers wait for. To wake the loop for each of them would cost the
    writer more than the commit's own statements.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._down: deque[Arrival[Any, Any]] = deque()
        self._due = False

    def expect(self, landed: "Callable[[Arrival[R, T]], T]") -> "Arrival[R, T]":
        """Return what a thread shall settle; the caller gets what *landed* makes of it.

        That is called on the loop in the caller's context, also when the caller has gone.
        """
        return Arrival(self._touch_down, landed)

    def _touch_down(self, arrival: "Arrival[Any, Any]") -> None:
        self._down.append(arrival)
        if not self._due:
            self._due = True
            arrival.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # First, so that what comes down from here on wakes the loop again.
        self._due = False
        while self._down:
            self._down.popleft().hand_over()


class Arrival(Generic[R, T]):
    """One result that is awaited on the loop, and settled by a thread.

    It is half of a `concurrent.futures.Future`: nobody blocks for it, so it needs no lock.
    """

    __slots__ = ("_context", "_error", "_landed", "_result", "_touch_down", "here", "loop")

    def __init__(
        self,
        touch_down: "Callable[[Arrival[Any, Any]], None]",
        landed: "Callable[[Arrival[R, T]], T]",
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.here: asyncio.Future[T] = self.loop.create_future()
        self._touch_down = touch_down
        self._landed = landed
        self._context = copy_context()  # what follows belongs to the trace of the call
        self._error: BaseException | None = None

    def set_result(self, result: R) -> None:
        """Settle it, from any thread."""
        self._result = result
        self._touch_down(self)

    def set_exception(self, error: BaseException) -> None:
        """Settle it with what went wrong, from any thread."""
        self._error = error
        self._touch_down(self)

    def result(self) -> R:
        """Return what the thread has found, or raise what went wrong."""
        if self._error is not None:
            raise self._error
        return self._result

    def hand_over(self) -> None:
        """Give the caller, who may have gone, what comes of it."""
        here = self.here
        try:
            found = self._context.run(self._landed, self)
        except Exception as error:  # it is for whoever awaits it
            if not here.done():
                here.set_exception(error)
            elif error is not self._error:  # of what the store says its writer has told
                log.exception("nobody was left to hear of a failure")
        else:
            if not here.done():
                here.set_result(found)
