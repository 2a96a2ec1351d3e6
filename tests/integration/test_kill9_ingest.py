"""kill -9 during ingest: every acknowledged event is present exactly once (design §8).

A real process, real HTTP, several senders. The process is killed at random points; what was not
acknowledged is delivered again to the next process, as core would. Three rounds run with every
`test`, and 25 with `test-all`; KILL_ROUNDS asks for another number.
"""

import itertools
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from mosaiclife_plugin_sdk import SERVICE, new_secret
from tests.support.events import body_of, delivery_headers, reader_headers, story
from tests.support.processes import ServerProcess, eventually, free_port

QUICK, THOROUGH = 3, int(os.environ.get("KILL_ROUNDS", "25"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 10**6)
SENDERS = 4
TOKEN = "token-of-this-test"
SECRET = new_secret()


@dataclass
class Sender:
    """One connection of core: delivers batch after batch, and knows what was acknowledged."""

    name: str
    url: str
    chance: random.Random
    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    pending: tuple[str, bytes, list[str]] | None = None

    def __post_init__(self) -> None:
        """Count batches over all rounds, so that no id comes twice."""
        self._numbers = itertools.count()

    def run(self) -> None:
        """Deliver until the process is gone."""
        with httpx.Client(timeout=10) as client:
            while self._deliver(client):
                continue

    def _deliver(self, client: httpx.Client) -> bool:
        """Deliver the pending batch, or a new one; return False when no answer came."""
        delivery, body, ids = self.pending = self.pending or self._batch()
        headers = delivery_headers(TOKEN, SECRET, body, delivery_id=delivery)
        try:
            answer = client.post(f"{self.url}/v1/webhooks/ingest", content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code == 200:
            self.acknowledged += ids
            self.pending = None
        elif answer.status_code == 503:
            time.sleep(0.2)  # a slow disk: the same delivery comes again
        else:
            self.refused.append(answer.text)
        return True

    def _batch(self) -> tuple[str, bytes, list[str]]:
        number = next(self._numbers)
        ids = [f"{self.name}-{number}-{n}" for n in range(self.chance.choice((1, 7, 100)))]
        return f"{self.name}-{number}", body_of([story(each, "l1", id=each) for each in ids]), ids


def environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "SELF_REGISTER": "false",
        "CORE_BASE_URL": "http://127.0.0.1:9",
        "CORE_TOKEN": TOKEN,
        "WEBHOOK_SECRETS": SECRET,
        "DATA_DIR": str(folder / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "warn",
        "DRAIN_SECONDS": "0",
    }


def alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def stored(folder: Path) -> Counter[str]:
    """Count each event id in the database itself."""
    with sqlite3.connect(folder / "data" / "plugin.db") as connection:
        rows = connection.execute("SELECT id FROM event").fetchall()
    connection.close()
    return Counter(row[0] for row in rows)


def stories(url: str) -> int:
    """Return the tenant's stories once everything is counted, else -1."""
    headers = reader_headers(TOKEN, SERVICE)
    body: Any = httpx.get(f"{url}/v1/data/overview?period=all", headers=headers).json()
    settled = body["meta"]["freshness"]["dirtyDays"] == 0
    return int(body["data"]["metrics"][0]["value"]) if settled else -1


@pytest.mark.timeout(60 + 20 * max(QUICK, THOROUGH))
@pytest.mark.parametrize("rounds", [QUICK, pytest.param(THOROUGH, marks=pytest.mark.slow)])
def test_acknowledged_events_survive_kill_9_exactly_once(tmp_path: Path, rounds: int) -> None:
    """After every kill all acknowledged events are there once, and no report counts one twice."""
    print(f"rounds={rounds} KILL_SEED={SEED}")
    port, chance = free_port(), random.Random(SEED)
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess("plugin_analytics", environment(tmp_path, port), tmp_path / "log")
    senders = [Sender(f"w{n}", url, random.Random(f"{SEED}-{n}")) for n in range(SENDERS)]

    for _ in range(rounds):
        process.start()
        eventually(lambda: alive(url), what="the process answering")
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 1.0))
        process.kill()
        for thread in threads:
            thread.join()

        held = stored(tmp_path)
        acknowledged = [each for sender in senders for each in sender.acknowledged]
        missing = [each for each in acknowledged if held[each] != 1]
        assert not missing, f"{len(missing)} of {len(acknowledged)}: {missing[:5]}"
        assert set(held.values()) <= {1}

    process.start()
    eventually(lambda: alive(url), what="the process answering")
    try:
        for sender in senders:
            if sender.pending:
                with httpx.Client(timeout=10) as client:
                    assert sender._deliver(client)
        everything = {each for sender in senders for each in sender.acknowledged}
        assert everything, "no delivery was ever acknowledged: nothing was shown"
        # Less than a lease lasts: a killed process must not hold up the counting.
        eventually(lambda: stories(url) == len(everything), within=20, what="counting everything")
    finally:
        process.stop()

    assert stored(tmp_path) == Counter(everything)
    assert [sender.refused for sender in senders] == [[]] * SENDERS
    print(f"{len(everything)} events acknowledged over {rounds} kills, each present once")
