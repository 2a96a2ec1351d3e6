"""Fire the jobs that plugins registered: APScheduler keeps the time, `Cron` says when (spec §4).

A fire is named `<job>@<tenant or ->@<fire time>`. The name travels as `Idempotency-Key`, so
one fire runs once, however often it is sent and however many replicas the plugin has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import structlog
from apscheduler.executors.base import BaseExecutor  # type: ignore[import-untyped]
from apscheduler.job import Job as APJob  # type: ignore[import-untyped]
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]
from litestar import Request, Response, delete, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from mosaiclife_devcore.errors import CoreError, NotFound, Unavailable, ValidationFailed
from mosaiclife_devcore.outbound import call, credentials, new_traceparent, on_behalf
from mosaiclife_devcore.registry import Plugin, Registry, State
from mosaiclife_devcore.requests import answer, encode, read_json
from mosaiclife_devcore.world import World
from mosaiclife_plugin_sdk.cron import Cron, CronError
from mosaiclife_plugin_sdk.wire import JobSpec

log = structlog.get_logger(__name__)

RETRIES = (1.0, 5.0, 15.0, 30.0)
MAX_JOBS = 100
SETTLED = {200, 202, 409}


class CronTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
    """Ask `Cron` for the next fire."""

    def __init__(self, cron: Cron) -> None:
        self._cron = cron

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Return the first fire after the previous one: missed ones coalesce by themselves."""
        return self._cron.next_after(max(previous, now) if previous else now)


