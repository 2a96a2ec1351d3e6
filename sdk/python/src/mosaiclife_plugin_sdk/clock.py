"""Tell the time: one type for every clock that is passed in, and the real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], datetime]

_MILLIS = tuple(f".{millis:03d}Z" for millis in range(1000))


def utc_now() -> datetime:
    """Return the present instant, aware and in UTC."""
    return datetime.now(UTC)


def rfc3339_now() -> str:
    """Write the present instant; most calls fall into a second that was written before."""
    now = time.time()
    seconds = int(now)
    return _to_the_second(seconds) + _MILLIS[int((now - seconds) * 1000)]


@lru_cache(maxsize=2)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(instant: datetime) -> str:
    """Write *instant* as every body, header and log line of the contract does."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"
