"""Taking deliveries in: one answer for each event, stored together with what it answers."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from mosaiclife_plugin_sdk import BadRequest, Delivery, ServiceUnavailable, UnsupportedMediaType
from mosaiclife_plugin_sdk.stores import Recorded
from plugin_analytics.services.ingest import AT_A_STROKE
from tests.support.events import TENANT, body_of, event, reaction, story
from tests.unit.backend.conftest import Bench


def test_every_outcome_in_one_batch(bench: Bench) -> None:
    """Good, repeated, contradicting, unknown and poisoned events are each told apart."""
    first = story("s1", "l1", id="one")
    bench.deliver([first])

    answer = bench.deliver(
        [
            story("s2", "l1"),
            first,
            {**first, "payload": {**first["payload"], "status": "draft"}},
            event("weather.changed", {}, id="sky"),
            story("s3", "l1", id="bad", visibility="secret"),
        ]
    )

    results = answer.pop("results")
    assert answer == {
        "accepted": 1,
        "duplicate": 1,
        "conflict": 1,
        "ignored": 1,
        "quarantined": 1,
    }
    assert [(found["index"], found["status"]) for found in results] == [
        (1, "duplicate"),
        (2, "conflict"),
        (3, "ignored"),
        (4, "quarantined"),
    ]
    assert results[3]["code"] == "SCHEMA"
    assert results[3]["field"] == "$.payload.visibility"


def test_outcomes_are_counted_by_type(bench: Bench) -> None:
    """Each type and outcome is counted once for each event."""
    bench.deliver([story("s1", "l1"), story("s2", "l1"), event("weather.changed", {})])

    assert sorted(bench.counted) == [
        ("story.created", "accepted", 2),
        ("weather.changed", "ignored", 1),
    ]


def test_only_new_events_wake_the_counting(bench: Bench) -> None:
    """A batch of repetitions, poison and strangers starts no work."""
    one = story("s1", "l1")
    bench.deliver([one])
    assert bench.commits == 1

    bench.deliver([one, {}, event("weather.changed", {})])

    assert bench.commits == 1


def test_empty_batch_is_fine(bench: Bench) -> None:
    """A delivery without events is answered like any other."""
    assert bench.deliver([])["accepted"] == 0


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application/jsonx"])
def test_other_content_types_are_refused(bench: Bench, kind: str) -> None:
    """Only JSON is read."""
    with pytest.raises(UnsupportedMediaType):
        bench.deliver([story("s1", "l1")], content_type=kind)


def test_charset_is_no_other_content_type(bench: Bench) -> None:
    """Parameters of the content type do not matter."""
    answer = bench.deliver([story("s1", "l1")], content_type="Application/JSON; charset=utf-8")

    assert answer["accepted"] == 1


def test_unreadable_body_stores_nothing(bench: Bench) -> None:
    """What cannot be read at all is a 400."""
    with pytest.raises(BadRequest):
        bench.deliver([], body=b"{")


def test_whole_batch_of_unknown_versions_stays_with_the_sender(bench: Bench) -> None:
    """After an upgrade the same delivery can be read; quarantine is for what cannot wait."""
    later = [story("s1", "l1") | {"version": 2}, reaction("s1", "l1") | {"version": 3}]

    with pytest.raises(ServiceUnavailable) as refused:
        bench.deliver(later)

    assert "Retry-After" in refused.value.headers
    assert bench.deliver([*later, story("s2", "l1")])["quarantined"] == 2


def test_event_of_another_tenant_is_set_aside(bench: Bench) -> None:
    """A call speaks for one tenant; nothing of another one gets in."""
    answer = bench.deliver([story("s1", "l1", tenant="neighbours")])

    assert answer["results"][0]["code"] == "TENANT_MISMATCH"
    bench.refresh()
    assert bench.metrics() == bench.metrics(tenant="neighbours") == {}


def test_delivery_is_linked_to_the_spans_of_its_events(bench: Bench) -> None:
    """Who follows a trace from an event finds the delivery that brought it."""
    bench.deliver([{**story("s1", "l1"), "traceparent": "00-a"}, story("s2", "l1")])

    assert bench.linked == ["00-a"]


def a_delivery(events: Sequence[Mapping[str, Any]], name: str) -> Delivery:
    return Delivery(
        id=name,
        timestamp=0,
        tenant=TENANT,
        body=body_of(events),
        content_type="application/json",
        headers={},
        traceparent=None,
    )


def test_others_are_served_while_large_batches_are_judged(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one turn of the loop a few events are judged, however many batches there are."""
    turn, judged = 0, Counter[int]()

    def pseudonymise(tenant: str, person: str) -> bytes:
        judged[turn] += 1
        return bench.pseudonyms(tenant, person)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def deliver(*batches: Sequence[Mapping[str, Any]]) -> list[int]:
        others = asyncio.create_task(count_turns())
        named = ((f"d{number}", batch) for number, batch in enumerate(batches))
        answers = await asyncio.gather(
            *(bench.ingest(a_delivery(batch, name)) for name, batch in named)
        )
        others.cancel()
        return [msgspec.json.decode(answer.data)["accepted"] for answer in answers]

    monkeypatch.setattr(bench.ingest, "_pseudonymise", pseudonymise)
    size = 6 * AT_A_STROKE
    large, more = ([story(f"{name}{at}", "l1") for at in range(size)] for name in "ab")

    assert asyncio.run(deliver(large, more)) == [size, size]
    assert judged.total() == 2 * size
    assert max(judged.values()) <= AT_A_STROKE


def test_sender_who_gives_up_leaves_what_was_stored(bench: Bench) -> None:
    """What is on the disk is counted and heeded, though nobody waits for the answer any more."""
    bench.deliver([story("s1", "l1", by="user:ada")])
    leaving = event("user.deleted", {"user_id": "ada"}, by="service:core")

    async def give_up() -> None:
        coming = asyncio.ensure_future(bench.ingest(a_delivery([leaving], "leaving")))
        await asyncio.sleep(0)
        coming.cancel()
        # Handed in later, this one comes down later too.
        await bench.ingest(a_delivery([story("s0", "l1")], "other"))

    asyncio.run(give_up())

    assert ("user.deleted", "accepted", 1) in bench.counted
    answer = bench.deliver([story("s2", "l1", by="user:ada")])
    assert answer["results"][0]["code"] == "ERASED_SUBJECT"


def test_wish_that_is_heard_between_two_pieces_holds_for_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was judged before somebody left is handed in after it."""
    mine = [story(f"s{number}", "l1", by="user:ada") for number in range(4 * AT_A_STROKE)]
    leaving = event("user.deleted", {"user_id": "ada"}, by="service:core")
    told: list[Recorded] = []

    async def leave(_seconds: float) -> None:
        if not told:
            told.append(await bench.ingest(a_delivery([leaving], "leaving")))

    monkeypatch.setattr(asyncio, "sleep", leave)
    recorded = asyncio.run(bench.taken(a_delivery(mine, "mine")))

    answer = msgspec.json.decode(recorded.data)
    assert told
    assert answer["accepted"] == 0
    assert {each["code"] for each in answer["results"]} == {"ERASED_SUBJECT"}
