"""Forgetting, step by step: the door, the receipts, the log, and what time does to tombstones."""

import asyncio
import hashlib
import itertools
import json
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugin_analytics.clock import micros
from plugin_analytics.errors import StoreUnavailable
from plugin_analytics.model.erasure import Hashes, Tombs
from plugin_analytics.services.erasure import replay
from plugin_analytics.services.me import ErasuresQuery
from plugin_analytics.services.quarantine import Retry
from plugin_analytics.store.erasure_log import NAME, ErasureLog
from plugin_analytics.store.erasures import Logged
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.events import TENANT, event, granted, media, reaction, response, revoked, story
from tests.support.traces import traces_of
from tests.unit.backend.conftest import NOW, Bench

LATER = NOW + timedelta(days=36)


def user(kind: str, person: str = "ada", **other: Any) -> dict[str, Any]:
    return event(f"user.{kind}", {"user_id": person}, by="service:core", **other)


def left(**other: Any) -> dict[str, Any]:
    return user("deleted", **other)


def opted_out(**other: Any) -> dict[str, Any]:
    return user("activity_tracking.disabled_and_purged", **other)


def enabled(**other: Any) -> dict[str, Any]:
    return user("activity_tracking.enabled", **other)


def endings(answer: dict[str, Any]) -> list[tuple[int, str, str | None]]:
    return [(each["index"], each["status"], each.get("code")) for each in answer["results"]]


def held(bench: Bench, query: str) -> list[Any]:
    """Return what the database holds."""
    with bench.store._reads.connect() as connection:
        return list(connection.exec_driver_sql(query).all())


# --- the door


def test_the_same_batch_is_refused_after_the_wish(bench: Bench) -> None:
    """What stands behind it in the batch is refused, before it is not, and nothing of it is kept."""
    answer = bench.deliver([story("s1", "l1"), left(), story("s2", "l1"), reaction("s9", "l1")])

    assert answer["accepted"] == 2
    assert endings(answer) == [
        (2, "quarantined", "ERASED_SUBJECT"),
        (3, "quarantined", "ERASED_SUBJECT"),
    ]
    assert {each["id"] for each in answer["results"]} == {None}
    assert held(bench, "SELECT kept FROM quarantine") == [(None,), (None,)]
    assert bench.asked == 1


def test_a_legacy_that_is_gone_leaves_the_others(bench: Bench) -> None:
    """What names it alone is refused; what names another is kept for that; a grant is refused."""
    bench.deliver([event("legacy.deleted", {"legacy_id": "l1"})])
    answer = bench.deliver([story("s1", "l1"), story("s2", "l1", "l2"), granted("l1")])
    bench.refresh()

    assert [each[1:] for each in endings(answer)] == [("quarantined", "ERASED_SUBJECT")] * 2
    assert bench.metrics("l2") == {"stories": 1, "storytellers": 1}


def test_who_opted_out_tells_without_a_name(bench: Bench) -> None:
    """Content counts for nobody; all else is ignored; from the word that takes it back on, all counts."""
    bench.deliver([opted_out(at="2026-03-01T00:00:00Z"), enabled(at="2026-03-05T00:00:00Z")])
    acts = [story("s1", "l1"), response("r1", "l1"), media("m1", "l1"), reaction("s1", "l1")]
    answer = bench.deliver(acts)
    bench.deliver([story("s2", "l1", at="2026-03-05T00:00:00Z")])
    bench.erase()
    bench.refresh()

    assert endings(answer) == [(3, "ignored", "OPTED_OUT")]
    assert bench.metrics() == {"stories": 2, "storytellers": 1, "responses": 1, "media": 1}


def test_a_wish_about_nobody_changes_nothing(bench: Bench) -> None:
    """Core's service that names no person has not asked for anything."""
    answer = bench.deliver([event("user.deleted", {}, by="service:core")])

    assert answer["accepted"] == 1
    assert bench.store.wishes() == []


def test_nobody_is_named_by_what_they_asked(bench: Bench) -> None:
    """The wish itself is kept without its person, whoever it was sent by."""
    bench.deliver(
        [
            event("user.deleted", {}, by="user:ada"),
            event("legacy.deleted", {"legacy_id": "l1"}, by="user:ada"),
        ]
    )
    bench.erase()

    assert traces_of(bench.store, bench.pseudonyms(TENANT, "user:ada")) == []
    assert traces_of(bench.store, b'"l1"') == []


