"""Gathering a burst: what comes together is handed over together, and nothing waits for long."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from plugin_analytics.errors import IngestBusy
from plugin_analytics.services import gathering
from plugin_analytics.services.gathering import LONGEST_SECONDS, MOST, Gathering
from plugin_analytics.services.landing import Arrival, Landing


class Desk:
    """Where things are handed in, noted by the turn of the loop in which that happened."""

    def __init__(self, monotonic: Callable[[], float] = lambda: 0.0) -> None:
        self.landing, self.gathering = Landing(), Gathering(monotonic)
        self.handed_in: list[list[int]] = [[]]

    def bring(self, number: int) -> None:
        arrival: Arrival[None, None] = self.landing.expect(Arrival.result)
        self.gathering.add(lambda: self.handed_in[-1].append(number), arrival)

    async def turn(self) -> None:
        """Let the loop go round once."""
        await asyncio.sleep(0)
        self.handed_in.append([])

    @property
    def groups(self) -> list[list[int]]:
        return [group for group in self.handed_in if group]


def groups_of(
    work: Callable[[Desk], Awaitable[None]], **clock: Callable[[], float]
) -> list[list[int]]:
    async def run() -> list[list[int]]:
        desk = Desk(**clock)
        await work(desk)
        for _ in range(5):
            await desk.turn()
        return desk.groups

    return asyncio.run(run())


def test_single_one_waits_for_two_turns() -> None:
    """A delivery that comes alone is handed over as soon as the loop has nothing else to do."""

    async def alone(desk: Desk) -> None:
        desk.bring(1)
        await desk.turn()
        assert desk.groups == []
        await desk.turn()
        assert desk.groups == [[1]]

    assert groups_of(alone) == [[1]]


def test_look_comes_before_what_is_read() -> None:
    """In each turn the look comes first: one that finds nothing new does not end a burst."""

    async def one_by_one(desk: Desk) -> None:
        for number in range(4):
            desk.bring(number)
            await desk.turn()

    assert groups_of(one_by_one) == [list(range(4))]


def test_burst_is_handed_over_whole() -> None:
    """As long as each turn brings more, all of it waits for the first turn that does not."""

    async def burst(desk: Desk) -> None:
        for number in range(0, 8, 2):
            desk.bring(number)
            desk.bring(number + 1)
            await desk.turn()
            assert desk.groups == []

    assert groups_of(burst) == [list(range(8))]


def test_burst_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many as share a commit well are handed over, though more are coming."""
    monkeypatch.setattr(gathering, "MOST", 4)

    async def stream(desk: Desk) -> None:
        for number in range(0, 8, 2):
            desk.bring(number)
            desk.bring(number + 1)
            await desk.turn()

    assert groups_of(stream) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert MOST > 1


def test_burst_does_not_last_for_long() -> None:
    """After some milliseconds what waits goes, though each turn brings one more."""
    moments = iter(step * LONGEST_SECONDS / 2 for step in range(100))

    async def drops(desk: Desk) -> None:
        for number in range(0, 12, 2):
            desk.bring(number)
            desk.bring(number + 1)
            await desk.turn()

    found = groups_of(drops, monotonic=lambda: next(moments))

    assert [number for group in found for number in group] == list(range(12))
    assert 2 < max(map(len, found)) <= 8


def test_refusal_goes_to_its_own_caller() -> None:
    """What the store says to one is told to that one, and the others are handed in."""

    async def refused() -> list[object]:
        landing, ready = Landing(), Gathering()
        arrivals: list[Arrival[int, int]] = [landing.expect(Arrival.result) for _ in range(3)]

        def hand_in(place: int) -> None:
            if place == 1:
                raise IngestBusy(retry_after=2)
            arrivals[place].set_result(place)

        for place, arrival in enumerate(arrivals):
            ready.add(partial(hand_in, place), arrival)
        waiting = asyncio.gather(*(one.here for one in arrivals), return_exceptions=True)
        return list(await asyncio.wait_for(waiting, 10))

    first, second, third = asyncio.run(refused())

    assert (first, third) == (0, 2)
    assert isinstance(second, IngestBusy)
