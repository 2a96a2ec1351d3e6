"""One behaviour suite for every adapter of the store."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from mosaiclife_plugin_sdk import ServiceUnavailable
from plugin_analytics.model.calendar import Range
from plugin_analytics.model.events import Event, Ignored, Poison
from plugin_analytics.model.families.base import Fact
from plugin_analytics.model.reports import COUNTED
from plugin_analytics.model.rollup import DatedFact, Folded, Memory
from plugin_analytics.store import arrivals, codes, sqlite
from plugin_analytics.store.base import Batch, Ending, Health, Late, Outcome, Progress, Store

UTC = ZoneInfo("UTC")
DAY = date(2026, 3, 1)
NEXT_DAY = date(2026, 3, 2)
NOON = 1_772_366_400_000_000
DAY_LONG = 86_400 * 1_000_000
KOLKATA = ZoneInfo("Asia/Kolkata")
MOVED = Fact("l1", NOON, "hearts", 1)
SPAN = Range(date(2026, 1, 1), date(2027, 1, 1))


def an_event(name: str, content: bytes = b"c" * 8, at: int = NOON) -> Event:
    return Event(name.encode().ljust(16), content, name, "story.created", at, None, b"{}", ("l1",))


def poison(name: str) -> Poison:
    return Poison(name.encode().ljust(16), name, "story.created", "SCHEMA", "$", "odd")


def append(store: Store, *events: Event, tenant: str = "a") -> list[Outcome]:
    batch = Batch(tenant, 1, events)
    return store.append(batch, lambda outcomes, _: list(outcomes)).result()


def counted(store: Store, *facts: Fact, seq: int = 1, dropped: tuple[Fact, ...] = ()) -> None:
    """Fold facts in as one subject's, and count their days."""
    fold(store, *facts, seq=seq, dropped=dropped)
    store.recount("a", 100).result()


def fold(store: Store, *facts: Fact, seq: int = 1, dropped: tuple[Fact, ...] = ()) -> None:
    """Fold facts in as one subject's."""

    def dated(fact: Fact) -> DatedFact:
        return DatedFact(b"s" * 16, DAY, None if fact.until is None else DAY, fact)

    folded = Folded(
        [Memory(b"s" * 16, "story", NOON, b"\x90")],
        list(map(dated, dropped)),
        list(map(dated, facts)),
    )
    store.save_fold("a", folded, Progress(seq, 7, "UTC", "v1")).result()


def totals(
    store: Store, tenant: str = "a", legacy: str = "l1", span: Range = SPAN, zone: ZoneInfo = UTC
) -> dict[str, int]:
    cells = store.series(tenant, legacy, [span], zone, COUNTED)
    return {cell.metric: cell.value for cell in cells if cell.value}


def people(store: Store, tenant: str = "a", legacy: str = "l1") -> int:
    (number,) = store.storytellers(tenant, legacy, [SPAN], UTC)
    return number


@pytest.mark.parametrize("size", [1, 3, 4, 63, 256, 341, 700])
def test_batch_of_any_size_is_stored_whole(store: Store, size: int) -> None:
    """None of many events is left out, and those that are known are told one by one."""
    events = [an_event(f"e{number}") for number in range(size)]
    assert append(store, *events[::2]) == ["accepted"] * len(events[::2])

    outcomes = append(store, *events)

    assert outcomes[::2] == ["duplicate"] * len(events[::2])
    assert outcomes[1::2] == ["accepted"] * len(events[1::2])
    pending = store.pending("a", 0, 2 * size)
    assert pending is not None
    assert sorted(event.id for event in pending.events) == sorted(event.id for event in events)


def test_same_key_is_stored_once(store: Store) -> None:
    """The first wins; the same again is a duplicate, another content under its key a conflict."""
    assert append(store, an_event("e1"), an_event("e2")) == ["accepted", "accepted"]

    again = append(store, an_event("e1"), an_event("e3"), an_event("e2", b"x" * 8))

    assert again == ["duplicate", "accepted", "conflict"]
    pending = store.pending("a", 0, 10)
    assert pending is not None
    assert [event.id for event in pending.events] == ["e1", "e2", "e3"]


