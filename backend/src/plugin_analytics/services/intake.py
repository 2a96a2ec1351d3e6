"""Take in no more than can be stored soon: what is too much stays with the sender (design §4)."""

import time
from collections.abc import Callable
from functools import partial

from plugin_analytics.errors import IngestBusy, spread

MAX_BYTES = 8 * 1024 * 1024
MAX_LAG_SECONDS = 2.0
RETRY_SECONDS = 2


class Intake:
    """The deliveries that have come in and are not on the disk yet, as the event loop knows it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Measure by *monotonic* how long the oldest one has been waiting."""
        self._monotonic = monotonic
        self._waiting: dict[int, tuple[float, int]] = {}  # in the order of arrival
        self._bytes = 0
        self._next = 0

    def enter(self, size: int) -> Callable[[], None]:
        """Admit a delivery of *size* bytes, and return what to call once it is stored or refused.

        A single one is always admitted, so that nothing waits for ever.
        """
        if self._waiting and (self._bytes + size > MAX_BYTES or self._lag() > MAX_LAG_SECONDS):
            raise IngestBusy(retry_after=spread(RETRY_SECONDS))
        ticket = self._next = self._next + 1
        self._waiting[ticket] = self._monotonic(), size
        self._bytes += size
        return partial(self._leave, ticket)

    def bytes_waiting(self) -> int:
        """Return how many bytes of deliveries are waiting."""
        return self._bytes

    def _lag(self) -> float:
        since, _ = next(iter(self._waiting.values()))
        return self._monotonic() - since

    def _leave(self, ticket: int) -> None:
        _, size = self._waiting.pop(ticket)
        self._bytes -= size
