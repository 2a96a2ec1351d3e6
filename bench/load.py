"""Be the sender: a process that prepares requests, sends them and counts the answers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uvloop

from bench.deliveries import BATCH, Sender, batches
from bench.events import Ids, Maker, new_world
from bench.statistics import percentile
from bench.wire import Exchange, Traffic
from bench.worker import serve, tell
from mosaiclife_plugin_sdk import SERVICE, UserContext

HOST = "127.0.0.1"
FILL_CHUNK = 20_000
REFUSED_SECONDS, MOST_REFUSALS = 0.5, 600


@dataclass
class Load:
    """What this process remembers between two commands."""

    port: int = 0
    sender: Sender = field(default_factory=lambda: Sender("", "", ""))
    ready: list[tuple[int, bytes]] = field(default_factory=list)

    def open(self, port: int, token: str, secret: str, name: str) -> None:
        """Learn where the plugin listens, and by which words it knows core."""
        self.port = port
        self.sender = Sender(f"{HOST}:{port}", token, secret, name)
        self.ready = []

    def prepare(
        self, stream: str, ids: Ids, events: int, span: Sequence[str], size: int = BATCH
    ) -> int:
        """Write the requests of the next window; return how many."""
        self.ready = list(self._requests(Maker(new_world(), stream, ids), events, span, size))
        return len(self.ready)

    def send(
        self, connections: int, seconds: float | None, per_second: float | None = None
    ) -> dict[str, Any]:
        """Send what was prepared; what the time does not suffice for is thrown away."""
        requests = [request for _, request in self.ready]
        self.ready = []
        return summary(self._run(requests, connections, seconds, per_second))

    def fill(
        self, stream: str, ids: Ids, events: int, span: Sequence[str], opening: bool = False
    ) -> dict[str, Any]:
        """Deliver *events* over the whole of *span* as fast as they are taken in."""
        maker = Maker(new_world(), stream, ids)
        start, end = map(datetime.fromisoformat, span)
        if opening:
            self._deliver(list(batches(self.sender, maker.opening(start))))
        accepted, seconds, sent = 0, 0.0, 0
        while sent < events:
            number = min(FILL_CHUNK, events - sent)
            here = start + (end - start) * (sent / events)
            there = start + (end - start) * ((sent + number) / events)
            made = list(batches(self.sender, maker.events(number, here, there)))
            traffic = self._deliver(made)
            accepted, seconds, sent = accepted + traffic[0], seconds + traffic[1], sent + number
            tell(sent)
        return {"accepted": accepted, "seconds": seconds}

    def ask(
        self,
        questions: Sequence[Sequence[Any]],
        repeats: int,
        per_second: float | None = None,
    ) -> list[dict[str, Any]]:
        """Ask each question *repeats* times, in turns over one connection; return its timings."""
        requests = [self._question(*question) for question in questions] * repeats
        traffic = self._run(requests, 1, None, per_second)
        refused = {index % len(questions) for index in traffic.refused}
        taken: list[list[float]] = [[] for _ in questions]
        for index, milliseconds in traffic.timings:
            taken[index % len(questions)].append(milliseconds)
        return [
            {"refused": index in refused, "milliseconds": times}
            for index, times in enumerate(taken)
        ]

    def fetch(self, question: Sequence[Any]) -> dict[str, Any]:
        """Ask once, and return the status and the body."""
        requests = [self._question(*question)]
        traffic = self._run(requests, 1, None, None, keep=True)
        status, body = next(iter(traffic.bodies.items()))
        return {"status": status, "body": body.decode()}

    def deliver(self, event: str) -> dict[str, Any]:
        """Deliver one event."""
        return summary(self._run([self.sender.delivery([event.encode()])], 1, None, None))

    def _deliver(self, made: list[tuple[int, bytes]]) -> tuple[int, float]:
        """Send every request until it is taken in; return the events and the seconds."""
        requests = [request for _, request in made]
        accepted, began = 0, time.perf_counter()
        for _ in range(MOST_REFUSALS):
            traffic = self._run(requests, 8, None, None)
            accepted += traffic.events
            if not traffic.refused:
                return accepted, time.perf_counter() - began
            if set(traffic.statuses) - {200, 503}:
                raise RuntimeError(f"the plugin refuses deliveries: {traffic.bodies}")
            requests = [requests[index] for index in traffic.refused]
            time.sleep(REFUSED_SECONDS)
        raise RuntimeError("the plugin is busy and stays so")

    def _requests(
        self, maker: Maker, events: int, span: Sequence[str], size: int
    ) -> "list[tuple[int, bytes]]":
        start, end = map(datetime.fromisoformat, span)
        return list(batches(self.sender, maker.events(events, start, end), size))

    def _question(
        self, method: str, path: str, viewer: dict[str, Any] | None = None, body: str | None = None
    ) -> bytes:
        who = SERVICE if viewer is None else UserContext(**viewer)
        return self.sender.question(method, path, who, body.encode() if body else None)

    def _run(
        self,
        requests: Sequence[bytes],
        connections: int,
        seconds: float | None,
        per_second: float | None,
        *,
        keep: bool = False,
    ) -> Traffic:
        async def run() -> Traffic:
            exchange = Exchange(requests, seconds=seconds, per_second=per_second, keep=keep)
            return await exchange.over(HOST, self.port, connections)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())


def summary(traffic: Traffic) -> dict[str, Any]:
    """Return what a window has shown."""
    times = traffic.milliseconds
    return {
        "seconds": traffic.seconds,
        "requests": len(times) - len(traffic.refused),
        "refused": len(traffic.refused),
        "reasons": {status: body.decode()[:300] for status, body in traffic.bodies.items()},
        "events": traffic.events,
        "p50_ms": percentile(times, 0.5),
        "p95_ms": percentile(times, 0.95),
        "p99_ms": percentile(times, 0.99),
    }


def main() -> None:
    """Wait for commands."""
    load = Load()
    commands = (load.open, load.prepare, load.send, load.fill, load.ask, load.fetch, load.deliver)
    serve({command.__name__: command for command in commands})


if __name__ == "__main__":
    main()