class FireExecutor(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no types
    """Run a job in the event loop and tell it for which moment it fires."""

    def __init__(self) -> None:
        super().__init__()
        self._running: set[asyncio.Task[None]] = set()

    def shutdown(self, wait: bool = True) -> None:  # noqa: ARG002  # APScheduler's signature
        for task in self._running:
            task.cancel()

    def _do_submit_job(self, job: APJob, run_times: list[datetime]) -> None:
        fire = job.func(*job.args, moment=run_times[-1])
        task = asyncio.get_running_loop().create_task(fire)
        self._running.add(task)
        task.add_done_callback(lambda done: self._finished(job.id, done))

    def _finished(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._run_job_success(job_id, [])
        if not task.cancelled() and (error := task.exception()):
            log.error("fire_crashed", job=job_id, exc_info=error)


class JobScheduler:
    """The schedules of all plugins."""

    def __init__(
        self, registry: Registry, world: World, http: httpx.AsyncClient, *, enabled: bool
    ) -> None:
        self._registry = registry
        self._world = world
        self._http = http
        self.enabled = enabled
        self._apscheduler = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": FireExecutor()},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        registry.listen(self._drop_forgotten)

    def start(self) -> None:
        """Begin to fire."""
        self._apscheduler.start()

    def stop(self) -> None:
        """Fire no more, and let go of what is under way."""
        if self._apscheduler.running:
            self._apscheduler.shutdown(wait=False)

    def put(self, plugin: Plugin, spec: JobSpec) -> datetime | None:
        """Take a job's schedule in, in place of an older one; return its next fire."""
        if not self.enabled:
            raise Unavailable("this core schedules nothing: let the plugin do it")
        if spec.schedule is None:
            self._drop(plugin, spec.name)
            return None
        cron = _cron(spec.schedule, spec.timezone)
        known = self.jobs(plugin)
        if spec.name not in known and len(known) >= MAX_JOBS:
            raise ValidationFailed(f"a plugin has at most {MAX_JOBS} scheduled jobs")
        self._apscheduler.add_job(
            self.fire,
            CronTrigger(cron),
            args=[plugin, spec],
            # A place for the moment, which the executor fills in when it comes.
            kwargs={"moment": None},
            id=f"{plugin.id}/{spec.name}",
            replace_existing=True,
        )
        return cron.next_after(datetime.now(UTC))

    def remove(self, plugin: Plugin, name: str) -> None:
        """Forget a job's schedule."""
        if not self._drop(plugin, name):
            raise NotFound("no job of this name is scheduled")

    def jobs(self, plugin: Plugin) -> list[str]:
        """Return the names of the plugin's scheduled jobs."""
        prefix = f"{plugin.id}/"
        ids = [str(job.id) for job in self._apscheduler.get_jobs()]
        return [job_id.removeprefix(prefix) for job_id in ids if job_id.startswith(prefix)]

    async def fire(self, plugin: Plugin, spec: JobSpec, *, moment: datetime) -> None:
        """Ask the plugin to run a job for *moment*: once, or once per tenant."""
        tenants = [self._world.tenant_id] if spec.scope == "tenant" else [None]
        for tenant in tenants:
            await self._fire_for(plugin, spec, tenant, fire_key(spec.name, tenant, moment))

    async def _fire_for(self, plugin: Plugin, spec: JobSpec, tenant: str | None, key: str) -> None:
        for pause in (*RETRIES, None):
            reason = await self._attempt(plugin, spec, tenant, key)
            if reason is None:
                return
            if pause is None:
                log.warning("fire_given_up", plugin=plugin.id, key=key, reason=reason)
                return
            await asyncio.sleep(pause)

    async def _attempt(
        self, plugin: Plugin, spec: JobSpec, tenant: str | None, key: str
    ) -> str | None:
        """Send one fire; return why it failed."""
        if plugin.state is State.DISABLED or plugin.current is None:
            return None
        registration = plugin.current
        try:
            reply = await call(
                self._http,
                "POST",
                registration.url(registration.manifest.base_path + "/jobs/run"),
                headers={**credentials(plugin), **on_behalf(tenant), **_fire_headers(key)},
                # A scheduled run takes the parameters' defaults.
                body=encode({"name": spec.name}),
            )
        except CoreError as error:
            return error.message
        log.info("job_fired", plugin=plugin.id, key=key, status=reply.status)
        return None if reply.status in SETTLED else f"answer {reply.status}"

    def _drop(self, plugin: Plugin, name: str) -> bool:
        """Remove a schedule; tell whether there was one."""
        found = self._apscheduler.get_job(f"{plugin.id}/{name}") is not None
        if found:
            self._apscheduler.remove_job(f"{plugin.id}/{name}")
        return found

    def _drop_forgotten(self, plugin: Plugin) -> None:
        if plugin.current is None:
            for name in self.jobs(plugin):
                self._drop(plugin, name)


@put("/jobs/{name:str}")
async def put_job(
    request: Request[Any, Any, Any],
    name: FromPath[str],
    caller: NamedDependency[Plugin],
    scheduler: NamedDependency[JobScheduler],
) -> Response[bytes]:
    """Take over the schedule of one of the plugin's jobs."""
    caller.registration().approval.require("jobs:schedule")
    spec = await read_json(request, JobSpec)
    if spec.name != name:
        fault = {"field": "$.name", "message": f"the address says {name!r}"}
        raise ValidationFailed("the name is said twice, and differently", details=[fault])
    upcoming = scheduler.put(caller, spec)
    fire = upcoming.isoformat().replace("+00:00", "Z") if upcoming else None
    return answer(request, {"name": name, "nextFire": fire})


@delete("/jobs/{name:str}", status_code=200)
async def delete_job(
    request: Request[Any, Any, Any],
    name: FromPath[str],
    caller: NamedDependency[Plugin],
    scheduler: NamedDependency[JobScheduler],
) -> Response[bytes]:
    """Give a job's schedule back."""
    caller.registration().approval.require("jobs:schedule")
    scheduler.remove(caller, name)
    return answer(request, {"name": name})


def fire_key(job: str, tenant: str | None, moment: datetime) -> str:
    """Name one fire."""
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{job}@{tenant or '-'}@{stamp}"


def _fire_headers(key: str) -> Mapping[str, str]:
    return {
        "content-type": "application/json",
        "idempotency-key": key,
        "traceparent": new_traceparent(),
    }


def _cron(schedule: str, timezone: str) -> Cron:
    try:
        return Cron.parse(schedule, timezone)
    except CronError as error:
        fault = {"field": "$.schedule", "message": str(error)}
        raise ValidationFailed("the schedule cannot be kept", details=[fault]) from error
