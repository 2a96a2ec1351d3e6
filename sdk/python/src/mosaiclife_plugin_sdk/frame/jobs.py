"""Run jobs: one run per key, one at a time per job and tenant, on any replica (spec §4).

A run owns a lease while it lives. Taking the lease and writing the run are one unit of
work, so two replicas that fire at the same moment agree on who runs. A replica that dies
stops renewing; whoever looks next marks its run `interrupted`, and the job is free again.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from mosaiclife_plugin_sdk.clock import Clock, utc_now
from mosaiclife_plugin_sdk.errors import Conflict, NotFound, ServiceUnavailable, ValidationFailed
from mosaiclife_plugin_sdk.frame.tracing import trace_alone
from mosaiclife_plugin_sdk.jobs import Job, JobContext
from mosaiclife_plugin_sdk.stores.base import (
    Leases,
    Progress,
    Run,
    RunStore,
    State,
    Trigger,
    new_run_id,
    slot_of,
)

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")
Publish = Callable[[str, dict[str, Any]], Awaitable[None]]

LEASE_SECONDS = 30.0
AT_ONCE = 8  # further runs wait as `queued`
CANCEL_SECONDS = 1.0  # what a job has to notice that it was cancelled, when the process stops
RETRY_POKE_SECONDS = 5.0
MAX_ERROR = 1000
KEEP_RUNS = timedelta(days=30)
KEEP_POKES = timedelta(days=1)
PURGE_SECONDS = 3600.0


class JobObserver(Protocol):
    """What the metrics want to know."""

    def run_finished(self, job: str, outcome: str, seconds: float) -> None:
        """Note that a run ended as *outcome* after *seconds*."""


@dataclass(slots=True, eq=False)
class _Live:
    """A run of this process, while it runs."""

    job: Job
    run: Run
    params: Any
    cancelled: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False
    progress: Progress = field(default_factory=Progress)
    events: list[asyncio.Task[None]] = field(default_factory=list)

    def seen(self) -> Run:
        """Return the run with its latest progress."""
        return msgspec.structs.replace(self.run, progress=self.progress)


class JobRunner:
    """Start, watch and stop the runs of a plugin's jobs.

    `begin` before use, `stop` at the end. All coroutines belong to the loop that called
    `begin`; `poke` may be called from any thread.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        runs: RunStore,
        leases: Leases,
        clock: Clock | None = None,
        publish: Publish,
        observe: JobObserver | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Prepare to run *jobs*; nothing happens before `begin`."""
        self._jobs = {job.name: job for job in jobs}
        if len(self._jobs) != len(jobs):
            raise ValueError("two jobs have the same name")
        self._runs = runs
        self._leases = leases
        self._clock = clock or utc_now
        self._publish = publish
        self._observe = observe
        self._lease = timedelta(seconds=lease_seconds)
        self._live: dict[str, _Live] = {}
        self._tasks: dict[asyncio.Task[None], _Live] = {}
        self._starts: set[asyncio.Task[Any]] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self._timers: dict[tuple[str, str | None], asyncio.TimerHandle] = {}
        self._early: set[tuple[str, str | None]] = set()
        self._unrecorded: dict[str, Run] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beating: asyncio.Task[None] | None = None
        self._stopping = False

    # The life of the runner.

    async def begin(self) -> None:
        """Start looking after leases, and fire what was poked before there was a loop."""
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._beating = asyncio.create_task(self._beat_for_ever())
        for name, tenant in self._early:
            self._arm(name, tenant)
        self._early.clear()

    async def stop(self, grace: float) -> None:
        """Wait *grace* seconds for running jobs, then cancel them; start nothing more.

        A poke that has not fired yet is dropped: whoever pokes keeps what is to be done
        in its own store and pokes again at the next start.
        """
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._starts:
            await asyncio.wait(list(self._starts))
        await self._wait(grace)
        for live in self._tasks.values():
            live.stopping = True
            live.cancelled.set()
        await self._wait(CANCEL_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._wait(CANCEL_SECONDS)
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)

    # What a caller may ask.

    def jobs(self) -> Sequence[Job]:
        """Return every declared job."""
        return list(self._jobs.values())

    def scheduled(self) -> Sequence[Job]:
        """Return the jobs that somebody has to fire."""
        return [job for job in self._jobs.values() if job.schedule is not None]

    def job(self, name: str) -> Job:
        """Return one job, or refuse with 404."""
        if name not in self._jobs:
            raise NotFound(f"There is no job named {name!r}.")
        return self._jobs[name]

    async def start(
        self,
        name: str,
        params: Any = None,
        *,
        key: str | None = None,
        tenant: str | None = None,
        trigger: Trigger | None = None,
    ) -> Run:
        """Start a run, or return the one that *key* already started.

        A job that is running already refuses with 409, parameters that do not fit its
        declaration with 422.
        """
        job = self.job(name)
        _check_scope(job, tenant)
        values = _read_params(job, params)
        if self._stopping or self._loop is None:
            raise ServiceUnavailable("The plugin is not running jobs now.", retry_after=5)
        now = self._clock()
        run = Run(
            id=new_run_id(now),
            job=name,
            tenant=tenant,
            key=key,
            trigger=trigger or _trigger(job, tenant, key),
            created_at=now,
        )
        # Shielded: a caller that goes away must not leave a lease without a run.
        return await asyncio.shield(self._spawn(self._start(_Live(job, run, values)), self._starts))

    async def get(self, run_id: str) -> Run:
        """Return one run, or refuse with 404."""
        if live := self._live.get(run_id):
            return live.seen()
        run = await asyncio.to_thread(self._runs.get, run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id!r}.")
        return run

    async def list(
        self,
        tenant: str | None,
        *,
        before: str | None = None,
        limit: int = 20,
        job: str | None = None,
    ) -> Sequence[Run]:
        """Return runs of one tenant (None: of the instance), newest first."""
        page = await asyncio.to_thread(
            self._runs.page, tenant=tenant, before=before, limit=limit, job=job
        )
        return [self._live[run.id].seen() if run.id in self._live else run for run in page]

    async def cancel(self, run_id: str) -> Run:
        """Ask a run to stop; it is cancelled when its function returns.

        A run of another replica is marked at once, and that replica tells its function.
        """
        if live := self._live.get(run_id):
            live.cancelled.set()
            return live.seen()
        run = await self.get(run_id)
        if not run.active:
            return run
        await asyncio.to_thread(self._runs.save, self._ended(run, "cancelled"))
        return await self.get(run_id)

    async def last_fire(self, name: str) -> datetime | None:
        """Return the newest fire of an instance job's schedule that became a run."""
        run = await asyncio.to_thread(self._runs.last_scheduled, name, None)
        if run is None:
            return None
        fire = (run.key or "").removeprefix(run.slot + "@")
        return datetime.fromisoformat(fire) if fire else run.created_at

    def poke(self, name: str, tenant: str | None = None) -> None:
        """Start a job soon, from any thread; pokes within `Job.debounce` become one run."""
        if (name, tenant) in self._timers:
            return  # the one that waits will see what this poke is for; to wake the loop is dear
        _check_scope(self.job(name), tenant)
        if self._loop is None:
            self._early.add((name, tenant))
        elif not self._stopping:
            self._loop.call_soon_threadsafe(self._arm, name, tenant)

    # Starting.

    async def _start(self, live: _Live) -> Run:
        stands = await asyncio.to_thread(self._reserve, live.run)
        if stands.id == live.run.id:
            self._live[stands.id] = live
            # A context of its own: the run goes on in the trace of the request that started it,
            # and must not inherit its time limit.
            task = asyncio.create_task(self._execute(live), context=trace_alone())
            self._tasks[task] = live
            task.add_done_callback(self._tasks.pop)
        return stands

    def _reserve(self, run: Run) -> Run:
        """Take the job's place for *run* and write it down, or return the run that stands."""
        with self._runs.unit() as unit:
            now = self._clock()
            if self._leases.acquire(
                run.slot, run.id, now=now, until=now + self._lease, connection=unit
            ):
                self._interrupt(self._runs.active(run.job, run.tenant, connection=unit), unit)
                stands = self._runs.add(run, connection=unit)
                if stands.id != run.id:
                    self._leases.release(run.slot, run.id, connection=unit)
                return stands
        return self._same_or_conflict(run)

    def _same_or_conflict(self, run: Run) -> Run:
        if run.key is not None:
            same = self._runs.by_key(run.job, run.tenant, run.key)
            if same is not None:
                return same
        running = self._leases.holder(run.slot, now=self._clock())
        raise Conflict(
            f"The job {run.job!r} is already running.",
            details=[{"field": "$.name", "message": f"run {running} has not ended"}],
        )

    # Running.

    async def _execute(self, live: _Live) -> None:
        with structlog.contextvars.bound_contextvars(job=live.job.name, run_id=live.run.id):
            await self._finish(live, await self._outcome(live))

    async def _outcome(self, live: _Live) -> Run:
        """Run the job's function and say how it went."""
        try:
            async with self._room:
                # One that was cancelled while it waited for room does not begin.
                done = None if live.cancelled.is_set() else await self._work(live)
                result = msgspec.to_builtins(done, str_keys=True)
        except asyncio.CancelledError:
            return self._ended(live.seen(), "interrupted", error="the plugin stopped")
        except Exception as error:  # noqa: BLE001 - whatever a job raises ends its run, not the plugin
            return self._failed(live, error)
        state: State = "succeeded"
        if live.cancelled.is_set():
            state = "interrupted" if live.stopping else "cancelled"
        return self._ended(live.seen(), state, result=result)

    async def _work(self, live: _Live) -> Any:
        live.run = msgspec.structs.replace(live.run, state="running", started_at=self._clock())
        await asyncio.to_thread(self._runs.save, live.run)
        context = self._context(live)
        if inspect.iscoroutinefunction(live.job.run):
            return await live.job.run(context)
        return await _in_thread(live.job.run, context, name=f"job-{live.job.name}")

    def _context(self, live: _Live) -> JobContext:
        def report(done: int, total: int | None, message: str) -> None:
            live.progress = Progress(done, total, message)

        def send(topic: str, payload: dict[str, Any]) -> None:
            self._on_loop(self._send_soon, live, topic, payload)

        return JobContext(
            run_id=live.run.id,
            params=live.params,
            tenant=live.run.tenant,
            report=report,
            is_cancelled=live.cancelled.is_set,
            send=send,
        )

    def _send_soon(self, live: _Live, topic: str, payload: dict[str, Any]) -> None:
        live.events.append(self._spawn(self._send(topic, payload), self._background))

    async def _send(self, topic: str, payload: dict[str, Any]) -> None:
        try:
            await self._publish(topic, payload)
        except Exception as error:  # noqa: BLE001 - an event is news about work that is done
            log.warning("event not published", topic=topic, error=str(error))

    def _failed(self, live: _Live, error: Exception) -> Run:
        log.error("job failed", exc_info=error)
        return self._ended(
            live.seen(), "failed", error=f"{type(error).__name__}: {error}"[:MAX_ERROR]
        )

    def _ended(
        self, run: Run, state: State, *, result: Any = None, error: str | None = None
    ) -> Run:
        return msgspec.structs.replace(
            run, state=state, result=result, error=error, finished_at=self._clock()
        )

    async def _finish(self, live: _Live, ended: Run) -> None:
        if live.events:
            await asyncio.wait(live.events, timeout=self._lease.total_seconds())
        try:
            await asyncio.to_thread(self._close, ended)
        except Exception as error:  # noqa: BLE001 - it is tried again with the leases
            log.warning("job's end not recorded", state=ended.state, error=str(error))
            self._unrecorded[ended.id] = ended
        finally:
            self._live.pop(ended.id, None)
        self._report(ended)

    def _close(self, ended: Run) -> None:
        with self._runs.unit() as unit:
            self._runs.save(ended, connection=unit)
            self._leases.release(ended.slot, ended.id, connection=unit)

    def _report(self, ended: Run) -> None:
        begun = ended.started_at or ended.created_at
        seconds = ((ended.finished_at or begun) - begun).total_seconds()
        log.info("job finished", state=ended.state, seconds=round(seconds, 3))
        if self._observe is not None:
            self._observe.run_finished(ended.job, ended.state, seconds)

    # Pokes.

    def _arm(self, name: str, tenant: str | None, delay: float | None = None) -> None:
        if self._stopping or self._loop is None or (name, tenant) in self._timers:
            return
        wait = self._jobs[name].debounce if delay is None else delay
        self._timers[name, tenant] = self._loop.call_later(wait, self._fire, name, tenant)

    def _fire(self, name: str, tenant: str | None) -> None:
        self._timers.pop((name, tenant), None)
        self._spawn(self._start_poked(name, tenant), self._background)

    async def _start_poked(self, name: str, tenant: str | None) -> None:
        try:
            await self.start(name, tenant=tenant, trigger="poke")
        except Conflict:
            # What was poked for may have come after the running one looked: run once more.
            self._arm(name, tenant)
        except Exception as error:  # noqa: BLE001 - nobody awaits a poke; it is tried again
            log.warning("job not started", job=name, error=str(error))
            self._arm(name, tenant, RETRY_POKE_SECONDS)

    # Leases.

    async def _beat_for_ever(self) -> None:
        """Keep the leases of live runs, and clean up after runners that died."""
        purged: float | None = None
        clock = asyncio.get_running_loop().time  # nobody sets it, so that a purge is never far off
        while True:
            try:
                await self._beat()
                if purged is None or clock() - purged > PURGE_SECONDS:
                    purged = clock()
                    await asyncio.to_thread(self._purge, self._clock())
            except Exception as error:  # noqa: BLE001 - the store may be back at the next beat
                log.warning("job leases not renewed", error=str(error))
            await asyncio.sleep(self._lease.total_seconds() / 3)

    async def _beat(self) -> None:
        for ended in list(self._unrecorded.values()):
            await asyncio.to_thread(self._close, ended)
            del self._unrecorded[ended.id]
        live = list(self._live.values())
        for lost in await asyncio.to_thread(self._renew, live):
            lost.cancelled.set()
        await asyncio.to_thread(self._sweep)

    def _renew(self, live: Sequence[_Live]) -> Sequence[_Live]:
        """Renew leases and write progress; return the runs that are no longer ours."""
        now = self._clock()
        until = now + self._lease
        return [
            one
            for one in live
            if not self._leases.renew(one.run.slot, one.run.id, now=now, until=until)
            or not self._runs.save(one.seen())
        ]

    def _sweep(self) -> None:
        """Mark runs whose owner stopped renewing."""
        orphans = [
            run
            for run in self._runs.active()
            if self._leases.holder(run.slot, now=self._clock()) != run.id
        ]
        self._interrupt(orphans, None)

    def _interrupt(self, orphans: Sequence[Run], unit: Any) -> None:
        for run in orphans:
            ended = self._ended(run, "interrupted", error="the process that ran it went away")
            if self._runs.save(ended, connection=unit):
                self._report(ended)

    def _purge(self, now: datetime) -> None:
        self._runs.purge(now - KEEP_RUNS)
        self._runs.purge(now - KEEP_POKES, trigger="poke")

    # Plumbing.

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, T], kept: set[asyncio.Task[Any]]) -> asyncio.Task[T]:
        """Start a task and keep it from being collected before it is done."""
        task = asyncio.get_running_loop().create_task(work)
        kept.add(task)
        task.add_done_callback(kept.discard)
        return task

    def _on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


