"""The short way of deliveries answers what the framework's way answers, fault for fault.

All of it goes over a real socket: the short way begins at the parser.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

from mosaiclife_plugin_sdk import (
    SERVICE,
    Conflict,
    Delivery,
    ServiceUnavailable,
    encode_user_context,
    new_secret,
    sign,
    time_left,
    utc_now,
)
from mosaiclife_plugin_sdk.errors import PluginError
from mosaiclife_plugin_sdk.frame import create_app
from mosaiclife_plugin_sdk.frame.app import MAX_BODY
from mosaiclife_plugin_sdk.frame.headers import single_headers
from mosaiclife_plugin_sdk.frame.lane import Exchange
from mosaiclife_plugin_sdk.frame.protocol import Protocol
from mosaiclife_plugin_sdk.stores import Recorded
from tests.support.processes import eventually
from tests.support.serving import served
from tests.support.tiny_plugin import TinyPlugin, settings

TOKEN, SECRET, PATH = "secret-token-1", new_secret(), "/v1/webhooks/ingest"
FRAMEWORKS_WAY = {"X-User-Context": encode_user_context(SERVICE)}
Handler = Callable[[Delivery], Awaitable[Any]]


@pytest.fixture
def plugin() -> TinyPlugin:
    return TinyPlugin()


@contextmanager
def serving(plugin: TinyPlugin, folder: Path) -> Iterator[str]:
    """Serve *plugin* as its process does, and give the origin."""
    app = create_app(plugin, settings(plugin.manifest, folder, WEBHOOK_SECRETS=SECRET))
    with served(app, http=partial(Protocol, app.state.lane)) as origin:
        yield origin


@pytest.fixture
def origin(plugin: TinyPlugin, tmp_path: Path) -> Iterator[str]:
    with serving(plugin, tmp_path) as origin:
        yield origin


@pytest.fixture
def client(origin: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=origin, timeout=20) as opened:
        yield opened


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gains a line for each delivery that takes the short way."""
    taken: list[str] = []
    complete = Exchange.complete

    def noted(self: Exchange) -> None:
        taken.append("short")
        complete(self)

    monkeypatch.setattr(Exchange, "complete", noted)
    return taken


