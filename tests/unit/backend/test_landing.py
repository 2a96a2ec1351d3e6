"""Coming back from a thread: every result and error arrives, and many share one wake."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from plugin_analytics.services.landing import Landing


def test_results_and_errors_come_back_to_whoever_waits() -> None:
    """Each caller gets what became of the own future, whichever thread has finished it."""

    async def all_of_them() -> list[Any]:
        landing = Landing()
        futures: list[Future[int]] = [Future() for _ in range(200)]
        waiting = [asyncio.ensure_future(landing(future)) for future in futures]
        await asyncio.sleep(0)
        threads = [threading.Thread(target=finish, args=(futures[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        for thread in threads:
            thread.join()
        for future, result in zip(futures, found, strict=True):
            assert result == (future.exception() or future.result())
        return found

    def finish(futures: list[Future[int]]) -> None:
        for number, future in enumerate(futures):
            if number % 7 == 0:
                future.set_exception(ValueError(number))
            else:
                future.set_result(number)

    found = asyncio.run(all_of_them())

    assert sum(isinstance(result, ValueError) for result in found) == 32


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
        futures: list[Future[int]] = [Future() for _ in range(50)]
        waiting = asyncio.gather(*(landing(future) for future in futures))
        await asyncio.sleep(0)
        for future in futures:
            future.set_result(1)
        assert await waiting == [1] * 50

    asyncio.run(one_by_one())

    assert wakes == 1


def test_caller_who_has_gone_disturbs_nobody() -> None:
    """A call that was given up is passed over; the next one gets its result."""

    async def give_up() -> int:
        landing = Landing()
        gone: Future[int] = Future()
        kept: Future[int] = Future()
        waiting = asyncio.ensure_future(landing(gone))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        other = asyncio.ensure_future(landing(kept))
        await asyncio.sleep(0)
        gone.set_result(1)
        kept.set_result(2)
        return await other

    assert asyncio.run(give_up()) == 2
