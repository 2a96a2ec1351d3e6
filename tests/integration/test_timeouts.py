"""Work past its time ends in 504 and really stops: on the loop, in a thread, in the database."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get
from litestar.testing import TestClient
from sqlalchemy import Engine, text

from mosaiclife_plugin_sdk import SERVICE, encode_user_context, time_left
from mosaiclife_plugin_sdk.frame import create_app, ok
from plugin_analytics.http import data
from plugin_analytics.http.data import Readers
from plugin_analytics.store.engine import reader_engine
from plugin_analytics.store.reading import translated
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.processes import eventually
from tests.support.tiny_plugin import TinyPlugin, settings

LIMIT_MS = 300
SIGNED_IN = {
    "Authorization": "Bearer secret-token-1",
    "X-Tenant-ID": "family-a",
    "X-User-Context": encode_user_context(SERVICE),
    "X-Request-Timeout-Ms": str(LIMIT_MS),
}
MINUTES = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    " SELECT COUNT(*) FROM n"
)
AnyRequest = Request[Any, Any, Any]


class Work:
    """Three ways to take too long, and what became of each."""

    def __init__(self, engine: Engine) -> None:
        """Note nothing yet."""
        self.engine = engine
        self.readers = Readers(1)
        self.left: list[float | None] = []
        self.ended = threading.Event()

    def routes(self) -> list[Any]:
        """Return a route for each."""

        @get("/coroutine")
        async def coroutine(request: AnyRequest) -> Response[Any]:
            try:
                await asyncio.sleep(60)
            finally:
                self.ended.set()
            return ok(request, None)

        @get("/thread", sync_to_thread=True)
        def thread(request: AnyRequest) -> Response[Any]:
            self.left.append(time_left())
            while time_left():
                time.sleep(0.01)
            self.ended.set()
            return ok(request, None)

        @get("/query")
        async def query(request: AnyRequest) -> Response[Any]:
            return ok(request, await self.readers(lambda: self.ask(MINUTES)))

        @get("/quick")
        async def quick(request: AnyRequest) -> Response[Any]:
            return ok(request, await self.readers(lambda: self.ask(text("SELECT 7"))))

        return [coroutine, thread, query, quick]

    def ask(self, statement: Any) -> Any:
        """Ask the database over the reading side of the plugin's own store."""
        try:
            with translated(), self.engine.connect() as connection:
                return connection.execute(statement).scalar()
        finally:
            self.ended.set()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    SQLiteStore(tmp_path / "p.db").close()
    engine = reader_engine(tmp_path / "p.db", size=1)
    yield Work(engine)
    engine.dispose()


@pytest.fixture
def client(work: Work, tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    plugin = TinyPlugin()
    plugin.routes = work.routes()
    with TestClient(create_app(plugin, settings(plugin.manifest, tmp_path))) as opened:
        yield opened


def seconds(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


@pytest.mark.parametrize("path", ["/v1/coroutine", "/v1/thread", "/v1/query"])
def test_late_work_is_answered_and_stopped(
    client: TestClient[Litestar], work: Work, path: str
) -> None:
    """The caller has its 504 in time, and soon after nothing works for it any more."""
    answer, took = seconds(lambda: client.get(path, headers=SIGNED_IN))

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT")
    assert LIMIT_MS / 1000 - 0.05 < took < 3
    assert work.ended.wait(3)


def test_a_thread_knows_how_long_it_has(client: TestClient[Litestar], work: Work) -> None:
    """A synchronous handler can look at the time that its caller gave it."""
    client.get("/v1/thread", headers=SIGNED_IN)

    (left,) = work.left
    assert left is not None
    assert 0 < left <= LIMIT_MS / 1000


def test_reading_has_less_time_than_the_call(
    client: TestClient[Litestar], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that reads for too long is a 504 though its caller would wait."""
    monkeypatch.setattr(data, "REPORT_SECONDS", 0.2)
    patient = {**SIGNED_IN, "X-Request-Timeout-Ms": "5000"}
    answer, took = seconds(lambda: client.get("/v1/query", headers=patient))

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT")
    assert took < 3


def test_an_interrupted_query_leaves_its_connection_whole(
    client: TestClient[Litestar], work: Work
) -> None:
    """The one thread and the one connection are free again, and the next query is answered."""
    assert client.get("/v1/query", headers=SIGNED_IN).status_code == 504
    eventually(lambda: work.engine.pool.checkedout() == 0, within=3, what="the connection's return")  # type: ignore[attr-defined]
    answer = client.get("/v1/quick", headers=SIGNED_IN)

    assert answer.json()["data"] == 7
