"""How late the event loop is."""

import asyncio
import time

import pytest

from mosaiclife_plugin_sdk.frame.loop_lag import LoopLag

pytestmark = pytest.mark.anyio


async def test_what_holds_the_loop_is_told() -> None:
    """A call that computes for long is seen, in the length that it had at least."""
    told: list[float] = []
    first = asyncio.Event()

    def tell(seconds: float) -> None:
        told.append(seconds)
        first.set()

    watching = asyncio.create_task(LoopLag(tell, every=0.01).run())
    await asyncio.sleep(0)  # it sleeps now
    time.sleep(0.3)  # noqa: ASYNC251  # that is what is to be seen
    await first.wait()
    watching.cancel()

    assert told[0] >= 0.25
    assert all(each >= 0 for each in told)
