"""Time limits of many tasks under one timer: each is kept, and nobody else is disturbed."""

import asyncio
import time
from typing import Any

import pytest

from mosaiclife_plugin_sdk.frame.deadlines import Deadlines


async def limited(deadlines: Deadlines, seconds: float, work: float) -> float:
    """Return how long *work* seconds took within *seconds*, as a negative number if cut off."""
    began = time.monotonic()
    try:
        with deadlines.within(seconds):
            await asyncio.sleep(work)
    except TimeoutError:
        return began - time.monotonic()
    return time.monotonic() - began


def test_each_task_keeps_its_own_limit() -> None:
    """Whatever the order in which they begin, each ends at its own deadline, or before it."""

    async def together() -> list[float]:
        deadlines = Deadlines()
        limits = [(0.3, 60), (0.1, 60), (60, 0.01), (0.2, 60), (60, 0.4), (0.1, 0.0)]
        return await asyncio.gather(*(limited(deadlines, *limit) for limit in limits))

    first, second, quick, third, patient, none = asyncio.run(together())

    assert (quick > 0, patient > 0, none > 0) == (True, True, True)
    assert -second >= 0.1
    assert -third >= 0.2
    assert -first >= 0.3


def test_one_timer_stands_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that end in time leave one timer behind them, not one each."""
    armed = 0

    async def many() -> None:
        nonlocal armed
        loop, deadlines = asyncio.get_running_loop(), Deadlines()
        call_later = loop.call_later

        def count(*call: Any) -> Any:
            nonlocal armed
            armed += 1
            return call_later(*call)

        monkeypatch.setattr(loop, "call_later", count)
        for _ in range(100):
            with deadlines.within(60):
                pass

    asyncio.run(many())

    assert armed == 1


def test_deadlines_outlive_a_loop() -> None:
    """An app that is served again keeps its limits."""
    deadlines = Deadlines()

    for _ in range(2):
        assert asyncio.run(limited(deadlines, 0.05, 60)) < 0
        assert asyncio.run(limited(deadlines, 60, 0.0)) > 0


def test_task_that_is_cancelled_by_somebody_else_is_cancelled() -> None:
    """A caller who goes away is no missed deadline, also when both happen at once."""

    async def both(seconds: float) -> None:
        task = asyncio.create_task(limited(Deadlines(), seconds, 60))
        await asyncio.sleep(0)
        if seconds == 0:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(both(60))
    asyncio.run(both(0))


def test_error_of_the_code_inside_is_its_own() -> None:
    """Only the end that a deadline has brought about is a `TimeoutError`."""

    async def failing() -> None:
        with Deadlines().within(0.01):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError as end:
                raise ValueError("while ending") from end

    with pytest.raises(ValueError, match="while ending"):
        asyncio.run(failing())
