"""The short way of deliveries answers what the framework's way answers, fault for fault."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import (
    SERVICE,
    Conflict,
    Delivery,
    ServiceUnavailable,
    encode_user_context,
    new_secret,
    sign,
    utc_now,
)
from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.frame.app import MAX_BODY
from mosaiclife_plugin_sdk.frame.headers import single_headers
from mosaiclife_plugin_sdk.frame.lane import Lane
from mosaiclife_plugin_sdk.frame.metrics import Metrics
from mosaiclife_plugin_sdk.stores import Recorded
from tests.support.tiny_plugin import TinyPlugin, settings

TOKEN, SECRET, PATH = "secret-token-1", new_secret(), "/v1/webhooks/ingest"
FRAMEWORKS_WAY = {"X-User-Context": encode_user_context(SERVICE)}


@pytest.fixture
def plugin() -> TinyPlugin:
    return TinyPlugin()


@pytest.fixture
def client(plugin: TinyPlugin, tmp_path: Path) -> Iterator[TestClient[Any]]:
    read = settings(plugin.manifest, tmp_path, WEBHOOK_SECRETS=SECRET)
    with TestClient(create_app(plugin, read), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gains a line for each request that takes the short way."""
    taken: list[str] = []
    serve = Lane._serve

    async def noted(self: Lane, tenant: str, *others: Any) -> None:
        taken.append(tenant)
        await serve(self, tenant, *others)

    monkeypatch.setattr(Lane, "_serve", noted)
    return taken


def deliver(
    client: TestClient[Any],
    number: str,
    body: bytes = b"{}",
    headers: Mapping[str, str] = {},
) -> httpx.Response:
    """Deliver *body*, well signed unless *headers* say else; `-` leaves one out."""
    now = int(utc_now().timestamp())
    signed = {
        "Authorization": f"Bearer {TOKEN}",
        "X-Tenant-ID": "family-a",
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, number, now, body),
        "X-Request-ID": "the-same",
    }
    kept = {name: value for name, value in {**signed, **headers}.items() if value != "-"}
    return client.post(PATH, content=body, headers=kept)


def told(answer: httpx.Response) -> tuple[int, Any, Mapping[str, str]]:
    """Return all of an answer but the moment at which it was given."""
    body = answer.json()
    body.get("meta", body.get("error")).pop("timestamp")
    return answer.status_code, body, dict(answer.headers)


async def broken(_delivery: Delivery) -> None:
    """Fail as code fails."""
    raise RuntimeError("nobody foresaw this")


async def full(_delivery: Delivery) -> None:
    """Have no room."""
    raise ServiceUnavailable("There is no room.", retry_after=7)


async def slow(_delivery: Delivery) -> None:
    """Give up as a library does."""
    raise TimeoutError


async def clashing(_delivery: Delivery) -> None:
    """Refuse with details."""
    raise Conflict("It clashes.", details=[{"field": "$", "message": "twice"}])


async def content(_delivery: Delivery) -> dict[str, int]:
    """Be content."""
    return {"count": 1}


@pytest.mark.parametrize("handler", [content, broken, full, slow, clashing, None])
def test_both_ways_give_the_same_answer(
    client: TestClient[Any],
    plugin: TinyPlugin,
    short: list[str],
    handler: Callable[[Delivery], Awaitable[Any]] | None,
) -> None:
    """Status, body and headers are one, whatever the plugin makes of the delivery."""
    plugin.webhook = handler

    ours, theirs = deliver(client, "one"), deliver(client, "two", headers=FRAMEWORKS_WAY)

    assert short == ["family-a"]
    assert told(ours) == told(theirs)


