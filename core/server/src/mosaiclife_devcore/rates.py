"""Hold plugins to the platform's rates, when this core is told to."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from time import monotonic

from mosaiclife_devcore.errors import RateLimited

CALLS_PER_MINUTE = 120
DATA_PER_HOUR = 1000


class Rates:
    """Two sliding windows per plugin: its calls to core, and the reads that core passes on."""

    def __init__(self, *, enabled: bool, clock: Callable[[], float] = monotonic) -> None:
        self._enabled = enabled
        self._clock = clock
        self._seen: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def count_call(self, plugin_id: str) -> None:
        """Count a call of the plugin, or refuse it until the window has room."""
        self._count(("call", plugin_id), CALLS_PER_MINUTE, 60)

    def count_data(self, plugin_id: str) -> None:
        """Count a read of the plugin's data, or refuse it until the window has room."""
        self._count(("data", plugin_id), DATA_PER_HOUR, 3600)

    def _count(self, key: tuple[str, str], most: int, window: float) -> None:
        if not self._enabled:
            return
        now, seen = self._clock(), self._seen[key]
        while seen and seen[0] <= now - window:
            seen.popleft()
        if len(seen) >= most:
            wait = max(1, round(seen[0] + window - now))
            raise RateLimited(
                f"at most {most} calls in {window:g} seconds", headers={"retry-after": str(wait)}
            )
        seen.append(now)
