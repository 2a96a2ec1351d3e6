"""Writes joined: the head of an answer leaves with its body, and nothing stays behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mosaiclife_plugin_sdk.frame.protocol import JoinedWrites


class Wire:
    """A transport that notes each piece that it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed, "written after the end"
        self.pieces.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def wire_after(work: Callable[[JoinedWrites], Awaitable[None]]) -> Wire:
    wire = Wire()

    async def run() -> None:
        transport: Any = wire
        await work(JoinedWrites(transport, asyncio.get_running_loop()))
        await asyncio.sleep(0)

    asyncio.run(run())
    return wire


def test_head_leaves_with_the_body() -> None:
    """Two pieces of one turn are one write, also several times."""

    async def answers(joined: JoinedWrites) -> None:
        for number in (b"1", b"2"):
            joined.write(b"head" + number)
            joined.write(b"body" + number)

    assert wire_after(answers).pieces == [b"head1body1", b"head2body2"]


def test_head_does_not_wait_for_a_late_body() -> None:
    """A piece that nothing follows leaves with the next turn of the loop."""

    async def slowly(joined: JoinedWrites) -> None:
        joined.write(b"head")
        await asyncio.sleep(0)
        joined.write(b"body")

    assert wire_after(slowly).pieces == [b"head", b"body"]


def test_nothing_is_left_at_the_end() -> None:
    """Closing sends what is held first, and the turn after it sends nothing."""

    async def last_words(joined: JoinedWrites) -> None:
        joined.write(b"good")
        joined.write(b"bye")
        joined.write(b"now")
        joined.close()
        assert joined.is_closing()

    wire = wire_after(last_words)

    assert wire.pieces == [b"goodbye", b"now"]
    assert wire.closed


def test_nothing_is_written_to_whoever_has_gone() -> None:
    """A head whose reader has left is dropped; a transport that is closed takes nothing."""

    async def gone(joined: JoinedWrites) -> None:
        joined.write(b"head")
        wire: Any = joined
        wire._transport.closed = True

    assert wire_after(gone).pieces == []


def test_everything_else_is_the_transports() -> None:
    """What is asked of the transport reaches it."""

    async def ask(joined: JoinedWrites) -> None:
        assert joined.get_extra_info("peername") == "the peername"

    wire_after(ask)