def test_tenants_do_not_touch_each_other(bench: Bench) -> None:
    """The same person, legacy and ids in another tenant stay as they are."""
    for tenant in (TENANT, "other"):
        bench.deliver(
            [story("s1", "l1", tenant=tenant), reaction("s1", "l1", tenant=tenant)], tenant=tenant
        )
    bench.deliver([left(), event("legacy.deleted", {"legacy_id": "l1"})])
    bench.erase_tenant()
    bench.erase()
    bench.refresh()

    assert bench.metrics() == {}
    assert bench.metrics(tenant="other") == {"stories": 1, "storytellers": 1, "hearts": 1}
    assert bench.deliver([story("s2", "l1", tenant="other")], tenant="other")["accepted"] == 1


def test_the_quarantine_forgets_and_refuses_too(bench: Bench) -> None:
    """What waited there for its time is gone, and what is tried again meets the same door."""
    ahead = {"at": "2026-12-01T12:06:00Z"}
    bench.deliver([story("s1", "l1", **ahead), story("s2", "l1", by="user:ben", **ahead)])
    bench.deliver([left(), opted_out(person="ben", at="2026-11-01T00:00:00Z")])
    bench.erase()
    later = NOW + timedelta(hours=1)
    again = Retry(
        bench.store, lambda: later, count=lambda *_: None, committed=lambda: None, book=bench.book
    )

    assert len(held(bench, "SELECT 1 FROM quarantine WHERE kept IS NOT NULL")) == 1
    assert again(lambda: False)["taken"] == 1
    bench.refresh()
    assert bench.metrics() == {"stories": 1}
    assert traces_of(bench.store, bench.pseudonyms(TENANT, "user:ada")) == []


def test_nothing_is_kept_of_who_is_gone_even_if_it_comes_too_early(bench: Bench) -> None:
    """What would be set aside to be tried again is set aside without a trace."""
    bench.deliver([left(), event("legacy.deleted", {"legacy_id": "l1"})])
    ahead = {"at": "2026-12-01T12:06:00Z"}
    bench.deliver([story("s1", "l2", **ahead), story("s2", "l1", by="user:ben", **ahead)])
    bench.erase()

    assert held(bench, "SELECT kept FROM quarantine") == [(None,), (None,)]
    assert traces_of(bench.store, bench.pseudonyms(TENANT, "user:ada")) == []


def test_a_wish_that_was_set_aside_is_uttered_when_it_is_taken(bench: Bench) -> None:
    """A deletion five minutes ahead of the clock is honoured as soon as its time has come."""
    bench.deliver([story("s1", "l1"), left(at="2026-12-01T12:06:00Z")])
    asked: list[bool] = []
    again = Retry(
        bench.store,
        lambda: NOW + timedelta(hours=1),
        count=lambda *_: None,
        committed=lambda: None,
        asked=lambda: asked.append(True),
        book=bench.book,
    )
    again(lambda: False)

    assert asked == [True]
    assert bench.erase()["erased"] == 1
    assert bench.metrics() == {}
    assert bench.deliver([story("s2", "l1")])["accepted"] == 0


# --- revocation


def test_a_revocation_in_midstream_takes_what_was_stored(bench: Bench) -> None:
    """Stored acts of the legacy go; a shared one stays in the other; later ones are refused."""
    bench.deliver([story("s1", "l1"), story("s2", "l1", "l2"), reaction("s1", "l1")])
    bench.refresh()
    answer = bench.deliver([story("s3", "l1"), revoked("l1"), story("s4", "l1")])
    bench.erase()
    bench.refresh()

    assert endings(answer) == [(2, "quarantined", "NO_GRANT")]
    assert bench.metrics() == {"stories": 1, "storytellers": 1}
    assert bench.metrics("l1") == {}
    (row,) = held(bench, "SELECT COUNT(*) FROM event WHERE instr(body, '\"l1\"') AND class <> 3")
    assert row == (0,)


def test_a_grant_that_narrows_keeps_what_it_names(bench: Bench) -> None:
    """Hearts go, stories stay; and what a later, wider word allowed is not taken by the older."""
    bench.deliver([story("s1", "l1"), reaction("s1", "l1")])
    bench.deliver([granted("l1", "story.created", at="2026-03-02T12:00:00Z")])
    bench.deliver([granted("l1", at="2026-03-03T12:00:00Z"), reaction("s2", "l1")])
    bench.refresh()
    bench.erase()
    bench.refresh()

    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1, "hearts": 1}


# --- receipts


