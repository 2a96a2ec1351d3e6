"""A replica that is killed in the middle of a job, as a power cut or the kernel would do it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from mosaiclife_plugin_sdk.errors import Conflict
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.frame.scheduler import fire_key
from mosaiclife_plugin_sdk.jobs import Job, JobContext
from mosaiclife_plugin_sdk.stores import Run, Stores, sql_stores

pytestmark = pytest.mark.anyio

LEASE_SECONDS = 2.0
FIRST = fire_key("rollup", None, datetime(2026, 6, 3, 12, tzinfo=UTC))
SECOND = fire_key("rollup", None, datetime(2026, 6, 3, 13, tzinfo=UTC))


def stores_in(folder: Path) -> Stores:
    """Open the database that both replicas share."""
    return sql_stores(create_engine(f"sqlite:///{folder}/jobs.db", connect_args={"timeout": 10}))


def runner_over(stores: Stores, work: Any) -> JobRunner:
    """Make one replica's runner."""

    async def publish(topic: str, _: dict[str, Any]) -> None:
        raise AssertionError(f"nothing is published here: {topic}")

    return JobRunner(
        [Job("rollup", "Counts.", work)],
        runs=stores.runs,
        leases=stores.leases,
        publish=publish,
        lease_seconds=LEASE_SECONDS,
    )


async def run_for_ever(folder: Path) -> None:
    """Be the replica that will be killed: start the fire, say so, and never end it."""

    async def work(_: JobContext) -> None:
        sys.stdout.write("running\n")
        sys.stdout.flush()
        await asyncio.sleep(600)

    runner = runner_over(stores_in(folder), work)
    await runner.begin()
    await runner.start("rollup", key=FIRST)
    await asyncio.sleep(600)


@pytest.fixture
def other_replica(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that is in the middle of the job."""
    process = subprocess.Popen([sys.executable, __file__, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"running\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
async def test_a_killed_replicas_job_is_taken_over(
    other_replica: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """The same fire is never run twice; the job is free once the dead one's lease is over."""
    mine: list[str] = []

    def work(context: JobContext) -> str:
        mine.append(context.run_id)
        return "done here"

    runner = runner_over(stores_in(tmp_path), work)
    await runner.begin()
    theirs = await runner.start("rollup", key=FIRST)
    assert (theirs.state, mine) == ("running", [])
    # It lives, and renews: its lease does not run out under it.
    await asyncio.sleep(LEASE_SECONDS * 1.3)
    with pytest.raises(Conflict):
        await runner.start("rollup", key=SECOND)

    other_replica.kill()
    run = await taken_over(runner)
    assert (await ended(runner, run)).result == "done here"
    assert mine == [run.id]
    dead = await runner.start("rollup", key=FIRST)
    assert (dead.id, dead.state) == (theirs.id, "interrupted")
    await runner.stop(grace=5)


async def taken_over(runner: JobRunner) -> Run:
    """Start the second fire as soon as it is possible."""
    async with asyncio.timeout(LEASE_SECONDS * 5):
        while True:
            try:
                return await runner.start("rollup", key=SECOND)
            except Conflict:
                await asyncio.sleep(0.05)


async def ended(runner: JobRunner, run: Run) -> Run:
    """Wait for the end of a run."""
    for _ in range(500):
        found = await runner.get(run.id)
        if not found.active:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("the run did not end")


if __name__ == "__main__":
    asyncio.run(run_for_ever(Path(sys.argv[1])))
