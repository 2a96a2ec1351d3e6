"""Signed delivery of domain events: order, batches, retries (Standard Webhooks)."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import anyio
import pytest

from mosaiclife_devcore.capabilities import Approval
from mosaiclife_devcore.delivery import Deliveries
from mosaiclife_devcore.journal import Event, Journal, Resource
from mosaiclife_devcore.outbound import new_http
from mosaiclife_devcore.registry import Plugin, Registration, Registry, State
from mosaiclife_plugin_sdk import WebhookRejected, new_secret, parse_manifest, verify
from tests.support.bare_plugin import BarePlugin, as_json
from tests.support.cores import SAME_ORIGIN, SECRET, grant_for, make_ready, running_core
from tests.support.processes import eventually

INGEST = "/v1/webhooks/ingest"


@pytest.fixture
def plugin() -> Iterator[BarePlugin]:
    with BarePlugin() as plugin:
        yield plugin


def happened(number: int, tenant: str = "t1", **payload: Any) -> Event:
    return Event(
        id=f"e{number}",
        type="story.created",
        version=1,
        source="core",
        occurred_at="2026-01-01T00:00:00.000Z",
        tenant_id=tenant,
        actor_id=None,
        resource=Resource("story", f"s{number}"),
        payload=payload,
    )


def ids(plugin: BarePlugin) -> list[list[str]]:
    return [[event["id"] for event in call.json()["events"]] for call in plugin.received(INGEST)]


class House:
    """A journal and couriers for one registered plugin, without the rest of the core."""

    def __init__(self, plugin: BarePlugin, **grant: Any) -> None:
        self.registry = Registry({"bare": grant_for(plugin, **grant)})
        self.record: Plugin = self.registry.get("bare")
        manifest = parse_manifest(plugin.manifest())
        remote = f"{plugin.url}/mf/remoteEntry.js"
        approval = Approval(granted=("events:subscribe",))
        registration = Registration(manifest, plugin.url, remote, None, approval)
        self.registry.accept(self.record, registration)
        self.registry.move(self.record, State.READY)
        self.journal = Journal()


@asynccontextmanager
async def couriers(
    plugin: BarePlugin, *, schedule: tuple[float, ...] = (0.02, 30.0), **grant: Any
) -> AsyncIterator[tuple[House, Deliveries]]:
    house = House(plugin, **grant)
    async with new_http() as http:
        deliveries = Deliveries(house.registry, house.journal, http, schedule=schedule)
        try:
            yield house, deliveries
        finally:
            await deliveries.stop()


async def until(probe: Callable[[], object], within: float = 5.0) -> None:
    with anyio.fail_after(within):
        while not probe():  # noqa: ASYNC110  # the server that it looks at runs in a thread
            await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_a_delivery_is_signed_with_every_live_secret(plugin: BarePlugin) -> None:
    """Who holds either secret of a rotation can verify, and nobody else."""
    secrets = (new_secret(), new_secret())
    async with couriers(plugin, webhook_secrets=secrets) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await until(lambda: plugin.received(INGEST))

    call = plugin.received(INGEST)[0]
    for secret in secrets:
        verify([secret], call.headers, call.body, now=datetime.now(UTC))
    with pytest.raises(WebhookRejected):
        verify([new_secret()], call.headers, call.body, now=datetime.now(UTC))
    assert call.headers["authorization"] == "Bearer bare-token"
    assert call.headers["x-tenant-id"] == "t1"


@pytest.mark.anyio
async def test_what_waits_goes_out_in_order_and_in_batches(plugin: BarePlugin) -> None:
    """A delivery holds up to 500 events of one tenant."""
    async with couriers(plugin) as (house, deliveries):
        house.journal.extend(happened(number) for number in range(1100))
        house.journal.extend([happened(1100, tenant="t2"), happened(1101)])
        deliveries.kick(house.record)
        await until(lambda: len(plugin.received(INGEST)) == 5)

    sent = ids(plugin)
    assert [len(batch) for batch in sent] == [500, 500, 100, 1, 1]
    assert list(chain(*sent)) == [f"e{number}" for number in range(1102)]
    assert [call.headers["x-tenant-id"] for call in plugin.received(INGEST)[2:]] == [
        "t1",
        "t2",
        "t1",
    ]


@pytest.mark.anyio
async def test_a_batch_never_exceeds_a_mebibyte(plugin: BarePlugin) -> None:
    """Large events travel in smaller companies."""
    async with couriers(plugin) as (house, deliveries):
        house.journal.extend(happened(number, text="x" * 60_000) for number in range(40))
        deliveries.kick(house.record)
        await until(lambda: len(list(chain(*ids(plugin)))) == 40)

    assert list(chain(*ids(plugin))) == [f"e{number}" for number in range(40)]
    assert max(len(call.body) for call in plugin.received(INGEST)) <= 1 << 20


@pytest.mark.anyio
async def test_a_failed_delivery_comes_again_with_its_id_and_its_bytes(plugin: BarePlugin) -> None:
    """A retry is the same message, and what came later waits behind it."""
    plugin.answers[INGEST] = [as_json({}, 500), as_json({"data": {}})]
    async with couriers(plugin) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await until(lambda: plugin.received(INGEST))
        house.journal.extend([happened(2)])
        await until(lambda: len(plugin.received(INGEST)) == 3)

    first, again, _ = plugin.received(INGEST)
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    assert ids(plugin) == [["e1"], ["e1"], ["e2"]]


@pytest.mark.anyio
async def test_a_new_registration_ends_the_pause(plugin: BarePlugin) -> None:
    """A plugin that is back does not wait half an hour for what it missed."""
    plugin.answers[INGEST] = [as_json({}, 500), as_json({"data": {}})]
    async with couriers(plugin, schedule=(3600.0,)) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await until(lambda: plugin.received(INGEST))
        await anyio.sleep(0.1)
        assert len(plugin.received(INGEST)) == 1

        deliveries.kick(house.record)
        await until(lambda: len(plugin.received(INGEST)) == 2)


@pytest.mark.anyio
async def test_a_pause_that_the_plugin_asks_for_is_kept(plugin: BarePlugin) -> None:
    """`Retry-After` holds against the schedule and against a new registration."""
    plugin.answers[INGEST] = [as_json({}, 503, retry_after="1"), as_json({"data": {}})]
    async with couriers(plugin, schedule=(0.01,)) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await until(lambda: plugin.received(INGEST))
        deliveries.kick(house.record)
        await anyio.sleep(0.5)
        assert len(plugin.received(INGEST)) == 1

        await until(lambda: len(plugin.received(INGEST)) == 2)


@pytest.mark.anyio
async def test_a_delivery_is_given_up_after_the_last_retry(plugin: BarePlugin) -> None:
    """Poison does not block for ever: the next events go out."""
    plugin.answers[INGEST] = [as_json({}, 500)] * 3 + [as_json({"data": {}})]
    async with couriers(plugin, schedule=(0.01, 0.01)) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await until(lambda: len(plugin.received(INGEST)) == 3)
        house.journal.extend([happened(2)])
        await until(lambda: len(plugin.received(INGEST)) == 4)

    assert ids(plugin) == [["e1"], ["e1"], ["e1"], ["e2"]]


@pytest.mark.anyio
async def test_a_disabled_plugin_is_sent_nothing_and_loses_nothing(plugin: BarePlugin) -> None:
    """What happens while the switch is off arrives when it is on again."""
    async with couriers(plugin) as (house, deliveries):
        house.registry.disable(house.record)
        deliveries.kick(house.record)
        house.journal.extend([happened(1)])
        await anyio.sleep(0.1)
        assert plugin.received(INGEST) == []

        house.registry.enable(house.record)
        house.registry.move(house.record, State.READY)
        await until(lambda: plugin.received(INGEST))


@pytest.mark.anyio
async def test_a_plugin_that_never_asked_for_events_gets_none(plugin: BarePlugin) -> None:
    """Without a signing secret nothing leaves core."""
    async with couriers(plugin, webhook_secrets=()) as (house, deliveries):
        house.journal.extend([happened(1)])
        deliveries.kick(house.record)
        await anyio.sleep(0.1)

    assert plugin.received(INGEST) == []


def test_a_memory_becomes_an_event_without_its_title(plugin: BarePlugin) -> None:
    """The whole way: a person tells something, and the plugin hears that there is a story."""
    with running_core(plugin) as core:
        make_ready(core, plugin)
        legacy = core.get("/api/session").json()["data"]["legacies"][0]
        path = f"/api/legacies/{legacy['id']}/stories"
        told = core.post(path, json={"title": "The canary in the hall"}, headers=SAME_ORIGIN)
        eventually(lambda: plugin.received(INGEST), within=5)
        page = core.get(f"/api/legacies/{legacy['id']}").json()["data"]
        wanted = {"ids": [told.json()["data"]["id"], legacy["id"], "nobody"]}
        names = core.post("/api/names", json=wanted, headers=SAME_ORIGIN).json()["data"]

    call = plugin.received(INGEST)[0]
    [event] = call.json()["events"]
    assert told.status_code == 201
    assert event["type"] == "story.created"
    assert event["resource"]["id"] == told.json()["data"]["id"]
    assert event["payload"]["legacy_ids"] == [legacy["id"]]
    assert b"canary" not in call.body
    assert page["stories"][0]["title"] == "The canary in the hall"
    assert sorted(names.values()) == sorted([legacy["name"], "The canary in the hall"])
    verify([SECRET], call.headers, call.body, now=datetime.now(UTC))


def test_the_seeded_history_arrives_before_what_happens_now(plugin: BarePlugin) -> None:
    """A plugin that registers first receives the past in the order of time."""
    with running_core(plugin, feed=True, feed_seconds=0.05) as core:
        make_ready(core, plugin)
        eventually(lambda: len(plugin.received(INGEST)) > 3, within=10)
    moments = [
        event["occurred_at"] for call in plugin.received(INGEST) for event in call.json()["events"]
    ]

    assert len(moments) > 400
    assert moments == sorted(moments)
