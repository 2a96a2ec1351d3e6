"""Forgetting against the oracle, which never saw what is forgotten: in any order, at any time.

The streams are the generator's or drawn by hypothesis; the truth is that of `tests/oracle`.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaiclife_devcore.generator import TELLING, Envelope, Profile
from plugin_analytics.model.erasure import digest_of
from plugin_analytics.services.erasure import receipt_of
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.services.zones import Zones
from plugin_analytics.store.sqlite import SQLiteStore
from tests.oracle import Oracle
from tests.support.events import TENANT, event, media, reaction, response, story
from tests.support.golden import (
    deliver,
    engine_overview,
    engine_timeseries,
    like,
    oracle_of,
    oracle_overview,
    oracle_timeseries,
    stream,
)
from tests.support.traces import traces_of
from tests.unit.backend.conftest import NOW, Bench

PEOPLE, LEGACIES = ("ada", "ben", "cleo"), ("l1", "l2")
_fresh = itertools.count()
NewBench = Callable[..., Bench]


@pytest.fixture(scope="module")
def new_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewBench]:
    """Return a maker of benches, each over a store of its own."""
    opened: list[SQLiteStore] = []

    def make(zone: str = "UTC") -> Bench:
        opened.append(SQLiteStore(tmp_path_factory.mktemp("erasure") / "plugin.db"))
        return Bench(opened[-1], ZoneInfo(zone))

    yield make
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def shared(new_bench: NewBench) -> Bench:
    """Return one bench for many examples, each of which is a tenant of its own."""
    return new_bench()


def user(kind: str, person: str, **other: Any) -> Envelope:
    """Return an event of core's service about a person."""
    return event(f"user.{kind}", {"user_id": person}, by="service:core", **other)


def same_reports(
    bench: Bench, oracle: Oracle, legacies: Sequence[str], tenant: str = TENANT
) -> None:
    """Hold every scope's reports against the oracle."""
    for scope in ({}, *({"legacyId": legacy} for legacy in legacies)):
        expected = oracle_overview(oracle, **scope)
        assert like(engine_overview(bench, tenant, **scope), expected) == expected, scope
        question = {"metric": "stories,storytellers,responses,media", "interval": "month"}
        told = oracle_timeseries(oracle, **scope, **question)
        assert like(engine_timeseries(bench, tenant, **scope, **question), told) == told, scope


def settled(bench: Bench) -> dict[str, int]:
    """Fold, forget and count until nothing waits."""
    bench.refresh()
    result = bench.erase()
    bench.refresh()
    return result


def storyteller_of(events: Sequence[Envelope]) -> str:
    """Return the person who told most."""
    tellers = [e["actor_id"] for e in events if e["type"] == "story.created" and e["actor_id"]]
    return str(max(sorted(set(tellers)), key=tellers.count))


@pytest.mark.parametrize("seed", [11, 12, pytest.param(14, marks=pytest.mark.slow)])
def test_a_storyteller_is_erased_and_redelivered(new_bench: NewBench, seed: int) -> None:
    """Zero rows by pseudonym, the reports of an oracle that never saw them, a receipt that holds."""
    events, bench = stream(seed), new_bench()
    actor = storyteller_of(events)
    legacies = oracle_of(events).legacies()
    deliver(bench, events)
    gone = user("deleted", actor.removeprefix("user:"), at="2026-11-30T12:00:00Z")
    bench.deliver([gone])
    result = settled(bench)
    recent = (NOW - timedelta(days=30)).isoformat()
    again = [e for e in events if e["actor_id"] == actor and e["occurred_at"] >= recent]
    refused = bench.deliver(again)
    settled(bench)

    assert result["erased"] >= 1
    assert again
    # Some legacies of the other streams have never let themselves be counted.
    assert {each.get("code") for each in refused["results"]} <= {"ERASED_SUBJECT", "NO_GRANT"}
    assert refused["accepted"] == 0
    assert traces_of(bench.store, bench.pseudonyms(TENANT, actor)) == []
    same_reports(bench, oracle_of([*events, gone]), legacies)
    # And as if they had never been: the oracle of a stream without them says the same tellers.
    (receipt, *_) = [
        receipt_of(each)
        for each in bench.store.fulfilled(TENANT, limit=10)
        if each.kind == "person"
    ]
    fields: dict[str, object] = {
        "id": receipt.id,
        "kind": "person",
        "state": "done",
        "requestedAt": receipt.requested_at,
        "finishedAt": receipt.finished_at,
        "rows": receipt.rows,
        "daysRebuilt": receipt.days_rebuilt,
    }
    assert receipt.digest == digest_of(fields)
    assert receipt.rows > 0
    assert receipt.days_rebuilt > 0


