"""The client counts and times what a server really answers."""

import asyncio
from collections.abc import Callable

import pytest

from bench.wire import Exchange, Traffic

Reply = Callable[[bytes], bytes | None]


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


RECEIPT = answer(b'{"data":{"accepted":7,"results":[]}}')


def exchange(
    reply: Reply,
    *,
    number: int = 20,
    keep: bool = False,
    per_second: float | None = None,
    seconds: float | None = None,
) -> Traffic:
    """Send *number* lines through the client to a server that answers each with *reply*."""
    lines: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(ended := asyncio.Event())
        while request := await reader.readline():
            found = reply(request)
            if found is None:
                break
            # In two pieces, as a network may deliver them.
            writer.write(found[:9])
            await writer.drain()
            writer.write(found[9:])
        writer.close()
        await writer.wait_closed()
        ended.set()

    async def run() -> Traffic:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        requests = [b"%d\n" % index for index in range(number)]
        async with server:
            running = Exchange(requests, keep=keep, per_second=per_second, seconds=seconds)
            try:
                return await running.over("127.0.0.1", port, 3)
            finally:
                await asyncio.gather(*(ended.wait() for ended in lines))

    return asyncio.run(run())


def test_every_request_is_answered_once_and_counted() -> None:
    """Events come from the receipts, times from each answer."""
    traffic = exchange(lambda _: RECEIPT)

    assert sorted(index for index, _ in traffic.timings) == list(range(20))
    assert traffic.events == 140
    assert traffic.refused == []
    assert all(taken > 0 for taken in traffic.milliseconds)


def test_a_refusal_is_kept_apart() -> None:
    """What was refused is known by its number, with the first reason."""
    traffic = exchange(lambda line: answer(b"busy", "503 No") if line == b"4\n" else RECEIPT)

    assert traffic.refused == [4]
    assert traffic.statuses == {200: 19, 503: 1}
    assert traffic.bodies == {503: b"busy"}
    assert traffic.events == 133


def test_an_answer_may_be_kept() -> None:
    """Whoever asks a single question wants to read it."""
    assert exchange(lambda _: answer(b"{}"), number=1, keep=True).bodies == {200: b"{}"}


def test_a_pace_is_kept() -> None:
    """Ten requests at a hundred in a second take nine tenths of a tenth."""
    assert exchange(lambda _: RECEIPT, number=10, per_second=100.0).seconds >= 0.09


def test_the_time_ends_a_window_before_its_requests_do() -> None:
    """No more is begun, and what was begun is waited for."""
    traffic = exchange(lambda _: RECEIPT, number=1000, per_second=100.0, seconds=0.1)

    assert 1 <= len(traffic.timings) <= 20
    assert traffic.seconds < 1.0


def test_a_connection_that_is_lost_ends_the_run() -> None:
    """A figure from half of the answers would be none."""
    with pytest.raises(ConnectionError, match="closed a connection"):
        exchange(lambda _: None)