def test_a_receipt_is_verified_by_the_documented_rule(bench: Bench) -> None:
    """SHA-256 over the other fields as JSON, keys sorted, no spaces; and it names nobody."""
    bench.deliver([story("s1", "l1")])
    bench.refresh()
    bench.deliver([left()])
    bench.erase()
    (found,) = asked_receipts(bench)
    digest = found.pop("digest")
    canonical = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()

    assert digest == hashlib.sha256(canonical).hexdigest()
    assert set(found) == {"id", "kind", "state", "requestedAt", "finishedAt", "rows", "daysRebuilt"}
    assert (found["state"], found["daysRebuilt"]) == ("done", 1)
    assert found["rows"] == 2  # the act as it came, and as it was remembered
    assert "ada" not in json.dumps(found)


def asked_receipts(bench: Bench) -> list[dict[str, Any]]:
    report = bench.subject().receipts(TENANT, ErasuresQuery(20, None))
    found: list[dict[str, Any]] = msgspec.to_builtins(report.data)
    return found


def test_the_job_can_be_stopped_and_goes_on(bench: Bench) -> None:
    """Stopped after any number of steps, the next run finishes, and nothing is counted twice."""
    for stop, folded in itertools.product(range(12), (False, True)):
        tenant = f"t{stop} {folded}"
        bench.deliver(
            [story(f"s{n}", "l1", by=f"user:p{n % 2}", tenant=tenant) for n in range(6)],
            tenant=tenant,
        )
        if folded:
            bench.refresh()
        bench.deliver([left(person="p0", tenant=tenant)], tenant=tenant)
        steps = itertools.count()
        bench.eraser()(lambda: next(steps) >= stop)  # noqa: B023  # called before the next round
        bench.erase()
        bench.refresh()

        assert bench.metrics(tenant=tenant) == {"stories": 3, "storytellers": 1}
        (receipt,) = bench.store.fulfilled(tenant, limit=5)
        assert receipt.rows == (6 if folded else 3)


def test_forgetting_waits_for_nobody_who_delivers(bench: Bench) -> None:
    """Deliveries, counting and forgetting at once: everything of the others is counted once."""
    stop = threading.Event()

    def forget() -> None:
        while not stop.is_set():
            bench.erase()

    threads = [
        threading.Thread(target=forget),
        threading.Thread(target=lambda: [bench.refresh() for _ in range(30)]),
    ]
    for thread in threads:
        thread.start()
    for number in range(40):
        person = f"p{number % 4}"
        bench.deliver([story(f"s{number}-{n}", "l1", by=f"user:{person}") for n in range(5)])
        if number % 10 == 9:
            bench.deliver([left(person=person)])
    stop.set()
    for thread in threads:
        thread.join()
    bench.erase()
    bench.refresh()

    # p1 and p3 left, in turn: what they told went, before and after.
    assert bench.metrics() == {"stories": 100, "storytellers": 2}


def test_a_sender_who_never_pauses_does_not_hold_forgetting_up(bench: Bench) -> None:
    """The job folds what had come when it began, and no more: it ends while events go on coming."""
    bench.deliver([story("s1", "l1"), left()])
    stop = threading.Event()

    def send() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            bench.deliver([story(f"x{number}", "l2", by="user:ben")])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        assert bench.erase()["waiting"] == 0
        assert sender.is_alive()
    finally:
        stop.set()
        sender.join()


@pytest.mark.parametrize(
    ("wish", "counts"),
    [
        (left(), {"l1": 2, "l2": 3, "l3": 0}),
        (opted_out(), {"l1": 4, "l2": 4, "l3": 1}),
        (event("legacy.deleted", {"legacy_id": "l1"}), {"l1": 0, "l2": 4, "l3": 1}),
    ],
    ids=["person", "opt-out", "legacy"],
)
def test_nobody_who_is_forgotten_waits_for_a_backlog(
    new_bench: Callable[..., Bench], wish: dict[str, Any], counts: dict[str, int]
) -> None:
    """What no fold has seen goes before any does, and what is left is as if all had been folded."""
    waiting, counted, backlog = new_bench(), new_bench(), _backlog()
    for bench in (waiting, counted):
        bench.deliver(backlog)
        if bench is counted:
            bench.refresh()
        bench.deliver([wish])
        bench.erase()
    assert waiting.store.progress(TENANT) is None
    gone = waiting.pseudonyms(TENANT, "user:ada") if wish["type"].startswith("user") else b'"l1"'
    assert traces_of(waiting.store, gone) == []

    waiting.refresh()
    counted.refresh()
    assert traces_of(waiting.store, gone) == []
    assert {each: waiting.metrics(each).get("stories", 0) for each in counts} == counts
    for legacy in ("", *counts):
        assert waiting.metrics(legacy) == counted.metrics(legacy)
    remembered = "SELECT * FROM memory ORDER BY subject"
    assert held(waiting, remembered) == held(counted, remembered)
    marks = "SELECT kind, hash, at, expires_at FROM tombstone ORDER BY kind, hash"
    assert held(waiting, marks) == held(counted, marks)


