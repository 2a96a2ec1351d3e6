"""Two replicas of a plugin, as processes of their own over one database: a fire runs once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from mosaiclife_plugin_sdk.errors import Conflict
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.frame.scheduler import fire_key
from mosaiclife_plugin_sdk.jobs import Job, JobContext
from mosaiclife_plugin_sdk.stores import sql_stores

FIRES = 25
BEGIN = datetime(2026, 6, 3, 12, tzinfo=UTC)
KEYS = [fire_key("rollup", None, BEGIN + timedelta(hours=hour)) for hour in range(FIRES)]


def runner_over(folder: Path, work: Callable[[JobContext], Any]) -> JobRunner:
    """Make one replica's runner over the database that both share."""
    engine = create_engine(f"sqlite:///{folder}/jobs.db", connect_args={"timeout": 20})
    stores = sql_stores(engine)

    async def publish(topic: str, _: dict[str, Any]) -> None:
        raise AssertionError(f"nothing is published here: {topic}")

    return JobRunner(
        [Job("rollup", "Counts.", work)], runs=stores.runs, leases=stores.leases, publish=publish
    )


async def fire(runner: JobRunner, key: str) -> str:
    """Fire once the run before has ended; return the id of the run that the key stands for."""
    async with asyncio.timeout(30):
        while True:
            try:
                run = await runner.start("rollup", key=key)
            except Conflict:
                await asyncio.sleep(0.005)
                continue
            await ended(runner, run.id)
            return run.id


async def ended(runner: JobRunner, run_id: str) -> None:
    for _ in range(2000):
        if not (await runner.get(run_id)).active:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the run did not end")


async def be_a_replica(folder: Path) -> None:
    """Fire every key as soon as the other replica is there too, and print what each became."""

    def work(context: JobContext) -> None:
        with (folder / "worked").open("a") as file:
            file.write(f"{context.run_id} {os.getpid()}\n")

    runner = runner_over(folder, work)
    await runner.begin()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    runs = {key: await fire(runner, key) for key in KEYS}
    await runner.stop(grace=5)
    sys.stdout.write(json.dumps(runs))


def replica(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(folder)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that wait for the word to begin."""
    both = [replica(tmp_path), replica(tmp_path)]
    try:
        for one in both:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield both
    finally:
        for one in both:
            if one.poll() is None:
                one.kill()
                one.communicate()


def test_each_fire_runs_once_in_one_of_two_processes(
    replicas: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Both replicas hear every fire at the same time; each is one run, worked by one of them."""
    for one in replicas:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=50) for one in replicas]

    assert [one.returncode for one in replicas] == [0, 0], [errors for _, errors in answers]
    mine, theirs = (json.loads(printed.splitlines()[-1]) for printed, _ in answers)
    worked = [line.split()[0] for line in (tmp_path / "worked").read_text().splitlines()]
    assert mine == theirs
    assert Counter(worked) == Counter(mine.values())
    assert len(set(worked)) == FIRES


if __name__ == "__main__":
    asyncio.run(be_a_replica(Path(sys.argv[1])))