def test_only_what_is_folded_is_read(store: Store) -> None:
    """A look changes no count: it is passed over, and what comes after it is reached."""
    look = an_event("e2")._replace(type="story.viewed")
    append(store, an_event("e1"), look, an_event("e3"), look._replace(key=b"k" * 16))

    first, rest = store.pending("a", 0, 2), store.pending("a", 2, 9)
    assert first is not None
    assert ([each.id for each in first.events], first.number, first.seq) == (["e1"], 2, 2)
    assert rest is not None
    assert ([each.id for each in rest.events], rest.number, rest.seq) == (["e3"], 2, 4)
    assert store.pending("a", 4, 9) is None


def test_twins_in_one_batch(store: Store) -> None:
    """A batch that repeats itself stores one of each."""
    twins = append(store, an_event("e1"), an_event("e1"), an_event("e1", b"x" * 8))

    assert twins == ["accepted", "duplicate", "conflict"]


def test_tenants_do_not_see_each_other(store: Store) -> None:
    """The same key is another event in another tenant, and no reading crosses over."""
    assert append(store, an_event("e1")) == ["accepted"]
    assert append(store, an_event("e1"), tenant="b") == ["accepted"]
    counted(store, Fact("", NOON, "stories", 1, b"p" * 16))

    assert totals(store, "b", "") == {}
    assert people(store, "b", "") == 0
    assert store.memories("b", [b"s" * 16]) == {}
    assert store.freshness("b", "").watermark is None


def test_answer_stands_or_falls_with_the_events(store: Store) -> None:
    """When the answer cannot be written, nothing of the batch is there."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.append(Batch("a", 1, [an_event("e1")]), fail).result()

    assert store.pending("a", 0, 10) is None
    assert store.dirty_tenants() == []
    assert append(store, an_event("e1")) == ["accepted"]


def test_days_are_dirty_until_their_events_are_counted(store: Store) -> None:
    """An event that nobody has looked into may touch any legacy; a fold tells which it does."""
    gone, come = (Fact("l1", NOON, "stories", 1, dim=dim) for dim in ("manual", "prompt"))
    fold(store, gone, seq=0)
    append(store, an_event("e1"), an_event("e2", at=NOON + DAY_LONG))
    assert [store.freshness("a", scope).dirty_days for scope in ("", "l1", "l2")] == [2, 2, 2]
    assert store.dirty_tenants() == ["a"]

    fold(store, gone, come, seq=2)
    assert [store.freshness("a", scope).dirty_days for scope in ("", "l1", "l2")] == [0, 1, 0]
    assert store.dirty_tenants() == ["a"]

    assert store.recount("a", 100).result() == [("l1", DAY)]
    assert store.dirty_tenants() == []
    assert store.freshness("a", "l1").dirty_days == 0


@pytest.mark.parametrize("legacy", ["l1", ""])
def test_what_comes_is_counted_at_once(store: Store, legacy: str) -> None:
    """Nothing has to be counted again for it; what came before stays counted."""
    fold(store, Fact(legacy, NOON, "stories", 1, b"p" * 16))
    fold(store, Fact(legacy, NOON + 1, "stories", 1, b"p" * 16), Fact(legacy, NOON, "hearts", 1))

    assert store.recount("a", 100).result() == []
    assert (totals(store, legacy=legacy), people(store, legacy=legacy)) == (
        {"stories": 2, "hearts": 1},
        1,
    )


@pytest.mark.parametrize("legacy", ["l1", ""])
def test_what_goes_is_counted_down_at_once(store: Store, legacy: str) -> None:
    """Who told something else on that day is still there; who has not, and whose day, are gone."""
    first = Fact(legacy, NOON, "stories", 1, b"p" * 16)
    again = Fact(legacy, NOON + 1, "responses", 1, b"p" * 16)
    fold(store, first, again, Fact(legacy, NOON, "media", 1, b"q" * 16))

    fold(store, dropped=(first,))
    assert totals(store, legacy=legacy) == {"responses": 1, "media": 1}
    assert people(store, legacy=legacy) == 2
    fold(store, dropped=(again,))
    assert people(store, legacy=legacy) == 1
    fold(store, dropped=(Fact(legacy, NOON, "media", 1, b"q" * 16),))

    assert store.recount("a", 100).result() == []
    assert (totals(store, legacy=legacy), people(store, legacy=legacy)) == ({}, 0)
    assert store.first_day("a", legacy, UTC) is None


def test_what_is_gone_already_is_not_taken_twice(store: Store) -> None:
    """A fold that drops a fact which nobody finds leaves the day to the facts."""
    fact = Fact("l1", NOON, "stories", 1)
    fold(store, fact)
    fold(store, dropped=(fact,))
    fold(store, dropped=(fact,))

    assert store.recount("a", 100).result() == [("l1", DAY)]
    assert totals(store) == {}


def test_a_fact_that_stands_already_is_not_counted_twice(store: Store) -> None:
    """What a fold takes for new, and the table knows, is counted again from the facts."""
    fold(store, Fact("l1", NOON, "stories", 1), Fact("l1", NOON, "hearts", 1))
    fold(store, Fact("l1", NOON, "stories", 1), Fact("l1", NOON, "smiles", 1))

    assert store.recount("a", 100).result() == [("l1", DAY)]
    assert totals(store) == {"stories": 1, "hearts": 1, "smiles": 1}


def test_day_stays_dirty_for_an_event_that_came_later(store: Store) -> None:
    """Counting what is folded does not hide what is not."""
    append(store, an_event("e1"))
    append(store, an_event("e2"))

    counted(store, Fact("l1", NOON, "stories", 1), seq=1)

    assert store.freshness("a", "").dirty_days == 1


def test_duplicate_dirties_nothing(store: Store) -> None:
    """A redelivery does not make the counts look behind."""
    append(store, an_event("e1"))
    counted(store, seq=1)

    append(store, an_event("e1"))

    assert store.dirty_tenants() == []


def test_counts_follow_added_and_dropped_facts(store: Store) -> None:
    """A day's count is the sum of its facts at every moment."""
    story = Fact("l1", NOON, "stories", 1, b"p" * 16)
    counted(store, story)
    assert totals(store) == {"stories": 1}
    assert people(store) == 1
    assert store.first_day("a", "l1", UTC) == DAY

    counted(store, dropped=(story,))

    assert totals(store) == {}
    assert people(store) == 0
    assert store.first_day("a", "l1", UTC) is None


