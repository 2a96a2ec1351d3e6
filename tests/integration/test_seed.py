"""`./just seed` against a real plugin: what is delivered is what the reports say."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import UserContext
from tests.support.events import reader_headers
from tests.support.golden import like
from tests.support.processes import ServerProcess, eventually, free_port
from tests.support.senders import SECRET, TOKEN, alive, environment
from tools.workspace import ROOT

WIRE = "duplicates,conflicts,late,disorder,poison,skew,flapping"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the plugin as it is shipped, and return its address."""
    folder, port = tmp_path_factory.mktemp("plugin"), free_port()
    process = ServerProcess("plugin_analytics", environment(folder, port), folder / "log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: alive(url), what="the plugin answering")
        yield url
    finally:
        process.stop()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tools.seed", *arguments]


def variables() -> dict[str, str]:
    return {**os.environ, "REG_TOKEN": TOKEN, "WEBHOOK_SECRETS": SECRET}


def seed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=ROOT, env=variables(), capture_output=True, text=True, check=False
    )


def ask(url: str, tenant: str, report: dict[str, Any]) -> dict[str, Any]:
    """Ask for a report as core would for a keeper of the legacy in question."""
    legacy = report["query"].get("legacyId")
    viewer = UserContext(
        sub="user:k", operator=True, legacies={legacy: "creator"} if legacy else {}
    )
    answer = httpx.get(
        url + report["path"], params=report["query"], headers=reader_headers(TOKEN, viewer, tenant)
    )
    data: dict[str, Any] = answer.raise_for_status().json()["data"]
    return data


def test_reports_are_those_of_the_oracles_file(plugin: str, tmp_path: Path) -> None:
    """Delivered and written with the same arguments: every query of the file has its answer."""
    world = ("--profile", "demo", "--seed", "7", "--tenant", "seeded", "--faults", WIRE)
    written, delivered = seed(*world, "--out", str(tmp_path)), seed(*world, "--to", plugin)
    truth = json.loads((tmp_path / "oracle.json").read_text())
    lines = (tmp_path / "events.ndjson").read_text().splitlines()

    assert written.returncode == delivered.returncode == 0, delivered.stderr
    assert f"delivered {len(lines):,} events in " in delivered.stdout
    assert "  quarantined " in delivered.stdout
    assert "    quarantined SCHEMA: " in delivered.stdout
    assert "tenant seeded follow within a minute" in delivered.stdout
    assert len(truth["reports"]) == 10

    def differing() -> list[dict[str, Any]]:
        answers = ((ask(plugin, "seeded", each), each["data"]) for each in truth["reports"])
        return [data for answer, data in answers if like(answer, data) != data]

    eventually(lambda: not differing(), what="counting everything", within=30)


def test_a_second_time_everything_is_known(plugin: str) -> None:
    """The same seed is the same world: nothing is counted twice."""
    world = ("--profile", "demo", "--events", "1000", "--seed", "9", "--tenant", "twice")
    first, second = seed(*world, "--to", plugin), seed(*world, "--to", plugin)

    assert outcome(first.stdout, "accepted") == outcome(second.stdout, "duplicate") > 500
    assert outcome(second.stdout, "accepted") == 0


def outcome(words: str, name: str) -> int:
    line = next(line for line in words.splitlines() if line.split()[:1] == [name])
    return int(line.split()[1].replace(",", ""))


def delivered_in(words: str) -> int:
    return int(words.split("stopped after ")[1].split(maxsplit=1)[0].replace(",", ""))


def test_ctrl_c_leaves_whole_batches_and_a_summary(plugin: str) -> None:
    """It ends at once, with what was delivered so far and the usual code."""
    world = ("--profile", "stress", "--events", "400000", "--tenant", "stopped")
    process = subprocess.Popen(
        command(*world, "--to", plugin),
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    words, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "stopped after " in words
    assert delivered_in(words) % 500 == 0
    assert "Traceback" not in errors


def test_a_plugin_of_other_secrets_is_told_apart(plugin: str) -> None:
    """A wrong secret ends in words that name the remedy."""
    env = {**variables(), "REG_TOKEN": "another"}
    done = subprocess.run(
        command("--to", plugin), cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "REG_TOKEN and WEBHOOK_SECRETS must be those" in done.stderr
