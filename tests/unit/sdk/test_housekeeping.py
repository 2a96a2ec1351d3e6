"""What the frame forgets, and what it keeps."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from mosaiclife_plugin_sdk.frame.housekeeping import DeliveryPurge
from mosaiclife_plugin_sdk.stores import Recorded, memory_stores
from mosaiclife_plugin_sdk.stores.base import DeliveryLog

NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
pytestmark = pytest.mark.anyio


def recorded(webhook_id: str, age: dt.timedelta) -> Recorded:
    return Recorded(
        tenant="family-a", webhook_id=webhook_id, status=200, data=b"{}", recorded_at=NOW - age
    )


def a_log() -> DeliveryLog:
    """Return a log with one answer on each side of the limit."""
    log = memory_stores().deliveries
    log.put(recorded("old", dt.timedelta(days=7, seconds=1)))
    log.put(recorded("young", dt.timedelta(days=6, hours=23)))
    return log


async def run_for(purge: DeliveryPurge, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await purge.run()


async def test_answers_are_kept_for_seven_days() -> None:
    """A sender that tries again within its schedule finds its answer; after a week it is gone."""
    log = a_log()
    await run_for(DeliveryPurge(log, lambda: NOW), 0.2)

    assert log.get("family-a", "old") is None
    assert log.get("family-a", "young") is not None


async def test_purge_comes_again() -> None:
    """What grows old later goes later, without a restart."""
    log, now = a_log(), [NOW]
    task = asyncio.create_task(DeliveryPurge(log, lambda: now[0], every=0.01).run())
    await asyncio.sleep(0.05)
    now[0] += dt.timedelta(days=1)
    async with asyncio.timeout(5):
        while log.get("family-a", "young") is not None:  # noqa: ASYNC110  # the store tells nobody
            await asyncio.sleep(0.01)
    task.cancel()


async def test_store_that_is_away_is_tried_again() -> None:
    """A failure is a line in the log; the next round has the store back."""

    class Broken:
        tries = 0

        def purge(self, before: dt.datetime, **_: Any) -> int:
            self.tries += 1
            raise OSError("the disk is away")

    broken = Broken()
    await run_for(DeliveryPurge(broken, lambda: NOW, every=0.01), 0.2)  # type: ignore[arg-type]

    assert broken.tries > 1