def signed(number: str, body: bytes, headers: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the headers of a good delivery, changed by *headers*; `-` leaves one out."""
    now = int(utc_now().timestamp())
    good = {
        "Authorization": f"Bearer {TOKEN}",
        "X-Tenant-ID": "family-a",
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, number, now, body),
        "X-Request-ID": "the-same",
    }
    return {name: value for name, value in {**good, **headers}.items() if value != "-"}


def deliver(
    client: httpx.Client,
    number: str,
    body: bytes = b"{}",
    headers: Mapping[str, str] = {},
) -> httpx.Response:
    """Deliver *body*, well signed unless *headers* say else."""
    return client.post(PATH, content=body, headers=signed(number, body, headers))


def raw(number: str, body: bytes = b"{}", headers: Mapping[str, str] = {}) -> bytes:
    """Return a delivery as it is on the wire."""
    size = {"Host": "a", "Content-Length": str(len(body))}
    lines = [
        f"{name}: {value}" for name, value in signed(number, body, {**size, **headers}).items()
    ]
    return "\r\n".join([f"POST {PATH} HTTP/1.1", *lines, "", ""]).encode() + body


def opened(origin: str) -> socket.socket:
    """Return a connection to *origin*."""
    host, _, port = origin.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def told(answer: httpx.Response) -> tuple[int, Any, Mapping[str, str]]:
    """Return all of an answer but the moment at which it was given."""
    body = answer.json()
    body.get("meta", body.get("error")).pop("timestamp")
    return answer.status_code, body, {**answer.headers, "date": ""}


def counted(client: httpx.Client) -> dict[str, int]:
    """Return how many deliveries were answered, by status."""
    lines = client.get("/metrics").text.splitlines()
    start = f'plugin_http_requests_total{{method="POST",route="{PATH}",status="'
    found = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return {line[:3]: int(float(line.split()[1])) for line in found}


async def broken(_delivery: Delivery) -> None:
    """Fail as code fails."""
    raise RuntimeError("nobody foresaw this")


def broken_at_once(_delivery: Delivery) -> Any:
    """Fail before there is anything to wait for."""
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


@pytest.mark.parametrize("handler", [content, broken, broken_at_once, full, slow, clashing, None])
def test_both_ways_give_the_same_answer(
    client: httpx.Client, plugin: TinyPlugin, short: list[str], handler: Handler | None
) -> None:
    """Status, body and headers are one, whatever the plugin makes of the delivery."""
    plugin.webhook = handler

    ours, theirs = deliver(client, "one"), deliver(client, "two", headers=FRAMEWORKS_WAY)

    assert short == ["short"]
    assert told(ours) == told(theirs)
    assert counted(client) == {str(ours.status_code): 2}


def test_both_ways_keep_the_time_limit(
    client: httpx.Client, plugin: TinyPlugin, short: list[str]
) -> None:
    """What takes too long is 504, and is really stopped (design: Timeouts)."""
    ended: list[str] = []

    async def patient(delivery: Delivery) -> None:
        try:
            await asyncio.sleep(20)
        finally:
            ended.append(delivery.id)

    plugin.webhook = patient
    limit = {"X-Request-Timeout-Ms": "150"}

    ours = deliver(client, "one", headers=limit)
    theirs = deliver(client, "two", headers={**limit, **FRAMEWORKS_WAY})

    assert (ours.status_code, told(ours)) == (504, told(theirs))
    assert short == ["short"]
    eventually(lambda: ended == ["one", "two"], what="both to be stopped")


def test_both_ways_refuse_a_forgery_alike(client: httpx.Client, short: list[str]) -> None:
    """A bad signature has one message, and one set of headers."""
    forged = {"webhook-signature": "v1,abc"}

    ours = deliver(client, "one", headers=forged)
    theirs = deliver(client, "one", headers={**forged, **FRAMEWORKS_WAY})

    assert short == ["short"]
    assert (ours.status_code, told(ours)) == (401, told(theirs))


def test_handler_knows_trace_and_time(client: httpx.Client, plugin: TinyPlugin) -> None:
    """What the request was told holds for the handler: its trace, and how long it may take."""
    seen: list[tuple[int, float | None]] = []

    async def look(_delivery: Delivery) -> None:
        seen.append((trace.get_current_span().get_span_context().trace_id, time_left()))

    plugin.webhook = look
    name = "4bf92f3577b34da6a3ce929d0e0e4736"
    limit = {"traceparent": f"00-{name}-00f067aa0ba902b7-01", "X-Request-Timeout-Ms": "5000"}
    for way in ({}, FRAMEWORKS_WAY):
        assert deliver(client, f"w{len(way)}", headers={**limit, **way}).status_code == 200

    assert [f"{found:032x}" for found, _ in seen] == [name, name]
    assert all(left is not None and 4 < left <= 5 for _, left in seen)


def test_future_is_as_good_as_a_coroutine(
    client: httpx.Client, plugin: TinyPlugin, short: list[str]
) -> None:
    """A handler that records its answers may return what another thread settles."""

    def later(delivery: Delivery) -> Awaitable[Any]:
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[Recorded] = loop.create_future()
        answer = Recorded(
            tenant=delivery.tenant,
            webhook_id=delivery.id,
            status=200,
            data=b'{"kept":true}',
            recorded_at=utc_now(),
        )
        settle = partial(loop.call_soon_threadsafe, coming.set_result, answer)
        threading.Timer(0.05, settle).start()
        return coming

    plugin.webhook, plugin.records_deliveries = later, True
    answers = [deliver(client, "one"), deliver(client, "one", headers=FRAMEWORKS_WAY)]

    assert [answer.json()["data"] for answer in answers] == [{"kept": True}] * 2
    assert short == ["short"]


@pytest.mark.parametrize(
    "answer",
    [
        {"count": 1},
        Recorded(tenant="a", webhook_id="b", status=999, data=b"{}", recorded_at=utc_now()),
    ],
    ids=["not recorded", "no status"],
)
def test_answer_that_is_none_is_a_fault_of_the_plugin(
    client: httpx.Client, plugin: TinyPlugin, answer: object
) -> None:
    """A future that brings anything but a good answer is 500, and the connection lives on."""

    def wrong(_delivery: Delivery) -> Awaitable[Any]:
        coming: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        coming.set_result(answer)
        return coming

    plugin.webhook, plugin.records_deliveries = wrong, True

    assert deliver(client, "one").json()["error"]["code"] == "INTERNAL"
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PluginError("No.", headers={"X-Reason": "\N{SNOWMAN}"}), 500),
        (Conflict("It clashes.", details=[{"field": object()}]), 500),  # type: ignore[dict-item]
    ],
    ids=["header", "details"],
)
def test_error_that_cannot_be_written_harms_nobody_else(
    origin: str, plugin: TinyPlugin, error: PluginError, status: int
) -> None:
    """What came in the same turn is begun all the same, and the faulty one is answered at once."""

    async def faulty(delivery: Delivery) -> None:
        if delivery.id == "bad":
            raise error

    plugin.webhook = faulty
    with opened(origin) as one, opened(origin) as other:
        one.sendall(raw("bad"))
        other.sendall(raw("good"))
        assert read_answers(one).startswith(b"HTTP/1.1 %d" % status)
        assert read_answers(other).startswith(b"HTTP/1.1 200")


def test_header_of_an_error_cannot_end_its_line(
    client: httpx.Client, plugin: TinyPlugin, short: list[str]
) -> None:
    """What an author writes into an error's header stays in that header."""

    async def careless(_delivery: Delivery) -> None:
        raise PluginError("No.", headers={"X-Reason": "a\r\nX-Forged: b"})

    plugin.webhook = careless
    answer = deliver(client, "one")

    assert short == ["short"]
    assert answer.headers["x-reason"] == "a  X-Forged: b"
    assert "x-forged" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "-"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"X-Tenant-ID": "-"}, 400),
        ({"X-Tenant-ID": "no tenant"}, 400),
        ({"X-User-Context": "!"}, 400),
        ({"Host": "a b"}, 400),
        ({"X-Request-Timeout-Ms": "soon"}, 400),
    ],
)
def test_what_a_guard_would_refuse_goes_the_frameworks_way(
    client: httpx.Client, plugin: TinyPlugin, short: list[str], headers: Any, status: int
) -> None:
    """The short way is for what is certain to be let in."""
    assert deliver(client, "one", headers=headers).status_code == status
    assert (short, plugin.taken) == ([], [])


