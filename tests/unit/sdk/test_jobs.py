"""The job runner: keys, overlap, progress, cancelling, failure, pokes, and several replicas."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from mosaiclife_plugin_sdk.context import limit_time, time_left
from mosaiclife_plugin_sdk.cron import Cron, CronError
from mosaiclife_plugin_sdk.errors import (
    Conflict,
    NotFound,
    PluginError,
    ServiceUnavailable,
    ValidationFailed,
)
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.frame.scheduler import CronTrigger, Scheduler, fire_key
from mosaiclife_plugin_sdk.jobs import Job, JobContext
from mosaiclife_plugin_sdk.stores import Run, Stores, memory_stores, sql_stores

pytestmark = pytest.mark.anyio

Published = list[tuple[str, dict[str, Any]]]


class Watcher:
    """Keeps what the metrics would count."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []

    def run_finished(self, job: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append((job, outcome))


class Range(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the test's job."""

    first: int
    last: int = 9


def job(run: Callable[[JobContext], Any], name: str = "rollup", **fields: Any) -> Job:
    """A job with nothing said that does not matter."""
    return Job(name=name, description="Does something.", run=run, **fields)


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """The runner behaves alike over each store."""
    return memory_stores() if request.param == "memory" else file_stores(tmp_path)


def file_stores(folder: Path) -> Stores:
    """Stores over one database file; each call is another replica's view of it."""
    return sql_stores(create_engine(f"sqlite:///{folder}/jobs.db", connect_args={"timeout": 10}))


@asynccontextmanager
async def running(
    stores: Stores, *jobs: Job, published: Published | None = None, **options: Any
) -> AsyncIterator[JobRunner]:
    """A runner that has begun, and that is stopped at the end."""

    async def publish(topic: str, payload: dict[str, Any]) -> None:
        if published is not None:
            published.append((topic, payload))

    runner = JobRunner(
        jobs, runs=stores.runs, leases=stores.leases, **{"publish": publish} | options
    )
    await runner.begin()
    try:
        yield runner
    finally:
        await runner.stop(grace=5)


async def until(probe: Callable[[], Awaitable[Any]], within: float = 30.0) -> Any:
    """Wait for the first truthy answer."""
    deadline = time.monotonic() + within
    while not (answer := await probe()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
    return answer


async def the_end(runner: JobRunner, run: Run) -> Run:
    """Wait for a run to end and return it."""

    async def ended() -> Run | None:
        found = await runner.get(run.id)
        return None if found.active else found

    found: Run = await until(ended)
    return found


class Gate:
    """A job's function that waits to be let through, or to be cancelled."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.open = threading.Event()
        self.calls = 0

    def __call__(self, context: JobContext) -> int:
        self.calls += 1
        self.started.release()
        while not (self.open.wait(0.005) or context.cancelled()):
            pass
        return self.calls

    async def entered(self) -> None:
        assert await asyncio.to_thread(self.started.acquire, timeout=8)


# One run


async def test_a_run_ends_with_its_result(stores: Stores) -> None:
    """A plain function runs in a thread of its own, a coroutine function on the loop."""
    watcher, main = Watcher(), threading.current_thread()

    async def on_the_loop(context: JobContext) -> dict[str, Any]:
        return {"here": threading.current_thread() is main, "tenant": context.tenant}

    def in_a_thread(context: JobContext) -> dict[str, Any]:
        return {"here": threading.current_thread() is main, "tenant": context.tenant}

    jobs = job(on_the_loop, "loop"), job(in_a_thread, "thread", scope="tenant")
    async with running(stores, *jobs, observe=watcher) as runner:
        first = await runner.start("loop")
        assert (first.state, first.started_at, first.trigger) == ("queued", None, "request")
        one = await the_end(runner, first)
        two = await the_end(runner, await runner.start("thread", tenant="family-a"))
    assert one.result == {"here": True, "tenant": None}
    assert two.result == {"here": False, "tenant": "family-a"}
    assert one.state == two.state == "succeeded"
    assert one.started_at
    assert one.finished_at
    assert one.created_at <= one.started_at <= one.finished_at
    assert watcher.outcomes == [("loop", "succeeded"), ("thread", "succeeded")]
    assert stores.runs.get(one.id) == one


async def test_parameters_arrive_as_declared(stores: Stores) -> None:
    """The function gets the declared type, with its defaults."""
    declared = job(lambda context: [context.params.first, context.params.last], params=Range)
    async with running(stores, declared) as runner:
        run = await the_end(runner, await runner.start("rollup", {"first": 3}))
    assert run.result == [3, 9]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        (None, "$.params"),
        ({"first": "three"}, "$.params.first"),
        ({"first": 1, "lst": 2}, "$.params"),
        ([1], "$.params"),
    ],
)
async def test_parameters_that_do_not_fit_are_refused(params: Any, field: str) -> None:
    """The answer is 422 with the JSON path, and nothing is run or remembered."""
    stores = memory_stores()
    async with running(stores, job(lambda _: None, params=Range)) as runner:
        with pytest.raises(ValidationFailed) as refusal:
            await runner.start("rollup", params)
    assert [detail["field"] for detail in refusal.value.details] == [field]
    assert stores.runs.active() == []


async def test_a_job_without_parameters_takes_none() -> None:
    """What would be ignored in silence is refused."""
    async with running(memory_stores(), job(lambda _: None)) as runner:
        with pytest.raises(ValidationFailed):
            await runner.start("rollup", {"first": 1})
        await runner.start("rollup", {})


async def test_an_unknown_job_or_run_is_404() -> None:
    """What does not exist is said not to exist."""
    async with running(memory_stores(), job(lambda _: None)) as runner:
        for call in (runner.start("other"), runner.get("nobody"), runner.cancel("nobody")):
            with pytest.raises(NotFound):
                await call
        with pytest.raises(NotFound):
            runner.poke("other")


async def test_scope_says_whether_there_is_a_tenant() -> None:
    """An instance job for a tenant, or a tenant job for nobody, is a mistake of the caller."""
    jobs = job(lambda _: None, "shared"), job(lambda _: None, "own", scope="tenant")
    async with running(memory_stores(), *jobs) as runner:
        with pytest.raises(ValidationFailed):
            await runner.start("shared", tenant="family-a")
        with pytest.raises(ValidationFailed):
            await runner.start("own")


async def test_a_failure_is_recorded_and_logged(stores: Stores) -> None:
    """The run says what went wrong, the log has the trace, and the job may run again."""
    watcher = Watcher()

    def fail(_: JobContext) -> None:
        raise LookupError("no such table")

    async with running(stores, job(fail), observe=watcher) as runner:
        with capture_logs() as logs:
            run = await the_end(runner, await runner.start("rollup"))
        again = await the_end(runner, await runner.start("rollup"))
    assert (run.state, run.error, run.result) == ("failed", "LookupError: no such table", None)
    lines = [line for line in logs if line["event"] == "job failed"]
    assert [type(line["exc_info"]) for line in lines] == [LookupError]
    assert again.state == "failed"
    assert watcher.outcomes == [("rollup", "failed")] * 2


async def test_a_result_that_is_not_json_fails_the_run(stores: Stores) -> None:
    """A run never stays unfinished because its result cannot be kept."""
    async with running(stores, job(lambda _: object())) as runner:
        run = await the_end(runner, await runner.start("rollup"))
    assert run.state == "failed"


async def test_progress_is_seen_while_it_runs_and_afterwards(stores: Stores) -> None:
    """The last report stays with the run."""
    gate = Gate()

    def work(context: JobContext) -> None:
        context.progress(3, 7, "counting")
        gate(context)

    async with running(stores, job(work)) as runner:
        run = await runner.start("rollup")
        await gate.entered()
        seen = await runner.get(run.id)
        assert (seen.state, seen.progress.done, seen.progress.total) == ("running", 3, 7)
        assert (await runner.list(None))[0].progress == seen.progress
        gate.open.set()
        assert (await the_end(runner, run)).progress.message == "counting"


async def test_a_run_does_not_inherit_the_limit_of_its_request() -> None:
    """The request that starts a job ends soon; the job need not."""
    async with running(memory_stores(), job(lambda _: time_left())) as runner:
        with limit_time(5):
            started = await runner.start("rollup")
        run = await the_end(runner, started)
    assert run.result is None
    assert run.state == "succeeded"


# Events


async def test_published_events_are_out_before_the_run_ends(stores: Stores) -> None:
    """Who sees a run's end may count on its events, from a thread and from a coroutine."""
    published: Published = []

    def in_a_thread(context: JobContext) -> None:
        context.publish("rollup.done", {"n": 1})

    async def on_the_loop(context: JobContext) -> None:
        context.publish("rollup.done", {"n": 2})

    jobs = job(in_a_thread, "thread"), job(on_the_loop, "loop")
    async with running(stores, *jobs, published=published) as runner:
        await the_end(runner, await runner.start("thread"))
        assert published == [("rollup.done", {"n": 1})]
        await the_end(runner, await runner.start("loop"))
        assert published[1:] == [("rollup.done", {"n": 2})]


async def test_an_event_that_core_does_not_take_fails_no_run() -> None:
    """The work is done whether or not the news of it gets through; the log says so."""

    async def refuse(topic: str, payload: dict[str, Any]) -> None:
        raise PluginError(f"core is away: {topic} {payload}")

    talkative = job(lambda context: context.publish("rollup.done", {}))
    async with running(memory_stores(), talkative, publish=refuse) as runner:
        with capture_logs() as logs:
            run = await the_end(runner, await runner.start("rollup"))
    assert run.state == "succeeded"
    assert [line["topic"] for line in logs if line["event"] == "event not published"] == [
        "rollup.done"
    ]


# Keys and overlap


async def test_the_same_key_is_the_same_run(stores: Stores) -> None:
    """While it runs and after it ended, a repeated key finds its run and starts nothing."""
    gate = Gate()
    async with running(stores, job(gate)) as runner:
        first = await runner.start("rollup", key="k")
        await gate.entered()
        assert (await runner.start("rollup", key="k")).id == first.id
        gate.open.set()
        await the_end(runner, first)
        assert (await runner.start("rollup", key="k")).state == "succeeded"
        await the_end(runner, await runner.start("rollup", key="other"))
    assert gate.calls == 2


async def test_many_calls_with_one_key_start_one_run(stores: Stores) -> None:
    """Calls at the same moment all get the same run: none is refused, none starts another."""
    gate = Gate()
    async with running(stores, job(gate)) as runner:
        found = await asyncio.gather(*(runner.start("rollup", key="k") for _ in range(10)))
        gate.open.set()
        await the_end(runner, found[0])
    assert len({run.id for run in found}) == 1
    assert gate.calls == 1


async def test_a_running_job_refuses_another_run(stores: Stores) -> None:
    """One job runs once at a time for each tenant, and is free again afterwards."""
    gate = Gate()
    async with running(stores, job(gate, scope="tenant")) as runner:
        first = await runner.start("rollup", tenant="family-a")
        await gate.entered()
        with pytest.raises(Conflict) as refusal:
            await runner.start("rollup", tenant="family-a", key="k")
        assert first.id in refusal.value.details[0]["message"]
        other = await runner.start("rollup", tenant="family-b")
        gate.open.set()
        await the_end(runner, first)
        await the_end(runner, other)
        retried = await runner.start("rollup", tenant="family-a", key="k")
        assert (await the_end(runner, retried)).state == "succeeded"


# Cancelling and stopping


async def test_a_cancelled_run_ends_when_its_function_notices(stores: Stores) -> None:
    """Cancelling asks; the run is over, and the job free, when the function has returned."""
    gate = Gate()
    async with running(stores, job(gate)) as runner:
        run = await runner.start("rollup")
        await gate.entered()
        assert (await runner.cancel(run.id)).state == "running"
        assert (await the_end(runner, run)).state == "cancelled"
        assert (await runner.cancel(run.id)).state == "cancelled"
        gate.open.set()
        await the_end(runner, await runner.start("rollup"))


async def test_stop_waits_for_running_jobs() -> None:
    """Within its grace a run ends as it would have, and no other starts."""
    gate = Gate()
    stores = memory_stores()
    async with running(stores, job(gate), job(lambda _: None, "other")) as runner:
        run = await runner.start("rollup")
        await gate.entered()
        stopping = asyncio.create_task(runner.stop(grace=8))
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await runner.start("other")
        gate.open.set()
        await stopping
    kept = stores.runs.get(run.id)
    assert kept is not None
    assert kept.state == "succeeded"


async def test_stop_interrupts_what_takes_too_long(stores: Stores) -> None:
    """After its grace a job is told; one that does not listen is left behind, on record."""
    listens, deaf = Gate(), threading.Event()

    async def sleeps(_: JobContext) -> None:
        await asyncio.sleep(60)

    jobs = job(listens, "listens"), job(sleeps, "sleeps"), job(lambda _: deaf.wait(60), "deaf")
    async with running(stores, *jobs) as runner:
        runs = [await runner.start(one.name) for one in jobs]
        await listens.entered()
        began = time.monotonic()
        await runner.stop(grace=0.05)
        assert time.monotonic() - began < 5
    deaf.set()
    kept = [stores.runs.get(run.id) for run in runs]
    assert [run.state for run in kept if run] == ["interrupted"] * 3
    assert stores.runs.active() == []


async def test_a_run_that_waits_for_room_is_interrupted_too(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run beyond the limit is `queued`, and does not stay so when the plugin stops."""
    monkeypatch.setattr("mosaiclife_plugin_sdk.frame.jobs.AT_ONCE", 1)
    gate = Gate()
    async with running(stores, job(gate), job(gate, "second")) as runner:
        first = await runner.start("rollup")
        await gate.entered()
        second = await runner.start("second")
        await asyncio.sleep(0.05)
        assert (await runner.get(second.id)).state == "queued"
        await runner.stop(grace=0.05)
    assert gate.calls == 1
    kept = [stores.runs.get(run.id) for run in (first, second)]
    assert [run.state for run in kept if run] == ["interrupted"] * 2


# Pokes


async def test_pokes_from_many_threads_become_one_run(stores: Stores) -> None:
    """Pokes within the debounce are one; the run comes after the last write that poked early."""
    calls: list[float] = []
    async with running(stores, job(lambda _: calls.append(1), debounce=0.2)) as runner:
        threads = [threading.Thread(target=runner.poke, args=("rollup",)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await asyncio.sleep(0.05)
        assert calls == []
        await until(lambda: asyncio.sleep(0.01, calls))
        await asyncio.sleep(0.4)
        assert len(calls) == 1
        runner.poke("rollup")
        await until(lambda: asyncio.sleep(0.01, len(calls) == 2))
        assert {run.trigger for run in await runner.list(None)} == {"poke"}


async def test_a_poke_during_a_run_runs_once_more(stores: Stores) -> None:
    """What arrived after the running job had looked is not forgotten."""
    gate = Gate()
    async with running(stores, job(gate, debounce=0.02)) as runner:
        runner.poke("rollup")
        await gate.entered()
        for _ in range(5):
            runner.poke("rollup")
        await asyncio.sleep(0.1)
        assert gate.calls == 1
        gate.open.set()
        await gate.entered()
        await asyncio.sleep(0.1)
    assert gate.calls == 2


async def test_a_poke_before_the_loop_is_kept() -> None:
    """A plugin may poke while it is being put together."""
    gate, stores = Gate(), memory_stores()
    gate.open.set()

    async def publish(_topic: str, _payload: dict[str, Any]) -> None:
        raise AssertionError("nothing is published here")

    runner = JobRunner(
        [job(gate, debounce=0)], runs=stores.runs, leases=stores.leases, publish=publish
    )
    runner.poke("rollup")
    await runner.begin()
    await gate.entered()
    await runner.stop(grace=5)


async def test_a_poke_outlives_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody awaits a poke, so it is tried again until its run is written."""
    monkeypatch.setattr("mosaiclife_plugin_sdk.frame.jobs.RETRY_POKE_SECONDS", 0.02)
    gate, stores = Gate(), memory_stores()
    gate.open.set()
    async with running(stores, job(gate, debounce=0)) as runner:
        with monkeypatch.context() as away:
            away.setattr(stores.leases, "acquire", fails)
            with capture_logs() as logs:
                runner.poke("rollup")
                await until(lambda: asyncio.sleep(0.01, len(logs) > 1))
        await gate.entered()
    assert {line["event"] for line in logs} == {"job not started"}
    assert gate.calls == 1


async def test_a_fire_outlives_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fire is tried again under its own key, and becomes one run."""
    monkeypatch.setattr("mosaiclife_plugin_sdk.frame.scheduler.RETRIES", (0.02,) * 50)
    stores, now = memory_stores(), datetime(2026, 6, 3, 12, 30, tzinfo=UTC)
    hourly = job(lambda _: None, schedule="@hourly")
    async with running(stores, hourly) as runner:
        await runner.start("rollup", key=fire_key("rollup", None, now - timedelta(days=1)))
        scheduler = Scheduler(runner.scheduled(), runner, clock=lambda: now)
        with monkeypatch.context() as away:
            away.setattr(stores.leases, "acquire", fails)
            with capture_logs() as logs:
                scheduler.start()
                await until(lambda: asyncio.sleep(0.01, len(logs) > 1))
        await until(lambda: asyncio.sleep(0.01, len(stores.runs.page(tenant=None)) == 2))
        scheduler.stop()
    assert stores.runs.page(tenant=None)[0].key == "rollup@-@2026-06-03T12:00:00Z"


async def test_a_fire_outlives_a_store_that_says_503(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that knows its own trouble is waited for like one that does not."""
    monkeypatch.setattr("mosaiclife_plugin_sdk.frame.scheduler.RETRIES", (0.02,) * 50)
    stores, now = memory_stores(), datetime(2026, 6, 3, 12, 30, tzinfo=UTC)
    async with running(stores, job(lambda _: None, schedule="@hourly")) as runner:
        await runner.start("rollup", key=fire_key("rollup", None, now - timedelta(days=1)))
        scheduler = Scheduler(runner.scheduled(), runner, clock=lambda: now)
        with monkeypatch.context() as away:
            away.setattr(stores.leases, "acquire", refuses)
            with capture_logs() as logs:
                scheduler.start()
                await until(lambda: asyncio.sleep(0.01, len(logs) > 1))
        await until(lambda: asyncio.sleep(0.01, len(stores.runs.page(tenant=None)) == 2))
        scheduler.stop()


def refuses(*_: Any, **__: Any) -> Any:
    """Do what a store does whose disk is full."""
    raise ServiceUnavailable(retry_after=2)


async def test_an_end_that_could_not_be_written_is_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run keeps its true end, and the job is free long before its lease is over."""
    stores, gate = memory_stores(), Gate()
    async with running(stores, job(gate), lease_seconds=0.6) as runner:
        run = await runner.start("rollup")
        await gate.entered()
        with monkeypatch.context() as away:
            away.setattr(stores.runs, "save", fails)
            with capture_logs() as logs:
                gate.open.set()
                await until(lambda: asyncio.sleep(0.01, "not recorded" in str(logs)))
        assert (await the_end(runner, run)).state == "succeeded"
        early = datetime.now(UTC) - timedelta(days=1)
        await until(
            lambda: asyncio.sleep(0.01, stores.leases.holder("rollup@-", now=early) is None)
        )


def fails(*_: Any, **__: Any) -> Any:
    """Do what a database does that is away."""
    raise ConnectionError("no route to the store")


# Several replicas


async def test_two_replicas_fire_once(tmp_path: Path) -> None:
    """The same fire on two runners over one database is one run, seen by both."""
    gate = Gate()
    mine, theirs = file_stores(tmp_path), file_stores(tmp_path)
    async with running(mine, job(gate)) as one, running(theirs, job(gate)) as two:
        for fire in range(5):
            key = fire_key("rollup", None, datetime(2026, 1, 1, fire, tzinfo=UTC))
            found = await asyncio.gather(
                *(runner.start("rollup", key=key) for runner in (one, two) for _ in range(3))
            )
            gate.open.set()
            assert len({run.id for run in found}) == 1
            assert (await the_end(one, found[0])).trigger == "schedule"
            assert (await the_end(two, found[0])).result == fire + 1
    assert gate.calls == 5


async def test_a_run_of_another_replica_can_be_cancelled(tmp_path: Path) -> None:
    """The replica that runs it hears of it, and the job is not free before it has stopped."""
    gate = Gate()
    mine, theirs = file_stores(tmp_path), file_stores(tmp_path)
    async with (
        running(mine, job(gate), lease_seconds=0.6) as one,
        running(theirs, job(gate)) as two,
    ):
        run = await one.start("rollup")
        await gate.entered()
        assert (await two.cancel(run.id)).state == "cancelled"

        async def stopped() -> bool:
            try:
                await two.start("rollup", key="next")
            except Conflict:
                return False
            return True

        await until(stopped)
        gate.open.set()
    assert gate.calls == 2


async def test_the_lease_of_a_long_run_is_kept(tmp_path: Path) -> None:
    """A run outlives many leases: it is renewed, and no other replica takes its place."""
    gate = Gate()
    mine, theirs = file_stores(tmp_path), file_stores(tmp_path)
    async with (
        running(mine, job(gate), lease_seconds=0.6) as one,
        running(theirs, job(gate), lease_seconds=0.6) as two,
    ):
        run = await one.start("rollup")
        await gate.entered()
        for _ in range(6):
            await asyncio.sleep(0.3)
            with pytest.raises(Conflict):
                await two.start("rollup")
        gate.open.set()
        assert (await the_end(two, run)).state == "succeeded"


async def test_a_dead_replicas_job_is_taken_over(tmp_path: Path) -> None:
    """When its lease has run out, the run is marked and the job starts on another replica."""
    dead = file_stores(tmp_path)
    now = datetime.now(UTC)
    ghost = Run(id="0" * 26, job="rollup", state="running", created_at=now, started_at=now)
    dead.runs.add(ghost)
    dead.leases.acquire(ghost.slot, ghost.id, now=now, until=now + timedelta(seconds=0.5))
    gate, watcher = Gate(), Watcher()
    gate.open.set()
    async with running(file_stores(tmp_path), job(gate), observe=watcher) as runner:
        with pytest.raises(Conflict):
            await runner.start("rollup")
        await asyncio.sleep(0.55)
        run = await the_end(runner, await runner.start("rollup"))
        found = await runner.get(ghost.id)
    assert run.state == "succeeded"
    assert (found.state, found.error) == ("interrupted", "the process that ran it went away")
    assert watcher.outcomes == [("rollup", "interrupted"), ("rollup", "succeeded")]


async def test_orphans_are_marked_although_nobody_starts_the_job(tmp_path: Path) -> None:
    """A watcher of a dead replica's run is told, without waiting for the next run."""
    stores = file_stores(tmp_path)
    ghost = Run(id="0" * 26, job="rollup", state="running", created_at=datetime.now(UTC))
    stores.runs.add(ghost)
    async with running(stores, job(lambda _: None), lease_seconds=0.3) as runner:
        assert (await the_end(runner, ghost)).state == "interrupted"


# Schedules


def test_a_bad_schedule_is_refused_where_it_is_written() -> None:
    """A job that could never fire is a mistake of its author, at import."""
    with pytest.raises(CronError):
        job(lambda _: None, schedule="61 * * * *")
    with pytest.raises(CronError):
        job(lambda _: None, schedule="@daily", timezone="Mars/Olympus")


async def test_two_jobs_of_one_name_are_refused() -> None:
    """A name means one job."""
    with pytest.raises(ValueError, match="same name"):
        async with running(memory_stores(), job(lambda _: None), job(lambda _: None)):
            pytest.fail("it began")


def test_a_jobs_spec_is_what_core_registers() -> None:
    """The description, the schedule and the JSON Schema of the parameters travel to core."""
    spec = job(lambda _: None, schedule="@daily", timezone="Europe/Berlin", params=Range).spec()
    assert {key: spec[key] for key in ("name", "schedule", "timezone", "scope")} == {
        "name": "rollup",
        "schedule": "@daily",
        "timezone": "Europe/Berlin",
        "scope": "instance",
    }
    assert msgspec.json.decode(msgspec.json.encode(spec)) == spec
    assert job(lambda _: None, params=Range).spec()["params"] is spec["params"]  # found out once


async def test_the_scheduler_fires_what_was_missed_once(stores: Stores) -> None:
    """Fires missed while the plugin was down are one run; the same fire is never two."""
    calls: list[str] = []
    hourly = job(lambda context: calls.append(context.run_id), schedule="@hourly")
    now = [datetime(2026, 6, 3, 12, 30, tzinfo=UTC)]

    async def fire_all(runner: JobRunner) -> list[str | None]:
        scheduler = Scheduler(runner.scheduled(), runner, clock=lambda: now[0])
        scheduler.start()
        await asyncio.sleep(0.3)
        scheduler.stop()
        return [run.key for run in await runner.list(None)]

    async with running(stores, hourly) as runner:
        assert await fire_all(runner) == []  # a new job has missed nothing
        first = fire_key("rollup", None, datetime(2026, 6, 3, 12, tzinfo=UTC))
        await the_end(runner, await runner.start("rollup", key=first))
        assert await fire_all(runner) == [first]
        now[0] += timedelta(hours=5)
        missed = fire_key("rollup", None, datetime(2026, 6, 3, 17, tzinfo=UTC))
        assert await fire_all(runner) == [missed, first]
        assert await fire_all(runner) == [missed, first]
    assert len(calls) == 2


async def test_the_scheduler_fires_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """APScheduler waits for the moment that the cron names, and the run carries its key.

    A schedule's finest step is a minute, so the test asks each second as if it were one.
    """
    each_second = lambda _self, moment: moment.replace(microsecond=0) + timedelta(seconds=1)  # noqa: E731
    monkeypatch.setattr("mosaiclife_plugin_sdk.cron.Cron.next_after", each_second)
    calls: list[int] = []
    minutely = job(lambda _: calls.append(1), schedule="* * * * *")
    for_tenants = job(lambda _: calls.append(2), "mail", schedule="* * * * *", scope="tenant")
    async with running(memory_stores(), minutely, for_tenants) as runner:
        scheduler = Scheduler(runner.scheduled(), runner)
        scheduler.start()
        was_running = scheduler.running
        runs = await until(lambda: runner.list(None))
        scheduler.stop()
        assert (was_running, scheduler.running) == (True, False)
    assert runs[0].key.startswith("rollup@-@20")
    assert runs[0].trigger == "schedule"
    assert calls == [1]


def test_fires_missed_in_a_year_are_one() -> None:
    """APScheduler asks until a fire lies ahead: after a leap that is the first one it hears."""
    trigger, then = CronTrigger(Cron.parse("* * * * *")), datetime(2026, 6, 3, 12, 30, tzinfo=UTC)
    leapt = then + timedelta(days=400)

    assert trigger.get_next_fire_time(then, leapt) == leapt + timedelta(minutes=1)
    assert trigger.get_next_fire_time(then, then) == then + timedelta(minutes=1)


@pytest.mark.parametrize("days", [400, -400])
async def test_fires_are_set_anew_when_the_clock_leaps(
    monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """The next fire is the next by the clock as it is, whichever way it has leapt."""
    monkeypatch.setattr("mosaiclife_plugin_sdk.frame.scheduler.LOOK_SECONDS", 0.02)
    wrong = [timedelta()]
    async with running(memory_stores(), job(lambda _: None, schedule="@hourly")) as runner:

        def clock() -> datetime:
            return datetime.now(UTC) + wrong[0]

        scheduler = Scheduler(runner.scheduled(), runner, clock=clock)
        scheduler.start()

        # APScheduler itself keeps to the true clock here, so it is only asked what it was told.
        told: list[datetime] = []
        monkeypatch.setattr(
            scheduler._scheduler, "modify_job", lambda _, next_run_time: told.append(next_run_time)
        )
        await asyncio.sleep(0.1)
        assert told == []
        wrong[0] = timedelta(days=days)
        await until(lambda: asyncio.sleep(0.01, told))
        assert timedelta() <= told[0] - clock() <= timedelta(hours=1)
        scheduler.stop()


async def test_history_is_kept_for_thirty_days(stores: Stores) -> None:
    """Runs of a month are listed; older ones are gone when the runner begins, pokes after a day."""
    then, idle = datetime(2026, 3, 1, tzinfo=UTC), job(lambda _context: None)

    async def left_after(days: float, count: int) -> list[str]:
        async with running(stores, idle, clock=lambda: then + timedelta(days=days)) as runner:

            async def shrunk() -> bool:
                return len(await runner.list(tenant=None)) <= count

            await until(shrunk)
            return [run.id for run in await runner.list(tenant=None)]

    async with running(stores, idle, clock=lambda: then) as runner:
        kept = await the_end(runner, await runner.start("rollup", key="asked"))
        runner.poke("rollup")
        await until(lambda: a_poke(runner))

    assert len(await left_after(0.9, 2)) == 2
    assert await left_after(29, 1) == [kept.id]
    assert await left_after(31, 0) == []


async def a_poke(runner: JobRunner) -> bool:
    """Tell whether a poked run has ended."""
    runs = await runner.list(tenant=None)
    return any(run.trigger == "poke" and not run.active for run in runs)


async def test_error_of_a_run_is_cut(stores: Stores) -> None:
    """A job that fails with a novel leaves its first thousand characters."""

    def fail(_context: JobContext) -> None:
        raise ValueError("x" * 5000)

    async with running(stores, job(fail)) as runner:
        ended = await the_end(runner, await runner.start("rollup"))

    assert (ended.state, len(ended.error or "")) == ("failed", 1000)