def test_fact_that_replaces_itself_counts_once(store: Store) -> None:
    """A fact whose end or author changes is dropped and added in one step."""
    fact = Fact("l1", NOON, "stories", 1)
    counted(store, fact)

    counted(store, fact, dropped=(fact,))

    assert totals(store) == {"stories": 1}


def test_ranges_include_their_first_day_only(store: Store) -> None:
    """A range is half open."""
    counted(store, Fact("l1", NOON, "stories", 1, b"p" * 16))
    before, on, after = (
        Range(date(2026, 2, 1), DAY),
        Range(DAY, date(2026, 3, 2)),
        Range(date(2026, 3, 2), date(2026, 4, 1)),
    )

    assert [totals(store, span=span) for span in (before, on, after)] == [
        {},
        {"stories": 1},
        {},
    ]


def test_another_zone_counts_to_the_instant(store: Store) -> None:
    """Reading in a zone that the rollups do not follow gives that zone's days."""
    late = NOON + 8 * 3_600_000_000  # 20:00 UTC: the next day in Kolkata
    counted(store, Fact("l1", late, "stories", 1, b"p" * 16))
    kolkata, next_day = ZoneInfo("Asia/Kolkata"), date(2026, 3, 2)

    days = [Range(DAY, next_day), Range(next_day, date(2026, 3, 3))]

    (cell,) = store.series("a", "l1", days, kolkata, ["stories"])

    assert (cell.slot, cell.value) == (1, 1)
    assert store.storytellers("a", "l1", days, kolkata) == [0, 1]
    assert store.first_day("a", "l1", kolkata) == next_day


