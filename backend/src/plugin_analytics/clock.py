"""Tell the time, and write an instant as the store keeps it: microseconds since 1970, UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mosaiclife_plugin_sdk import Clock, rfc3339, utc_now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SLACK = timedelta(minutes=5)
SETTLED_AFTER = timedelta(days=1)

__all__ = ["EPOCH", "Clock", "Steadiness", "from_micros", "micros", "rfc3339", "utc_now"]


def micros(instant: datetime) -> int:
    """Count the microseconds from 1970 to *instant*."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Return the instant that lies *count* microseconds after 1970."""
    return EPOCH + count * _MICROSECOND


class Steadiness:
    """Tell whether the clock has run evenly, and what is deleted by age may be deleted.

    A clock that leaps a year ahead makes everything old. After a leap nobody knows which of the
    two times is the right one, so one waits: until the clock is back, or has kept to the new time
    for a day.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Hold *clock* against *monotonic*, which nobody sets."""
        self._clock = clock
        self._monotonic = monotonic
        self._trusted = self._latest = self._origin()
        self._since = monotonic()

    def __call__(self) -> bool:
        """Look at the clock now."""
        origin, now = self._origin(), self._monotonic()
        if abs(origin - self._latest) > SLACK:
            self._since = now
        self._latest = origin
        settled = timedelta(seconds=now - self._since) >= SETTLED_AFTER
        steady = settled or abs(origin - self._trusted) <= SLACK
        if steady:
            self._trusted = origin
        return steady

    def _origin(self) -> datetime:
        """Return when, by the clock, the monotonic time began: the same for ever, but for leaps."""
        return self._clock() - timedelta(seconds=self._monotonic())