def test_both_ways_refuse_a_forgery_alike(client: TestClient[Any], short: list[str]) -> None:
    """A bad signature has one message, and one set of headers."""
    forged = {"webhook-signature": "v1,abc"}

    ours = deliver(client, "one", headers=forged)
    theirs = deliver(client, "one", headers={**forged, **FRAMEWORKS_WAY})

    assert short == ["family-a"]
    assert (ours.status_code, told(ours)) == (401, told(theirs))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "-"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"X-Tenant-ID": "-"}, 400),
        ({"X-Tenant-ID": "no tenant"}, 400),
        ({"X-User-Context": "!"}, 400),
    ],
)
def test_what_a_guard_would_refuse_goes_the_frameworks_way(
    client: TestClient[Any], plugin: TinyPlugin, short: list[str], headers: Any, status: int
) -> None:
    """The short way is for what is certain to be let in."""
    assert deliver(client, "one", headers=headers).status_code == status
    assert (short, plugin.taken) == ([], [])


def test_body_over_the_limit_goes_the_frameworks_way(
    client: TestClient[Any], short: list[str]
) -> None:
    """Its stated size is enough to refuse it; one byte less is taken."""
    assert deliver(client, "one", b"x" * (MAX_BODY + 1)).status_code == 413
    assert short == []
    assert deliver(client, "two", b"x" * MAX_BODY).status_code == 200
    assert short == ["family-a"]


def test_body_of_no_stated_size_goes_the_frameworks_way(
    client: TestClient[Any], short: list[str]
) -> None:
    """A chunked body is counted while it comes."""
    answer = client.post(PATH, content=iter([b"{", b"}"]), headers={"X-Tenant-ID": "family-a"})

    assert (answer.status_code, short) == (401, [])


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"a", b"b"], 200),
        ([b"a", None], 400),
        ([b"x" * MAX_BODY, b"x"], 413),
    ],
    ids=["two parts", "cut short", "more than was said"],
)
def test_body_is_read_as_it_comes(parts: list[bytes | None], status: int) -> None:
    """Parts are joined; one that never ends or outgrows its stated size is refused."""
    bodies: list[bytes] = []

    async def deliver(tenant: str, _headers: Mapping[str, str], body: bytes) -> Recorded:
        bodies.append(body)
        return Recorded(
            tenant=tenant, webhook_id="one", status=200, data=b"{}", recorded_at=utc_now()
        )

    async def app(*_: Any) -> None:
        raise AssertionError("the framework's way was taken")

    lane = Lane(app, PATH, deliver, lambda: ("t",), Metrics("tiny", "1.0.0"), max_body=MAX_BODY)
    start, _ = asyncio.run(_answers(lane, parts))

    assert start["status"] == status
    assert bodies == ([b"ab"] if status == 200 else [])


async def _answers(lane: Lane, parts: list[bytes | None]) -> list[Any]:
    sent: list[Any] = []
    coming = _messages(parts)

    async def receive() -> Any:
        return await anext(coming)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"authorization", b"Bearer t"),
        (b"x-tenant-id", b"family-a"),
        (b"content-length", b"2"),
    ]
    scope: Any = {"type": "http", "method": "POST", "path": PATH, "headers": headers}
    await lane(scope, receive, send)
    return sent


async def _messages(parts: list[bytes | None]) -> AsyncIterator[dict[str, Any]]:
    for place, part in enumerate(parts):
        if part is None:
            yield {"type": "http.disconnect"}
        else:
            more = place + 1 < len(parts)
            yield {"type": "http.request", "body": part, "more_body": more}


NAMES = st.sampled_from([b"webhook-id", b"Webhook-Id", b"x-tenant-id", b"host"])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=4))))
def test_header_that_stands_twice_is_no_header(pairs: list[tuple[bytes, bytes]]) -> None:
    """Names are compared without case, and only what stands once is told."""
    names = [name.lower() for name, _ in pairs]
    once = {name: value for name, (_, value) in zip(names, pairs, strict=True)}
    expected = {name: value for name, value in once.items() if names.count(name) == 1}

    assert single_headers(pairs) == {
        name.decode(): value.decode("latin-1") for name, value in expected.items()
    }
