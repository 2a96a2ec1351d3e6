"""Hand over together what comes in one burst, so that it shares a commit (design §5)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from plugin_analytics.services.landing import Arrival

LONGEST_SECONDS = 0.01
QUIET_TURNS = 2
MOST = 32  # so many deliveries share the cost of a commit well enough

HandIn = Callable[[], None]


class Gathering:
    """What waits on the event loop for the store; one for each loop.

    As long as the turns of the loop bring more, the store is left alone: its thread would take
    the interpreter from the loop for every few of them, and commit just those. Two turns in a row
    that bring nothing end the waiting; one may, for what it reads is begun after the next look.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Wait for nothing yet; *monotonic* bounds how long a burst may last."""
        self._monotonic = monotonic
        self._waiting: list[tuple[HandIn, Arrival[Any, Any]]] = []
        self._seen = self._quiet = 0
        self._due = 0.0

    def add(self, hand_in: HandIn, arrival: Arrival[Any, Any]) -> None:
        """Call *hand_in* soon; what it raises is what *arrival* brings."""
        self._waiting.append((hand_in, arrival))
        if len(self._waiting) == 1:
            self._seen = self._quiet = 0
            self._due = self._monotonic() + LONGEST_SECONDS
            self._look()

    def _look(self) -> None:
        """Hand everything over if the last turns have brought nothing, or look again after the next."""
        number = len(self._waiting)
        self._quiet = self._quiet + 1 if number == self._seen else 0
        if self._quiet >= QUIET_TURNS or number >= MOST or self._monotonic() > self._due:
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
