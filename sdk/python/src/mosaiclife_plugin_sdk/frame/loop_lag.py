"""Measure how late the event loop is: what it serves waits at least so long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

EVERY_SECONDS = 0.5


class LoopLag:
    """Sleep for a known time, again and again, and tell how much longer it took."""

    def __init__(self, tell: Callable[[float], None], *, every: float = EVERY_SECONDS) -> None:
        """Tell *tell* the seconds of each delay."""
        self._tell = tell
        self._every = every

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(self._every)
            self._tell(max(0.0, time.monotonic() - began - self._every))