def test_a_shared_story_stays_in_the_other_legacy(new_bench: NewBench) -> None:
    """It counts there, and in the tenant's total once; what was told only in the gone one is gone."""
    bench = new_bench()
    events = [
        story("s1", "l1", "l2"),
        story("s2", "l1"),
        story("s3", "l2"),
        story("s2", kind="updated"),
        response("r1", "l1", by="user:ben"),
        media("m1", "l1", "l2", by="user:ben"),
        reaction("s1", "l1", by="user:ben"),
    ]
    gone = event("legacy.deleted", {"legacy_id": "l1"}, by="user:ada")
    bench.deliver(events)
    settled(bench)
    bench.deliver([gone])
    settled(bench)

    assert bench.metrics() == {"stories": 2, "storytellers": 2, "media": 1}
    assert bench.metrics("l2") == {"stories": 2, "storytellers": 2, "media": 1}
    assert bench.metrics("l1") == {}
    assert traces_of(bench.store, b'"l1"') == []
    same_reports(bench, oracle_of([*events, gone]), LEGACIES)


def test_leaving_takes_the_legacies_that_one_began(new_bench: NewBench) -> None:
    """Core deletes them by a cascade and does not tell; what others told in them goes too."""
    bench = new_bench()
    events = [
        event("legacy.created", {"legacy_id": "l1", "visibility": "private"}, by="user:ada"),
        event("legacy.created", {"legacy_id": "l2", "visibility": "private"}, by="user:ben"),
        story("s1", "l1", by="user:ben"),
        story("s2", "l1", "l2", by="user:ben"),
        story("s3", "l2", by="user:ada"),
        reaction("s2", "l2", by="user:ada"),
        story("s2", kind="updated", by="user:ada", visibility="public"),
    ]
    bench.deliver(events)
    bench.deliver([user("deleted", "ada")])
    assert settled(bench)["erased"] == 2

    assert bench.metrics() == {"stories": 1, "storytellers": 1}
    assert bench.metrics("l1") == {}
    late = bench.deliver([story("s9", "l1", by="user:ben")])
    assert late["results"][0]["code"] == "ERASED_SUBJECT"


def told(draw: Callable[[Any], Any], number: int, tenant: str) -> Envelope:
    """Return one act of a small family."""
    person = "user:" + draw(st.sampled_from(PEOPLE))
    named = draw(st.lists(st.sampled_from(LEGACIES), max_size=2, unique=True))
    subject = draw(st.sampled_from("abc"))
    at = f"2026-03-{draw(st.integers(1, 28)):02d}T12:{number:02d}:00Z"
    kind = draw(
        st.sampled_from(("story", "story", "story", "response", "media", "heart", "legacy"))
    )
    common = {"at": at, "by": person, "tenant": tenant, "id": f"e{number:03d}"}
    match kind:
        case "story":
            act = draw(st.sampled_from(("created", "updated", "updated", "deleted")))
            if act == "deleted":
                return event("story.deleted", {"story_id": subject}, **common)
            return story(subject, *named, kind=act, **common)
        case "response":
            return response(subject, draw(st.sampled_from(LEGACIES)), **common)
        case "media":
            return media(subject, *named, **common)
        case "heart":
            on = draw(st.booleans())
            return reaction(subject, draw(st.sampled_from(LEGACIES)), reacted=on, **common)
        case _:
            return event("legacy.created", {"legacy_id": draw(st.sampled_from(LEGACIES))}, **common)


def wished(draw: Callable[[Any], Any], number: int, tenant: str) -> Envelope:
    """Return one wish that something be forgotten."""
    at = f"2026-03-{draw(st.integers(1, 28)):02d}T13:{number:02d}:00Z"
    kind = draw(st.sampled_from(("deleted", "legacy", "activity_tracking.disabled_and_purged")))
    common = {"at": at, "tenant": tenant, "id": f"w{number:03d}"}
    if kind == "legacy":
        return event("legacy.deleted", {"legacy_id": draw(st.sampled_from(LEGACIES))}, **common)
    return user(kind, draw(st.sampled_from(PEOPLE)), **common)


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_wishes_hold_in_any_order_of_arrival(shared: Bench, data: st.DataObject) -> None:
    """Acts and wishes in any order, forgotten and counted at any time: always the oracle's reports."""
    any_order(shared, data)


@pytest.mark.slow
@pytest.mark.timeout(900)
@given(data=st.data())
@settings(max_examples=1_000, deadline=None)
def test_wishes_hold_in_a_thousand_orders(shared: Bench, data: st.DataObject) -> None:
    """The same for longer."""
    any_order(shared, data)


