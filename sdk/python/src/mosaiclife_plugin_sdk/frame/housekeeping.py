"""Forget what nobody will ask for again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from mosaiclife_plugin_sdk.clock import Clock
from mosaiclife_plugin_sdk.stores.base import DeliveryLog

log = structlog.stdlib.get_logger(__name__)

# Core gives a delivery up after four days (the retry schedule of Standard Webhooks).
KEEP_DELIVERIES = timedelta(days=7)
HOUR_SECONDS = 3600.0


class DeliveryPurge:
    """Drop recorded answers that are older than any sender's last try."""

    def __init__(
        self, deliveries: DeliveryLog, clock: Clock, *, every: float = HOUR_SECONDS
    ) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._every = every

    async def run(self) -> None:
        """Purge now and once an hour, for ever."""
        while True:
            await self._once()
            await asyncio.sleep(self._every)

    async def _once(self) -> None:
        before = self._clock() - KEEP_DELIVERIES
        try:
            gone = await asyncio.to_thread(lambda: self._deliveries.purge(before))
        except Exception as error:  # noqa: BLE001  # the store may be back in an hour
            log.warning("recorded deliveries not purged", error=str(error))
            return
        if gone:
            log.info("recorded deliveries purged", count=gone)
