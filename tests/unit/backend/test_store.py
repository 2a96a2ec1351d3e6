"""One behaviour suite for every adapter of the store."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from mosaiclife_plugin_sdk import ServiceUnavailable
from plugin_analytics.model.calendar import Range
from plugin_analytics.model.events import Event, Poison
from plugin_analytics.model.families.base import Fact
from plugin_analytics.model.rollup import DatedFact, Folded, Memory
from plugin_analytics.store import arrivals, sqlite
from plugin_analytics.store.base import Batch, Outcome, Progress, Store

UTC = ZoneInfo("UTC")
DAY = date(2026, 3, 1)
NOON = 1_772_366_400_000_000
SPAN = Range(date(2026, 1, 1), date(2027, 1, 1))


def an_event(name: str, content: bytes = b"c" * 16, legacies: tuple[str, ...] = ("l1",)) -> Event:
    return Event(name.encode().ljust(16), content, name, "t", NOON, None, b"{}", legacies)


def poison(name: str) -> Poison:
    return Poison(name.encode().ljust(16), name, "t", "SCHEMA", "$", "odd")


def append(store: Store, *events: Event, tenant: str = "a") -> list[Outcome]:
    batch = Batch(tenant, 1, events, [DAY] * len(events))
    return store.append(batch, lambda outcomes, _: list(outcomes)).result()


def counted(
    store: Store, *facts: Fact, seq: int = 1, tenant: str = "a", dropped: tuple[Fact, ...] = ()
) -> None:
    """Fold facts in as one subject's, and count their days."""

    def dated(fact: Fact) -> DatedFact:
        return DatedFact(b"s" * 16, DAY, None if fact.until is None else DAY, fact)

    folded = Folded(
        [Memory(b"s" * 16, "story", b"acts")], list(map(dated, dropped)), list(map(dated, facts))
    )
    store.save_fold(tenant, folded, Progress(seq, 7, "UTC", "v1")).result()
    store.recount(tenant, 100).result()


def test_same_key_is_stored_once(store: Store) -> None:
    """The first wins; the same again is a duplicate, another content under its key a conflict."""
    assert append(store, an_event("e1"), an_event("e2")) == ["accepted", "accepted"]

    again = append(store, an_event("e1"), an_event("e3"), an_event("e2", b"x" * 16))

    assert again == ["duplicate", "accepted", "conflict"]
    pending = store.pending("a", 0, 10)
    assert pending is not None
    assert [event.id for event in pending.events] == ["e1", "e2", "e3"]


def test_twins_in_one_batch(store: Store) -> None:
    """A batch that repeats itself stores one of each."""
    twins = append(store, an_event("e1"), an_event("e1"), an_event("e1", b"x" * 16))

    assert twins == ["accepted", "duplicate", "conflict"]


def test_tenants_do_not_see_each_other(store: Store) -> None:
    """The same key is another event in another tenant, and no reading crosses over."""
    assert append(store, an_event("e1")) == ["accepted"]
    assert append(store, an_event("e1"), tenant="b") == ["accepted"]
    counted(store, Fact("", NOON, "stories", 1, b"p" * 16))

    assert store.totals("b", "", SPAN, UTC) == {}
    assert store.storytellers("b", "", SPAN, UTC) == 0
    assert store.memories("b", [b"s" * 16]) == {}
    assert store.freshness("b", "").watermark is None