def _backlog() -> list[dict[str, Any]]:
    """Return acts of two people in three legacies, one of which ada has begun."""
    return [
        event("legacy.created", {"legacy_id": "l3", "visibility": "private"}),
        *(story(f"b{n}", "l1", "l2", by="user:ben") for n in range(2)),
        story("s1", "l1"),
        story("s1", kind="updated", by="user:ben", at="2026-03-02T12:00:00Z"),
        story("s2", "l1", "l2"),
        story("s3", "l2", "l3", by="user:ben", at="2026-03-03T12:00:00Z"),
        response("r1", "l1", by="user:ben"),
        response("r2", "l1"),
        reaction("b1", "l1"),
        reaction("b1", "l2", by="user:ben"),
        media("m1", "l2"),
        event("story.viewed", {"story_id": "b1", "legacy_id": "l1"}),
    ]


# --- time


def test_tombstones_end_and_opt_outs_do_not(bench: Bench) -> None:
    """After 35 days a person may begin anew; who opted out stays so; marks and hidden acts are gone."""
    edited = story("s1", "l1", kind="updated", by="user:ben", at="2026-03-02T12:00:00Z")
    bench.deliver([story("s1", "l1"), edited, left(), opted_out(person="cleo")])
    bench.erase()
    bench.refresh()
    assert held(bench, "SELECT COUNT(*) FROM memory") == [(1,)]
    bench.erase(now=LATER)

    assert held(bench, "SELECT kind FROM tombstone") == [("optout",)]
    assert held(bench, "SELECT COUNT(*) FROM memory") == [(0,)]
    assert bench.deliver([story("s5", "l1")])["accepted"] == 1
    assert endings(bench.deliver([reaction("s5", "l1", by="user:cleo")])) == [
        (0, "ignored", "OPTED_OUT")
    ]
    bench.deliver([enabled(person="cleo", at="2026-03-01T13:00:00Z")])
    bench.erase(now=LATER)
    assert len(held(bench, "SELECT kind FROM tombstone WHERE kind = 'optout'")) == 0


def test_only_what_was_taken_back_later_is_free() -> None:
    """Whatever order the words come in, the latest opt-out and what follows it decide."""
    words = [("optout", 10), ("enabled", 20), ("optout", 30), ("enabled", 40), ("enabled", 5)]
    for order in itertools.permutations(words):
        tombs = Tombs()
        for kind, at in order:
            tombs.add(kind, b"p", at)
        assert [tombs.bound(b"p", at) for at in (1, 10, 25, 39, 40, 99)] == [True] * 4 + [False] * 2
        assert not tombs.opted_out(b"p")


# --- the log beside the database