async def _in_thread(function: Callable[[JobContext], Any], context: JobContext, name: str) -> Any:
    """Run a job's plain function in a thread that does not hold the process back.

    A pool would be joined when the interpreter exits; a job that does not look at
    `cancelled()` would then keep a stopped plugin alive.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    here = contextvars.copy_context()

    def settle(setter: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            setter(value)

    def work() -> None:
        try:
            outcome = (future.set_result, here.run(function, context))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            outcome = (future.set_exception, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await future


def _check_scope(job: Job, tenant: str | None) -> None:
    if job.scope == "instance" and tenant is not None:
        raise ValidationFailed(f"The job {job.name!r} runs for the instance, not for a tenant.")
    if job.scope == "tenant" and tenant is None:
        raise ValidationFailed(f"The job {job.name!r} runs for one tenant; say which.")


def _read_params(job: Job, params: Any) -> Any:
    """Return *params* as the job declared them, or refuse with the JSON path."""
    given: Any = {} if params is None else params
    if job.params is None:
        if given != {}:
            raise _invalid("$.params", "this job takes no parameters")
        return None
    try:
        return msgspec.convert(given, job.params)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise _invalid("$.params" + path.rstrip("`"), message) from None


def _invalid(path: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        "The job's parameters are not valid.", details=[{"field": path, "message": message}]
    )


def _trigger(job: Job, tenant: str | None, key: str | None) -> Trigger:
    """Recognise the key of a fire, whichever scheduler made it."""
    fired = key is not None and key.startswith(slot_of(job.name, tenant) + "@")
    return "schedule" if fired else "request"
