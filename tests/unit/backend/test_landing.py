"""Coming back from a thread: every result and error arrives, and many share one wake."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from plugin_analytics.services.landing import Arrival, Landing


def test_results_and_errors_come_back_to_whoever_waits() -> None:
    """Each caller gets what became of the own call, whichever thread has finished it."""

    async def all_of_them() -> list[Any]:
        landing = Landing()
        arrivals = [landing.expect() for _ in range(200)]
        threads = [threading.Thread(target=finish, args=(n, arrivals[n::4])) for n in range(4)]
        for thread in threads:
            thread.start()
        waiting = asyncio.gather(*(one.here for one in arrivals), return_exceptions=True)
        found = await asyncio.wait_for(waiting, 10)
        for thread in threads:
            thread.join()
        return found

    def finish(first: int, arrivals: Sequence[Arrival[int]]) -> None:
        for number, arrival in enumerate(arrivals):
            place = first + 4 * number
            if place % 7 == 0:
                arrival.set_exception(ValueError(place))
            else:
                arrival.set_result(place)

    found = asyncio.run(all_of_them())

    for place, result in enumerate(found):
        if place % 7 == 0:
            assert isinstance(result, ValueError)
            assert result.args == (place,)
        else:
            assert result == place


def test_many_share_one_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is finished while the loop is busy wakes it once."""
    wakes = 0

    async def one_by_one() -> None:
        nonlocal wakes
        loop, landing = asyncio.get_running_loop(), Landing()
        wake = loop.call_soon_threadsafe

        def count(*call: Any) -> Any:
            nonlocal wakes
            wakes += 1
            return wake(*call)

        monkeypatch.setattr(loop, "call_soon_threadsafe", count)
        arrivals = [landing.expect() for _ in range(50)]
        for arrival in arrivals:
            arrival.set_result(1)
        assert await asyncio.gather(*(arrival.here for arrival in arrivals)) == [1] * 50

    asyncio.run(one_by_one())

    assert wakes == 1


def test_caller_who_has_gone_disturbs_nobody() -> None:
    """A call that was given up is passed over, its place given back; the next gets its result."""
    left: list[str] = []

    async def give_up() -> int:
        landing = Landing()
        gone = landing.expect(lambda: left.append("gone"))
        kept = landing.expect(lambda: left.append("kept"))
        gone.here.cancel()
        gone.set_result(1)
        kept.set_result(2)
        assert left == []
        found: int = await kept.here
        return found

    assert asyncio.run(give_up()) == 2
    assert left == ["gone", "kept"]
