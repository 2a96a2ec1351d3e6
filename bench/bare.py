"""Write the same to the store itself: what ingest would be without HTTP, signature and validation.

A process of its own, over a copy of the database. It puts together the plugin's own parts, lets
the plugin judge deliveries up to the point where it would hand them to its store, and keeps what
would have been written. Then it gives exactly that to `SQLiteStore.append`.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Semaphore
from typing import Any, NamedTuple, TypeVar

from bench.deliveries import BATCH
from bench.events import TENANT, Ids, Maker, new_world
from bench.worker import serve
from mosaiclife_plugin_sdk import Delivery, find_manifest, load_manifest, utc_now
from mosaiclife_plugin_sdk.frame import read_settings
from plugin_analytics.app import Plugin
from plugin_analytics.settings import Settings
from plugin_analytics.store.base import Answer, Batch, Keep, Promise
from plugin_analytics.store.sqlite import SQLiteStore

T = TypeVar("T")


class Writing(NamedTuple):
    """What one delivery asks the store to write."""

    batch: Batch
    answer: Answer[Any]
    keep: Keep[Any] | None


class _Kept(Exception):
    """The delivery has reached the store."""


class RecordingStore(SQLiteStore):
    """The store, which keeps what it is asked to write while it listens."""

    listening = False

    def __init__(self, database: Path) -> None:
        """Open *database* as the plugin does."""
        super().__init__(database)
        self.writings: list[Writing] = []

    def hand_in(
        self, batch: Batch, answer: Answer[T], keep: Keep[T] | None, promise: Promise[T]
    ) -> None:
        """Write a batch, or keep it for later."""
        if self.listening:
            self.writings.append(Writing(batch, answer, keep))
            raise _Kept
        super().hand_in(batch, answer, keep, promise)


class Bare:
    """What this process remembers between two commands."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def open(self, environment: dict[str, str]) -> None:
        """Open the database that the plugin would open in *environment*."""
        manifest = load_manifest(find_manifest(environment))
        settings = read_settings(Settings, manifest, environment)
        self._store = RecordingStore(settings.database)
        self._plugin = Plugin(manifest, settings, self._store, utc_now)

    def prepare(self, stream: str, ids: Ids, events: int, span: Sequence[str]) -> int:
        """Judge *events*, and keep what is to be written of each batch."""
        start, end = map(datetime.fromisoformat, span)
        made = Maker(new_world(), stream, ids).events(events, start, end)
        self._store.writings, self._store.listening = [], True
        asyncio.run(self._judge(made))
        self._store.listening = False
        return len(self._store.writings)

    def write(self, in_flight: int, seconds: float) -> dict[str, Any]:
        """Write what was prepared, always *in_flight* batches at once, for a time."""
        began, events = time.perf_counter(), 0
        free, futures = Semaphore(in_flight), []
        for batch, answer, keep in self._store.writings:
            free.acquire()
            if time.perf_counter() - began > seconds:
                break
            future = self._store.append(batch, answer, keep)
            future.add_done_callback(lambda _: free.release())
            futures.append(future)
            events += len(batch.events)
        for future in futures:
            future.result()
        taken = time.perf_counter() - began
        written = [writing.batch for writing in self._store.writings[: len(futures)]]
        self._store.writings = []
        received = [(batch.received_at, len(batch.events)) for batch in written]
        return {"seconds": taken, "events": events, "received": received}

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    async def _judge(self, events: Any) -> None:
        webhook = self._plugin.webhook
        assert webhook is not None  # the plugin has one way in
        while batch := list(itertools.islice(events, BATCH)):
            try:
                await webhook(self._delivery(batch))
            except _Kept:
                continue
            raise RuntimeError("a delivery did not reach the store")

    def _delivery(self, batch: list[bytes]) -> Delivery:
        return Delivery(
            id=f"bare{next(self._numbers)}",
            timestamp=int(time.time()),
            tenant=TENANT,
            body=b'{"events":[' + b",".join(batch) + b"]}",
            content_type="application/json",
            headers={},
            traceparent=None,
        )


def main() -> None:
    """Wait for commands."""
    bare = Bare()
    commands = (bare.open, bare.prepare, bare.write, bare.close)
    serve({command.__name__: command for command in commands})


if __name__ == "__main__":
    main()
