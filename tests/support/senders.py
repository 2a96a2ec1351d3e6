"""Deliver to a process as core would, and know what it has acknowledged."""

import itertools
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx

from mosaiclife_plugin_sdk import SERVICE, new_secret
from tests.support.events import body_of, delivery_headers, reader_headers, story

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
    put_off: int = 0
    pause: float = 0.0
    patient: bool = False

    def __post_init__(self) -> None:
        """Count batches over all rounds, so that no id comes twice."""
        self._numbers = itertools.count()
        self.enough = Event()

    def run(self) -> None:
        """Deliver until somebody says that it is enough, or, without patience, nobody answers."""
        with httpx.Client(timeout=10) as client:
            while (self.deliver(client) or self.patient) and not self.enough.is_set():
                time.sleep(self.pause)

    def deliver(self, client: httpx.Client) -> bool:
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
        elif answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0:
            self.put_off += 1
            time.sleep(0.2)  # a slow disk: the same delivery comes again
        else:
            self.refused.append(f"{answer.status_code} {answer.text}")
        return True

    def _batch(self) -> tuple[str, bytes, list[str]]:
        number = next(self._numbers)
        ids = [f"{self.name}-{number}-{n}" for n in range(self.chance.choice((1, 7, 100)))]
        return f"{self.name}-{number}", body_of([story(each, "l1", id=each) for each in ids]), ids


@contextmanager
def delivering(senders: Sequence[Sender]) -> Iterator[None]:
    """Let *senders* deliver until the block ends."""
    threads = [Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.enough.set()
        for thread in threads:
            thread.join()


def environment(folder: Path, port: int, **other: str) -> dict[str, str]:
    """Return the environment of a process with its data in *folder*; *other* overrides it."""
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
        **other,
    }


def status(url: str, path: str) -> int:
    """Return the status of a GET for the service, 0 when no answer came."""
    try:
        return httpx.get(url + path, headers=reader_headers(TOKEN, SERVICE)).status_code
    except httpx.TransportError:
        return 0


def alive(url: str) -> bool:
    """Tell whether the process answers."""
    return status(url, "/healthz") == 200


def stored(folder: Path) -> Counter[str]:
    """Count each event id in the database itself."""
    with sqlite3.connect(folder / "data" / "plugin.db") as connection:
        rows = connection.execute("SELECT id FROM event").fetchall()
    connection.close()
    return Counter(row[0] for row in rows)


def stories(url: str) -> int:
    """Return the tenant's stories once everything is counted; -1 before, or without an answer."""
    address, headers = f"{url}/v1/data/overview?period=all", reader_headers(TOKEN, SERVICE)
    answer = httpx.get(address, headers=headers, timeout=20)
    if not answer.is_success:
        return -1
    body: Any = answer.json()
    settled = body["meta"]["freshness"]["dirtyDays"] == 0
    return int(body["data"]["metrics"][0]["value"]) if settled else -1