@pytest.mark.parametrize(
    "head",
    [
        b"Expect: 100-continue\r\n",
        b"Webhook-Id: another\r\n",
    ],
    ids=["waits to be asked", "header twice"],
)
def test_what_is_unusual_goes_the_frameworks_way(
    origin: str, plugin: TinyPlugin, short: list[str], head: bytes
) -> None:
    """It is answered there; the short way knows one shape only."""
    first, _, rest = raw("one").partition(b"\r\n")
    with opened(origin) as wire:
        wire.sendall(first + b"\r\n" + head + rest)
        answer = read_answers(wire, 2 if b"Expect" in head else 1)

    assert answer.startswith(b"HTTP/1.1 100" if b"Expect" in head else b"HTTP/1.1 401")
    assert short == []


def test_http_1_0_goes_the_frameworks_way(
    origin: str, plugin: TinyPlugin, short: list[str]
) -> None:
    """The old protocol's answer ends its connection."""
    with opened(origin) as wire:
        wire.sendall(raw("one").replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = read_to_end(wire)

    assert answer.startswith(b"HTTP/1.1 200")
    assert (short, len(plugin.taken)) == ([], 1)


def test_body_over_the_limit_goes_the_frameworks_way(
    client: httpx.Client, short: list[str]
) -> None:
    """Its stated size is enough to refuse it; one byte less is taken."""
    assert deliver(client, "one", b"x" * (MAX_BODY + 1)).status_code == 413
    assert short == []
    assert deliver(client, "two", b"x" * MAX_BODY).status_code == 200
    assert short == ["short"]


def test_body_of_no_stated_size_goes_the_frameworks_way(
    client: httpx.Client, short: list[str]
) -> None:
    """A chunked body is counted while it comes."""
    answer = client.post(PATH, content=iter([b"{", b"}"]), headers={"X-Tenant-ID": "family-a"})

    assert (answer.status_code, short) == (401, [])


def test_body_is_read_as_it_comes(origin: str, plugin: TinyPlugin, short: list[str]) -> None:
    """Parts are joined, wherever the wire has cut them."""
    whole = raw("one", b'{"a":1}')
    with opened(origin) as wire:
        for place in range(len(whole)):
            wire.sendall(whole[place : place + 1])
        answer = read_answers(wire)

    assert answer.startswith(b"HTTP/1.1 200")
    assert [delivery.body for delivery in plugin.taken] == [b'{"a":1}']
    assert short == ["short"]


def test_body_that_ends_early_is_nothing(
    origin: str, client: httpx.Client, plugin: TinyPlugin
) -> None:
    """A sender who goes in the middle has sent a bad request, and leaves no delivery."""
    with opened(origin) as wire:
        wire.sendall(raw("one")[:-1])

    eventually(lambda: counted(client) == {"400": 1}, what="the end to be noted")
    assert plugin.taken == []


def test_body_that_does_not_come_has_its_time(
    origin: str, plugin: TinyPlugin, short: list[str]
) -> None:
    """A sender who stops in the middle gets 504, and what comes later is not taken."""
    late = raw("one", headers={"X-Request-Timeout-Ms": "100"})
    with opened(origin) as wire:
        wire.sendall(late[:-1])
        assert read_answers(wire).startswith(b"HTTP/1.1 504")
        wire.sendall(late[-1:] + raw("two"))
        assert read_answers(wire).startswith(b"HTTP/1.1 200")

    assert [delivery.id for delivery in plugin.taken] == ["two"]


def test_requests_in_a_row_are_answered_in_their_order(
    origin: str, plugin: TinyPlugin, short: list[str]
) -> None:
    """Sent without waiting, deliveries and others take turns on one connection."""
    probe = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

    async def slow_at_first(delivery: Delivery) -> dict[str, int]:
        await asyncio.sleep(0.2 if delivery.id == "one" else 0)
        return await plugin.take(delivery)

    plugin.webhook = slow_at_first
    with opened(origin) as wire:
        wire.sendall(raw("one") + probe + raw("two") + raw("three") + probe)
        answers = read_answers(wire, 5)

    places = [answers.index(word) for word in (b'"count":1', b'"count":2', b'"count":3')]
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 5
    assert places == sorted(places)
    assert [delivery.id for delivery in plugin.taken] == ["one", "two", "three"]
    assert short


def test_connection_serves_one_after_the_other(origin: str, short: list[str]) -> None:
    """A sender keeps its connection, and may end it with a delivery."""
    with opened(origin) as wire:
        for number in range(5):
            wire.sendall(raw(f"d{number}"))
            assert b"connection: close" not in read_answers(wire)
        wire.sendall(raw("last", headers={"Connection": "close"}))
        answer = read_to_end(wire)

    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"}")
    assert len(short) == 6