def test_answer_stands_or_falls_with_the_events(store: Store) -> None:
    """When the answer cannot be written, nothing of the batch is there."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.append(Batch("a", 1, [an_event("e1")], [DAY]), fail).result()

    assert store.pending("a", 0, 10) is None
    assert store.dirty_tenants() == []
    assert append(store, an_event("e1")) == ["accepted"]


def test_days_are_dirty_until_their_events_are_counted(store: Store) -> None:
    """An event marks its day in each of its legacies and in the tenant."""
    append(store, an_event("e1", legacies=("l1", "l2")))
    assert [store.freshness("a", scope).dirty_days for scope in ("", "l1", "l2", "l3")] == [
        1,
        1,
        1,
        0,
    ]

    assert store.recount("a", 100).result() == []
    counted(store, Fact("l1", NOON, "stories", 1))

    assert store.dirty_tenants() == []
    assert store.freshness("a", "l2").dirty_days == 0


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
    assert store.totals("a", "l1", SPAN, UTC) == {"stories": 1}
    assert store.storytellers("a", "l1", SPAN, UTC) == 1
    assert store.first_day("a", "l1", UTC) == DAY

    counted(store, dropped=(story,))

    assert store.totals("a", "l1", SPAN, UTC) == {}
    assert store.storytellers("a", "l1", SPAN, UTC) == 0
    assert store.first_day("a", "l1", UTC) is None


def test_fact_that_replaces_itself_counts_once(store: Store) -> None:
    """A fact whose end or author changes is dropped and added in one step."""
    fact = Fact("l1", NOON, "stories", 1)
    counted(store, fact)

    counted(store, fact, dropped=(fact,))

    assert store.totals("a", "l1", SPAN, UTC) == {"stories": 1}


def test_ranges_include_their_first_day_only(store: Store) -> None:
    """A range is half open."""
    counted(store, Fact("l1", NOON, "stories", 1, b"p" * 16))
    before, on, after = (
        Range(date(2026, 2, 1), DAY),
        Range(DAY, date(2026, 3, 2)),
        Range(date(2026, 3, 2), date(2026, 4, 1)),
    )

    assert [store.totals("a", "l1", span, UTC) for span in (before, on, after)] == [
        {},
        {"stories": 1},
        {},
    ]


def test_another_zone_counts_to_the_instant(store: Store) -> None:
    """Reading in a zone that the rollups do not follow gives that zone's days."""
    late = NOON + 8 * 3_600_000_000  # 20:00 UTC: the next day in Kolkata
    counted(store, Fact("l1", late, "stories", 1, b"p" * 16))
    kolkata, next_day = ZoneInfo("Asia/Kolkata"), date(2026, 3, 2)

    (count,) = store.daily("a", "l1", SPAN, kolkata, ["stories"])
    (telling,) = store.tellings("a", "l1", SPAN, kolkata)

    assert (count.day, telling.day) == (next_day, next_day)
    assert store.first_day("a", "l1", kolkata) == next_day
    assert store.totals("a", "l1", Range(DAY, next_day), kolkata) == {}


def test_beginning_again_drops_counts_and_keeps_events(store: Store) -> None:
    """Counts can always be made again from the events."""
    append(store, an_event("e1"))
    counted(store, Fact("l1", NOON, "stories", 1))
    assert store.tenants_counted_otherwise("Asia/Kolkata", "v1") == ["a"]

    store.begin_again("a", "Asia/Kolkata", "v1").result()

    assert store.totals("a", "l1", SPAN, UTC) == {}
    assert store.pending("a", 0, 10) is not None
    assert store.tenants_counted_otherwise("Asia/Kolkata", "v1") == []


def test_snapshot_is_of_one_moment(store: Store) -> None:
    """What is counted while a report is read does not tear it; the next report sees it."""
    story = Fact("l1", NOON, "stories", 1, b"p" * 16)
    with store.snapshot():
        assert store.totals("a", "l1", SPAN, UTC) == {}
        counted(store, story)
        assert store.storytellers("a", "l1", SPAN, UTC) == 0
        assert store.freshness("a", "l1").watermark is None

    assert store.storytellers("a", "l1", SPAN, UTC) == 1


def test_snapshot_ends_with_an_error_inside(store: Store) -> None:
    """A report that fails leaves nothing open for the next one of its thread."""
    with pytest.raises(ZeroDivisionError), store.snapshot():
        raise ZeroDivisionError
    counted(store, Fact("l1", NOON, "stories", 1))

    assert store.totals("a", "l1", SPAN, UTC) == {"stories": 1}


def test_poison_is_kept_once(store: Store) -> None:
    """Poison that comes again takes no second place."""
    for _ in range(2):
        batch = Batch("a", 1, [], [], [poison("p1"), poison("p2")])
        store.append(batch, lambda *_: None).result()


def test_full_quarantine_keeps_the_batch_with_its_sender(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where poison has no room, nothing of the batch is taken, and the answer is 503."""
    monkeypatch.setattr(arrivals, "QUARANTINE_ROWS", 1)
    batch = Batch("a", 1, [an_event("e1")], [DAY], [poison("p1"), poison("p2")])

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
