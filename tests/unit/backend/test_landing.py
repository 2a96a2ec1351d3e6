"""Coming back from a thread: every result and error arrives, and many share one wake."""

import asyncio
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from structlog.testing import capture_logs

from plugin_analytics.services.landing import Arrival, Landing


def as_found(arrival: Arrival[int, int]) -> int:
    """Hand on what the thread has found."""
    return arrival.result()


def test_results_and_errors_come_back_to_whoever_waits() -> None:
    """Each caller gets what became of the own call, whichever thread has finished it."""

    async def all_of_them() -> list[Any]:
        landing = Landing()
        arrivals = [landing.expect(as_found) for _ in range(200)]
        threads = [threading.Thread(target=finish, args=(n, arrivals[n::4])) for n in range(4)]
        for thread in threads:
            thread.start()
        waiting = asyncio.gather(*(one.here for one in arrivals), return_exceptions=True)
        found = await asyncio.wait_for(waiting, 10)
        for thread in threads:
            thread.join()
        return found

    def finish(first: int, arrivals: Sequence[Arrival[int, int]]) -> None:
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
        arrivals = [landing.expect(as_found) for _ in range(50)]
        for arrival in arrivals:
            arrival.set_result(1)
        assert await asyncio.gather(*(arrival.here for arrival in arrivals)) == [1] * 50

    asyncio.run(one_by_one())

    assert wakes == 1


def test_caller_gets_what_is_made_of_the_result() -> None:
    """What is called on the way may give another value, or turn one error into an answer."""

    def made(arrival: Arrival[int, str]) -> str:
        try:
            return f"found {arrival.result()}"
        except KeyError:
            return "nothing there"

    async def three() -> list[Any]:
        landing = Landing()
        arrivals = [landing.expect(made) for _ in range(3)]
        arrivals[0].set_result(1)
        arrivals[1].set_exception(KeyError(2))
        arrivals[2].set_exception(ValueError(3))
        return await asyncio.gather(*(one.here for one in arrivals), return_exceptions=True)

    first, second, third = asyncio.run(three())

    assert (first, second) == ("found 1", "nothing there")
    assert isinstance(third, ValueError)


def test_what_is_made_of_it_belongs_to_the_call() -> None:
    """Whatever is begun then, as a job, goes on in the trace of the caller."""
    trace: ContextVar[str] = ContextVar("trace", default="nobody's")

    def whose(arrival: Arrival[int, str]) -> str:
        return trace.get() * arrival.result()

    async def calls() -> list[str]:
        landing, arrivals = Landing(), []
        for name in "ab":
            trace.set(name)
            arrivals.append(landing.expect(whose))
        threads = [threading.Thread(target=one.set_result, args=(2,)) for one in arrivals]
        for thread in threads:
            thread.start()
        found = await asyncio.gather(*(one.here for one in arrivals))
        for thread in threads:
            thread.join()
        return found

    assert asyncio.run(calls()) == ["aa", "bb"]


def test_fault_that_nobody_awaits_is_told() -> None:
    """What goes wrong in noting it reaches the log, if there is no caller; the store's own does not."""

    def faulty(arrival: Arrival[int, int]) -> int:
        return 1 // arrival.result()

    async def give_up() -> None:
        landing = Landing()
        arrivals = [landing.expect(faulty) for _ in range(2)]
        for arrival in arrivals:
            arrival.here.cancel()
        arrivals[0].set_result(0)
        arrivals[1].set_exception(ValueError("the store's"))
        await asyncio.sleep(0.01)

    with capture_logs() as lines:
        asyncio.run(give_up())

    (line,) = lines
    assert (line["log_level"], line["exc_info"]) == ("error", True)


def test_caller_who_has_gone_disturbs_nobody() -> None:
    """What a call that was given up has led to is noted all the same; the next gets its result."""
    noted: list[int] = []

    def note(arrival: Arrival[int, int]) -> int:
        noted.append(arrival.result())
        return noted[-1]

    async def give_up() -> int:
        landing = Landing()
        gone, failed, kept = (landing.expect(note) for _ in range(3))
        gone.here.cancel()
        failed.here.cancel()
        gone.set_result(1)
        failed.set_exception(ValueError(2))
        kept.set_result(3)
        assert noted == []
        return await kept.here

    assert asyncio.run(give_up()) == 3
    assert noted == [1, 3]