def test_sender_who_goes_does_not_stop_what_was_begun(
    origin: str, client: httpx.Client, plugin: TinyPlugin
) -> None:
    """A delivery that came whole is handled to its end."""
    begun, ended = threading.Event(), threading.Event()

    async def patient(_delivery: Delivery) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        ended.set()

    plugin.webhook = patient
    with opened(origin) as wire:
        wire.sendall(raw("one"))
        assert begun.wait(5)

    assert ended.wait(5)
    eventually(lambda: counted(client) == {"200": 1}, what="the end to be noted")


@pytest.mark.parametrize("stays", [True, False], ids=["sender waits", "sender has gone"])
def test_stop_waits_for_what_was_begun(
    plugin: TinyPlugin, tmp_path: Path, short: list[str], stays: bool
) -> None:
    """Whoever is being served when the server stops gets the answer, and nothing is cut off."""
    begun, order = threading.Event(), []

    async def patient(_delivery: Delivery) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        order.append("handled")

    plugin.webhook = patient
    plugin.on_stop = lambda: order.append("stopped")  # type: ignore[method-assign]
    answers: list[Future[bytes]] = []
    with ThreadPoolExecutor() as pool, serving(plugin, tmp_path) as origin:
        wire = opened(origin)
        wire.sendall(raw("one"))
        assert begun.wait(5)
        if stays:
            answers.append(pool.submit(read_to_end, wire))
        else:
            wire.close()

    wire.close()
    assert order == ["handled", "stopped"]
    assert short == ["short"]
    assert all(answer.result().startswith(b"HTTP/1.1 200") for answer in answers)


def read_answers(wire: socket.socket, number: int = 1) -> bytes:
    """Return the next *number* answers, which end as JSON does or have no body."""
    text = b""
    while text.count(b"HTTP/1.1 ") < number or not text.endswith((b"}", b"100 Continue\r\n\r\n")):
        part = wire.recv(65536)
        assert part, f"the connection ended after {text!r}"
        text += part
    return text


def read_to_end(wire: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    text, until = b"", time.monotonic() + 20
    while (part := wire.recv(65536)) and time.monotonic() < until:
        text += part
    return text


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
