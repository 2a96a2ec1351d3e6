"""A request is not sent to the back of the queue for what is known at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.di import NamedDependency, Provide

from mosaiclife_plugin_sdk import SERVICE, encode_user_context
from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.frame.dependencies import resolve_in_turn
from tests.support.tiny_plugin import TinyPlugin, settings

pytestmark = pytest.mark.anyio
HEADERS = [
    (b"host", b"plugin"),
    (b"authorization", b"Bearer secret-token-1"),
    (b"x-user-context", encode_user_context(SERVICE).encode()),
    (b"x-tenant-id", b"family"),
]


@pytest.fixture
async def frame(tmp_path: Path) -> AsyncIterator[Litestar]:
    """Give the frame around a tiny plugin, begun."""
    plugin = TinyPlugin()
    app = create_app(plugin, settings(plugin.manifest, tmp_path))
    async with app.lifespan():
        yield app


async def turns(app: Litestar, path: str) -> int:
    """Return how many turns the loop takes until *path* is answered."""
    loop, count, sent = asyncio.get_running_loop(), [0], list[Any]()

    def tick() -> None:
        count[0] += 1
        if not sent:
            loop.call_soon(tick)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
    rest = {"query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1"}
    loop.call_soon(tick)
    await app({**scope, **rest, "headers": HEADERS, "state": {}}, receive, send)  # type: ignore[arg-type]  # what a server gives

    assert sent[0]["status"] == 200
    return count[0]


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/notes"])
async def test_a_request_with_several_dependencies_does_not_queue(
    frame: Litestar, path: str
) -> None:
    """The frame's own route and a plugin's are answered in the turn in which they are taken up."""
    assert await turns(frame, path) == 0


async def test_what_waits_still_waits_side_by_side() -> None:
    """Two of a plugin's own dependencies may need each other's progress."""
    meeting = asyncio.Barrier(2)

    async def one() -> int:
        async with meeting:
            return 1

    async def two() -> int:
        async with meeting:
            return 2

    @get("/")
    async def sum_up(
        first: NamedDependency[int], second: NamedDependency[int], third: NamedDependency[int]
    ) -> int:
        return first + second + third

    three = Provide(lambda: 3, sync_to_thread=False)
    found = {"first": Provide(one), "second": Provide(two), "third": three}
    app = Litestar([sum_up], dependencies=found, openapi_config=None)
    resolve_in_turn(app)

    async with asyncio.timeout(5):
        assert await turns(app, "/") > 0