def test_beginning_again_keeps_the_counts_until_the_new_ones_are_there(store: Store) -> None:
    """While everything is made anew, reports show what they showed before, and say so."""
    append(store, an_event("e1"))
    counted(store, Fact("l1", NOON, "stories", 1))
    assert store.tenants_counted_otherwise("Asia/Kolkata", "v1") == ["a"]

    store.begin_again("a", "Asia/Kolkata", "v1").result()

    def refold(memories: Sequence[Memory]) -> Folded:
        dated = [DatedFact(memory.subject, NEXT_DAY, None, MOVED) for memory in memories]
        return Folded(added=dated)

    seen = []
    while store.rebuild("a", 1, refold).result():
        seen.append((totals(store), store.freshness("a", "l1").dirty_days))
        assert store.dirty_tenants() == ["a"]
    assert seen == [({"stories": 1}, 1)] * 3
    assert sorted(store.recount("a", 100).result()) == [("l1", DAY), ("l1", NEXT_DAY)]

    assert totals(store, zone=KOLKATA) == {"hearts": 1}
    assert store.dirty_tenants() == []
    assert store.tenants_counted_otherwise("Asia/Kolkata", "v1") == []
    assert store.rebuild("a", 1, refold).result() is False


def test_what_came_in_is_told_by_how_it_ended(store: Store) -> None:
    """Every outcome is counted by source, type and reason, and how late the accepted came."""
    append(store, an_event("e1"), an_event("e1"), an_event("e2"))
    ignored = [Ignored("x", f"odd.type_{number}") for number in range(codes.MAX_STRANGERS + 5)]
    batch = Batch("a", NOON + 3_000_000, [an_event("e3")], [poison("p1")], ignored)
    store.append(batch, lambda *_: None).result()

    health = store.health("a", Range(DAY, NEXT_DAY))
    before = store.health("a", Range(date(1970, 1, 1), date(1970, 1, 2)))

    assert Ending("core", "story.created", "accepted") in health.endings
    assert Ending("core", "story.created", "quarantined", "SCHEMA") in health.endings
    assert Ending("core", "other", "ignored", "", 5) in health.endings
    assert health.lateness == [Late(bucket=2, number=1, worst=3)]
    assert sorted(ending.number for ending in before.endings) == [1, 2]
    assert store.health("b", SPAN) == Health([], [])


def test_snapshot_is_of_one_moment(store: Store) -> None:
    """What is counted while a report is read does not tear it; the next report sees it."""
    story = Fact("l1", NOON, "stories", 1, b"p" * 16)
    with store.snapshot():
        assert totals(store) == {}
        counted(store, story)
        assert people(store) == 0
        assert store.freshness("a", "l1").watermark is None

    assert people(store) == 1


def test_snapshot_ends_with_an_error_inside(store: Store) -> None:
    """A report that fails leaves nothing open for the next one of its thread."""
    with pytest.raises(ZeroDivisionError), store.snapshot():
        raise ZeroDivisionError
    counted(store, Fact("l1", NOON, "stories", 1))

    assert totals(store) == {"stories": 1}


def test_poison_is_kept_once(store: Store) -> None:
    """Poison that comes again takes no second place."""
    for _ in range(2):
        batch = Batch("a", 1, [], [poison("p1"), poison("p2")])
        store.append(batch, lambda *_: None).result()


def test_full_quarantine_keeps_the_batch_with_its_sender(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where poison has no room, nothing of the batch is taken, and the answer is 503."""
    monkeypatch.setattr(arrivals, "QUARANTINE_ROWS", 1)
    batch = Batch("a", 1, [an_event("e1")], [poison("p1"), poison("p2")])

    with pytest.raises(ServiceUnavailable) as refused:
        store.append(batch, lambda *_: None).result()

    assert "Retry-After" in refused.value.headers
    assert store.pending("a", 0, 10) is None


def test_setting_is_settled_once(store: Store) -> None:
    """The first value of a name stands."""
    assert store.setting("x") is None
    assert store.settle("x", b"1") == b"1"
    assert store.settle("x", b"2") == b"1"


def test_arrivals_go_on_after_a_restart(store: Store) -> None:
    """A store that is opened again numbers on where it was."""
    append(store, an_event("e1"), an_event("e2"))
    assert isinstance(store, sqlite.SQLiteStore)
    path = store.path
    store.close()

    again = sqlite.SQLiteStore(path)
    try:
        append(again, an_event("e3"))
        pending = again.pending("a", 2, 10)
    finally:
        again.close()

    assert pending is not None
    assert [event.id for event in pending.events] == ["e3"]


def test_closed_store_refuses_politely(store: Store) -> None:
    """After closing, a late delivery is told to come again."""
    store.close()

    with pytest.raises(ServiceUnavailable):
        append(store, an_event("e1"))
