"""End what takes too long, with one timer for all of it."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Protocol


class Watched(Protocol):
    """Something that ends at a moment of the monotonic clock, unless it has ended before."""

    at: float

    def miss(self) -> None:
        """End it now."""


class Deadlines:
    """The time limits of an event loop's work.

    `asyncio.timeout` arms and disarms a timer of its own for each request, though hardly any ever
    fires. Here one timer stands at the first deadline, and looks for the next when it has fired.
    """

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._standing: dict[Watched, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def within(self, seconds: float) -> Deadline:
        """Return what raises `TimeoutError` if the code inside takes longer than *seconds*."""
        return Deadline(self, seconds)

    def add(self, deadline: Watched) -> None:
        """Watch something of the running loop."""
        loop = asyncio.get_running_loop()
        self._standing[deadline] = None
        if self._timer is None or deadline.at < self._due or loop is not self._loop:
            self._arm(loop, deadline.at)

    def discard(self, deadline: Watched) -> None:
        """Let go of one that was kept."""
        self._standing.pop(deadline, None)

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop, self._due = loop, due
        self._timer = loop.call_later(due - time.monotonic(), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is due, and come back for what is not."""
        self._timer = None
        now = time.monotonic()
        for deadline in [each for each in self._standing if each.at <= now]:
            self.discard(deadline)
            deadline.miss()
        if self._standing:
            self._arm(loop, min(each.at for each in self._standing))


class Deadline:
    """One limit, over the code inside a `with` statement."""

    __slots__ = ("_asked_before", "_missed", "_task", "_watch", "at")

    def __init__(self, watch: Deadlines, seconds: float) -> None:
        self.at = time.monotonic() + seconds
        self._watch = watch
        self._missed = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is a task's")
        self._task, self._asked_before = task, task.cancelling()
        self._watch.add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._watch.discard(self)
        if self._missed:
            asked = self._task.uncancel()
            # Somebody else may want the task to end as well: then it ends.
            if asked <= self._asked_before and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def miss(self) -> None:
        """Cancel the task, which turns that into a `TimeoutError` on its way out."""
        self._missed = True
        self._task.cancel()