def test_a_restored_copy_forgets_again(tmp_path: Path) -> None:
    """An older copy of the database replays the wishes it does not know, whomever they meant."""
    opened = SQLiteStore(tmp_path / "plugin.db")
    bench = Bench(opened)
    bench.deliver(
        [story("s1", "l1"), story("s2", "l2", by="user:ben"), story("s3", "l3", by="user:cleo")]
    )
    bench.deliver([story("s4", "l4", by="user:dan"), response("r1", "l4", by="user:dan")])
    bench.refresh()
    opened.scrub()
    (tmp_path / "away").mkdir()
    shutil.copy(tmp_path / "plugin.db", tmp_path / "away")
    wishes = [
        left(),
        event("legacy.deleted", {"legacy_id": "l2"}),
        revoked("l3"),
        opted_out(person="dan"),
    ]
    bench.deliver(wishes)
    bench.erase()
    opened.close()
    log = (tmp_path / NAME).read_text()
    for name in ("plugin.db-wal", "plugin.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "away/plugin.db", tmp_path)

    restored = Bench(SQLiteStore(tmp_path / "plugin.db"))
    assert restored.metrics() == {"stories": 4, "storytellers": 4, "responses": 1}
    assert replay(restored.store, restored.hashes, micros(NOW)) == 4
    restored.erase()
    restored.refresh()

    assert restored.metrics() == {"stories": 1, "responses": 1}
    assert traces_of(restored.store, restored.pseudonyms(TENANT, "user:ada")) == []
    assert restored.deliver([story("s9", "l3")])["results"][0]["code"] == "NO_GRANT"
    assert not any(name in log for name in ("ada", "ben", "l2", TENANT, "family"))
    assert replay(restored.store, restored.hashes, micros(NOW)) == 0
    restored.store.close()


def test_old_lines_are_dropped_but_for_opt_outs(tmp_path: Path) -> None:
    """After 42 days a line is gone; an opt-out that stands stays."""
    store = SQLiteStore(tmp_path / "plugin.db")
    bench = Bench(store)
    bench.deliver(
        [
            left(),
            opted_out(person="ben"),
            opted_out(person="cleo"),
            enabled(person="cleo", at="2026-04-01T00:00:00Z"),
        ]
    )
    replay(store, bench.hashes, micros(NOW + timedelta(days=43)))

    assert [each.kind for each in store.logged()] == ["optout"]
    assert [each.kind for each in ErasureLog(tmp_path / NAME).lines()] == ["optout"]
    store.close()


def test_a_torn_line_harms_nobody(tmp_path: Path) -> None:
    """What a crash left of the last line is skipped, and the next line begins on its own."""
    line = Logged("a1", "person", b"t" * 16, b"h" * 16, 1, 2, None)
    ErasureLog(tmp_path / NAME).append([line])
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"id":"b2","ki')
    ErasureLog(tmp_path / NAME).append([line._replace(id="c3")])

    assert [each.id for each in ErasureLog(tmp_path / NAME).lines()] == ["a1", "c3"]


def test_a_log_that_cannot_be_written_promises_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delivery is refused with 503, and nothing of it is stored."""

    def full(*_: Any) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreUnavailable):
        bench.deliver([left()])
    monkeypatch.undo()

    assert held(bench, "SELECT COUNT(*) FROM event") == [(0,)]
    assert bench.store.wishes() == []


def test_hashes_need_the_key() -> None:
    """Another key, tenant or person gives another name; two acts of one person bear no common seal."""
    hashes, other = Hashes(b"a" * 32), Hashes(b"b" * 32)
    names = {
        each.person(tenant, person)
        for each in (hashes, other)
        for tenant in ("x", "y")
        for person in (b"p", b"q")
    }

    assert len(names) == 8
    assert hashes.seal(b"p", "e1") != hashes.seal(b"p", "e2")


# --- what is held about me


async def forget_twice(bench: Bench) -> list[Any]:
    subject = bench.subject()
    return [await subject.forget(TENANT, "ada") for _ in range(2)]


def test_a_person_sees_and_takes_back_what_is_held(bench: Bench) -> None:
    """Counts by type, from when to when; after taking it back nothing, until they act again."""
    bench.deliver(
        [
            story("s1", "l1", "l2"),
            reaction("s1", "l1", at="2026-04-01T12:00:00Z"),
            story("s2", "l1", by="user:ben"),
        ]
    )
    bench.refresh()
    seen = bench.subject().held(TENANT, "ada").data
    first, second = asyncio.run(forget_twice(bench))
    bench.erase()
    bench.refresh()
    after = bench.subject().held(TENANT, "ada").data

    assert seen.events == {"story.created": 1, "story_reaction.toggled": 1}
    assert (seen.first, seen.last, seen.legacies) == (
        "2026-03-01T12:00:00.000Z",
        "2026-04-01T12:00:00.000Z",
        2,
    )
    assert seen.complete
    assert first == second
    assert (after.events, after.first, after.legacies, after.opted_out) == ({}, None, 0, False)
    assert [each.id for each in after.receipts] == [first.receipt_id]
    assert bench.metrics() == {"stories": 2, "storytellers": 1}
    assert bench.deliver([story("s9", "l1", at="2026-12-01T12:00:01Z")])["accepted"] == 1
    assert bench.subject().held(TENANT, "ada").data.events == {"story.created": 1}


def test_a_look_ends_when_the_time_is_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it says that it has not seen everything."""
    monkeypatch.setattr("plugin_analytics.services.me.time_left", lambda: 0.1)
    bench.deliver([story("s1", "l1")])

    assert not bench.subject().held(TENANT, "ada").data.complete
