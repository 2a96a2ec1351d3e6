"""Fire the plugin's own schedules, when core did not take them over (spec §4).

APScheduler waits; `cron.py` says when. What fires is a key, `<job>@-@<fire time>`, so
that several replicas, or a restart in the same minute, come to one run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from mosaiclife_plugin_sdk.clock import Clock, utc_now
from mosaiclife_plugin_sdk.cron import Cron
from mosaiclife_plugin_sdk.errors import PluginError, ServiceUnavailable
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.jobs import Job
from mosaiclife_plugin_sdk.stores.base import slot_of

RETRIES = (1.0, 5.0, 30.0)  # while the store is away
LOOK_SECONDS = 15.0
LEAP = timedelta(seconds=30)  # what no clock gains or loses between two looks

log = structlog.stdlib.get_logger(__name__)


class CronTrigger(BaseTrigger):  # type: ignore[misc]
    """An APScheduler trigger that reads cron as cron does; its own reading is none."""

    def __init__(self, cron: Cron) -> None:
        """Fire by *cron*."""
        self._cron = cron

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Return the fire after *previous*; several that were missed coalesce into one.

        APScheduler would ask for each of them: half a million after a leap of a year.
        """
        return self._cron.next_after(now if previous is None else max(previous, now))


class Scheduler:
    """Start the scheduled instance jobs of one plugin.

    A job for each tenant is fired by core, which alone knows the tenants.
    """

    def __init__(self, jobs: Sequence[Job], runner: JobRunner, clock: Clock | None = None) -> None:
        """Prepare the schedules of *jobs*; nothing fires before `start`."""
        self._crons = {
            job.name: cron
            for job in jobs
            if job.scope == "instance" and (cron := job.cron()) is not None
        }
        self._runner = runner
        self._clock = clock or utc_now
        self._scheduler: Any = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Tell whether schedules fire; readiness asks."""
        return self._scheduler is not None and bool(self._scheduler.running)

    def start(self) -> None:
        """Begin to fire, on the running loop; what was missed while down fires once."""
        if self.running:
            return
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        for name, cron in self._crons.items():
            self._scheduler.add_job(
                self._fire,
                CronTrigger(cron),
                args=[name],
                id=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
            self._scheduler.add_job(self._catch_up, args=[name])
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Fire no more; running jobs are the runner's."""
        if self.running:
            self._scheduler.shutdown(wait=False)
        if self._watching is not None:
            self._watching.cancel()
        self._scheduler = self._watching = None

    async def _watch(self) -> None:
        """Set the next fires anew whenever the clock has leapt.

        APScheduler sleeps until the next fire by the clock as it was: after a leap back of a year
        it would sleep for a year.
        """
        loop = asyncio.get_running_loop()
        wall, steady = self._clock(), loop.time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            passed = timedelta(seconds=loop.time() - steady)
            leap = self._clock() - wall - passed
            wall, steady = self._clock(), loop.time()
            if abs(leap) > LEAP:
                log.warning("the clock has leapt", seconds=round(leap.total_seconds()))
                self._set_anew()

    def _set_anew(self) -> None:
        for name, cron in self._crons.items():
            self._scheduler.modify_job(name, next_run_time=cron.next_after(self._clock()))

    async def _catch_up(self, name: str) -> None:
        """Fire once for the fires missed since the last recorded one, if there were any."""
        last = await self._runner.last_fire(name)
        if last is None:
            return
        missed = self._crons[name].last_until(self._clock())
        if missed is not None and missed > last:
            await self._fire(name)

    async def _fire(self, name: str) -> None:
        # The cron, not this machine's clock, names the fire: replicas whose clocks differ
        # by seconds make the same key.
        fire = self._crons[name].last_until(self._clock())
        if fire is None:
            return
        key = fire_key(name, None, fire)
        for pause in (*RETRIES, None):
            try:
                await self._runner.start(name, key=key, trigger="schedule")
            except Exception as error:
                if isinstance(error, PluginError) and (pause is None or not _may_pass(error)):
                    log.warning("fire skipped", key=key, reason=error.message)
                    return
                if pause is None:
                    raise
                log.warning("fire not stored", key=key, error=str(error))
                await asyncio.sleep(pause)
                continue
            return


def _may_pass(error: PluginError) -> bool:
    """Tell a store that is away for a moment from a refusal."""
    return isinstance(error, ServiceUnavailable)


def fire_key(job: str, tenant: str | None, fire: datetime) -> str:
    """Name one fire of one job: `<job>@<tenant or ->@<fire time>`."""
    return f"{slot_of(job, tenant)}@{fire.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
