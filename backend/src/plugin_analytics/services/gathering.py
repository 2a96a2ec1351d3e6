"""Hand over together what comes in one burst, so that it shares a commit (design §5)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from plugin_analytics.services.landing import Arrival

LONGEST_SECONDS = 0.005
MOST = 16  # so many deliveries share the cost of a commit well enough

HandIn = Callable[[], None]


class Gathering:
    """What waits on the event loop for the store; one for each loop.

    As long as each turn of the loop brings more, the store is left alone: its thread would take
    the interpreter from the loop for every few of them, and commit just those. A turn that brings
    nothing, as the first one after a single delivery, ends the waiting.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Wait for nothing yet; *monotonic* bounds how long a burst may last."""
        self._monotonic = monotonic
        self._waiting: list[tuple[HandIn, Arrival[Any]]] = []
        self._seen = 0
        self._due = 0.0

    def add(self, hand_in: HandIn, arrival: Arrival[Any]) -> None:
        """Call *hand_in* soon; what it raises is what *arrival* brings."""
        self._waiting.append((hand_in, arrival))
        if len(self._waiting) == 1:
            self._seen, self._due = 0, self._monotonic() + LONGEST_SECONDS
            self._look()

    def _look(self) -> None:
        """Hand everything over if the last turn has brought nothing, or look again after the next."""
        number = len(self._waiting)
        if number == self._seen or number >= MOST or self._monotonic() > self._due:
            self._hand_over()
            return
        self._seen = number
        asyncio.get_running_loop().call_soon(self._look)

    def _hand_over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for hand_in, arrival in waiting:
            try:
                hand_in()
            except Exception as error:  # noqa: BLE001  # it is for whoever awaits the arrival
                arrival.set_exception(error)
