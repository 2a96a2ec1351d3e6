"""Send prepared requests over a few connections and time each answer.

A protocol without coroutines: what the client spends on a request is taken from the plugin.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httptools
import msgspec

LONGEST_SECONDS = 120.0  # for answers after the end of a window
_RECEIPT = b'{"data":{"accepted":'


class Totals(msgspec.Struct):
    """What became of the events of a delivery."""

    accepted: int = 0


class _Answer(msgspec.Struct):
    data: Totals


@dataclass
class Traffic:
    """What was sent, and what came back."""

    seconds: float = 0.0  # until the last answer
    events: int = 0
    timings: list[tuple[int, float]] = field(default_factory=list)  # request, milliseconds
    statuses: dict[int, int] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)  # requests whose answer was no success
    bodies: dict[int, bytes] = field(default_factory=dict)  # the first of those, by status

    @property
    def milliseconds(self) -> list[float]:
        """Return how long each answer took."""
        return [taken for _, taken in self.timings]


_decoder = msgspec.json.Decoder(_Answer)


class Exchange:
    """One run: requests in their order over several connections, for a time or until the end."""

    def __init__(
        self,
        requests: Sequence[bytes],
        *,
        seconds: float | None = None,
        per_second: float | None = None,
        keep: bool = False,
    ) -> None:
        """Prepare to send *requests*, at most *per_second*; *keep* keeps what is answered."""
        self.traffic = Traffic()
        self._keep = keep
        self._requests = requests
        self._seconds = seconds
        self._per_second = per_second
        self._next = 0
        self._open = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = 0.0

    async def over(self, host: str, port: int, connections: int) -> Traffic:
        """Send until the time is over or nothing is left, and wait for the last answers."""
        loop = asyncio.get_running_loop()
        lines = [
            (await loop.create_connection(lambda: _Line(self), host, port))[1]
            for _ in range(connections)
        ]
        self._began = time.perf_counter()
        self._open = len(lines)
        for line in lines:
            self.go_on(line)
        try:
            await asyncio.wait_for(self._done, (self._seconds or 0) + LONGEST_SECONDS)
        finally:
            for line in lines:
                line.close()
        self.traffic.seconds = time.perf_counter() - self._began
        return self.traffic

    def go_on(self, line: "_Line") -> None:
        """Give a connection its next request, when that is due."""
        now = time.perf_counter() - self._began
        over = self._seconds is not None and now >= self._seconds
        if over or self._next >= len(self._requests):
            self._leave()
            return
        index, self._next = self._next, self._next + 1
        wait = 0.0 if self._per_second is None else index / self._per_second - now
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, line.send, index, self._requests[index])
        else:
            line.send(index, self._requests[index])

    def note(self, index: int, taken: float, status: int, body: bytes) -> None:
        """Take down an answer."""
        traffic = self.traffic
        traffic.timings.append((index, taken * 1000))
        traffic.statuses[status] = traffic.statuses.get(status, 0) + 1
        if status >= 400:
            traffic.refused.append(index)
        if status >= 400 or self._keep:
            traffic.bodies.setdefault(status, body)
        elif body.startswith(_RECEIPT):
            traffic.events += _decoder.decode(body).data.accepted

    def fail(self, why: str) -> None:
        """End the whole run: a connection was lost."""
        if not self._done.done():
            self._done.set_exception(ConnectionError(why))

    def _leave(self) -> None:
        self._open -= 1
        if not self._open and not self._done.done():
            self._done.set_result(None)


class _Line(asyncio.Protocol):
    """One connection, with one request under way."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._transport: Any = None
        self._index: int | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = transport
        self._expect()

    def send(self, index: int, request: bytes) -> None:
        """Write a request, and start the watch."""
        self._index = index
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell of an answer that will not come."""
        if self._index is not None:
            self._exchange.fail(f"the plugin closed a connection: {error or 'without a word'}")

    def close(self) -> None:
        """Leave, whether an answer is under way or not."""
        self._index = None
        self._transport.close()

    def on_body(self, body: bytes) -> None:
        """Collect the answer."""
        self._body += body

    def on_message_complete(self) -> None:
        """Take the time, and go on."""
        taken, index = time.perf_counter() - self._sent, self._index
        if index is None:
            return
        self._index = None
        self._exchange.note(index, taken, self._parser.get_status_code(), self._body)
        # The parser is in the middle of its call: the next answer gets one of its own.
        self._expect()
        self._exchange.go_on(self)

    def _expect(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