def any_order(shared: Bench, data: st.DataObject) -> None:
    tenant = f"tenant-{next(_fresh)}"
    count, wishes = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 3))
    acts = [told(data.draw, number, tenant) for number in range(count)]
    arrival = data.draw(
        st.permutations([*acts, *(wished(data.draw, number, tenant) for number in range(wishes))])
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(arrival)), max_size=3)))
    for start, end in itertools.pairwise([0, *cuts, len(arrival)]):
        if start < end:
            shared.deliver(arrival[start:end], tenant=tenant)
        if data.draw(st.booleans()):
            shared.refresh()
        if data.draw(st.booleans()):
            shared.erase()
    settled(shared)

    same_reports(shared, oracle_of(arrival, tenant), LEGACIES, tenant)


@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_an_opt_out_holds_until_it_is_taken_back(shared: Bench, data: st.DataObject) -> None:
    """In any order of arrival, as long as what was free again arrives after the word that freed it."""
    tenant = f"tenant-{next(_fresh)}"
    out = user(
        "activity_tracking.disabled_and_purged", "ada", at="2026-03-10T00:00:00Z", tenant=tenant
    )
    back = user("activity_tracking.enabled", "ada", at="2026-03-20T00:00:00Z", tenant=tenant)
    acts = [told(data.draw, number, tenant) for number in range(data.draw(st.integers(1, 10)))]
    free = [e for e in acts if e["occurred_at"] >= back["occurred_at"]]
    bound = [e for e in acts if e["occurred_at"] < back["occurred_at"]]
    arrival = list(data.draw(st.permutations([*bound, out, back])))
    after = arrival.index(back) + 1
    for each in free:
        arrival.insert(data.draw(st.integers(after, len(arrival))), each)
    cut = data.draw(st.integers(0, len(arrival)))
    for piece in filter(None, (arrival[:cut], arrival[cut:])):
        shared.deliver(piece, tenant=tenant)
        if data.draw(st.booleans()):
            settled(shared)
    settled(shared)

    same_reports(shared, oracle_of(arrival, tenant), LEGACIES, tenant)


def test_a_rebuild_does_not_bring_anybody_back(
    new_bench: NewBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased at any step of a rebuild into another zone: the counts are those of the rest."""
    events = stream(12, profile=Profile("tiny", 400, 8, 3, 300, TELLING))
    gone = user("deleted", storyteller_of(events).removeprefix("user:"), at="2026-11-30T12:00:00Z")
    zone = "Asia/Kathmandu"
    oracle = Oracle([*events, gone], tenant=TENANT, now=NOW, zone=zone)
    monkeypatch.setattr("plugin_analytics.services.rollup.REBUILD_SUBJECTS", 50)
    for steps in (0, 1, 2, 5):
        bench = new_bench()
        deliver(bench, events)
        bench.zones = Zones(bench.store, ZoneInfo(zone))
        refresh = Refresh(bench.store, bench.zones)
        refresh._start_over()
        for _ in range(steps):
            assert refresh.rebuild_some(TENANT)
        bench.deliver([gone])
        bench.erase()
        bench.refresh()

        expected = oracle.overview(zone=zone)
        assert like(engine_overview(bench, timezone=zone), expected) == expected, steps


def test_a_tenant_is_emptied_and_used_anew(new_bench: NewBench) -> None:
    """Everything up to the moment is gone and stays gone; what happens later counts."""
    bench = new_bench()
    old = [story(f"s{n}", "l1", at="2026-03-01T12:00:00Z", by=f"user:p{n}") for n in range(20)]
    bench.deliver(old)
    deliver(bench, [story("t1", "l1", tenant="other")])
    bench.refresh()
    bench.erase_tenant()
    settled(bench)

    assert bench.metrics() == {}
    assert traces_of(bench.store, b'"l1"') == []
    assert bench.deliver(old)["accepted"] == 0
    assert bench.deliver([story("n1", "l1", at="2026-12-01T12:00:01Z")])["accepted"] == 1
    settled(bench)
    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1}


def test_random_people_leave_a_rough_stream(new_bench: NewBench) -> None:
    """Several people and a legacy leave in the midst of a stream with every fault."""
    events = stream(13, faults="duplicates,late,disorder,flapping,triple")
    chance, bench = Random(13), new_bench()
    people = sorted({e["actor_id"] for e in events if e["actor_id"]})
    legacies = oracle_of(events).legacies()
    wishes: list[Mapping[str, Any]] = [
        user("deleted", each.removeprefix("user:"), at="2026-11-29T12:00:00Z")
        for each in chance.sample(people, 3)
    ]
    wishes.append(event("legacy.deleted", {"legacy_id": legacies[0]}, at="2026-11-29T12:00:00Z"))
    arrival = list(events)
    for wish in wishes:
        arrival.insert(chance.randrange(len(arrival) // 2, len(arrival)), dict(wish))
    for start in range(0, len(arrival), 100):
        bench.deliver(arrival[start : start + 100])
        if chance.random() < 0.3:
            settled(bench)
    settled(bench)

    same_reports(bench, oracle_of(arrival), legacies)
