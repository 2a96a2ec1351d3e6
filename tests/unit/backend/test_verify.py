"""Verification: counts that are true pass, and any that are not are found and mended."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mosaiclife_devcore.generator import TELLING, Profile
from plugin_analytics.model.rollup import Folded
from plugin_analytics.services import verify
from plugin_analytics.services.retention import Purge
from plugin_analytics.services.verify import Found, Verify
from plugin_analytics.store.writer import Session
from tests.support.events import TENANT, event, media, reaction, response, story
from tests.support.golden import ROUGH, deliver, stream
from tests.unit.backend.conftest import NOW, Bench


class Watch:
    """The job over a bench, and what it has told."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.told: list[int] = []
        self.job = Verify(bench.store, lambda: NOW, drifted=self.told.append)

    def __call__(self, cancelled: Callable[[], bool] = lambda: False) -> Found:
        return self.job(cancelled, lambda *_: None)

    def spoil(self, *statements: str) -> None:
        """Change the database behind everybody's back."""

        def work(session: Session) -> None:
            for statement in statements:
                assert session.driver.execute(statement).rowcount > 0, statement

        self.bench.store._writer.submit(work).result()


@pytest.fixture
def watch(bench: Bench) -> Watch:
    """Return the job over counts that are true."""
    bench.deliver(
        [
            story("s1", "l1", "l2", at="2026-11-30T12:00:00Z"),
            story("s2", "l1", at="2026-03-02T12:00:00Z", by="user:ben"),
            event("story.deleted", {"story_id": "s2"}, at="2026-05-02T12:00:00Z"),
            response("r1", "l1", by="user:ben", at="2026-06-02T12:00:00Z"),
            media("m1", "l2", at="2026-06-03T12:00:00Z"),
            reaction("s1", "l1", at="2026-11-29T12:00:00Z"),
        ]
    )
    bench.refresh()
    return Watch(bench)


@pytest.mark.parametrize("purged", [False, True])
@pytest.mark.parametrize("zone", ["UTC", "America/Santiago"])
def test_true_counts_are_found_true(
    new_bench: Callable[..., Bench], zone: str, purged: bool
) -> None:
    """Whatever came in, in whatever order, and whatever was forgotten since: nothing differs."""
    bench = new_bench(ZoneInfo(zone))
    deliver(bench, stream(21, faults=ROUGH, profile=Profile("tiny", 500, 8, 3, 400, TELLING)))
    if purged:
        Purge(bench.store, lambda: NOW)(lambda: False, lambda *_: None)
        deliver(bench, stream(22, profile=Profile("tiny", 200, 8, 3, 400, TELLING)))

    found = Watch(bench)()

    assert (found.drift, found.drifts, found.tenants, found.skipped) == (0, [], 1, 0)
    assert found.days >= verify.LEAST
    assert found.events > 5


SPOILED = {
    "a count": ["UPDATE rollup SET value = value + 1 WHERE grain = 0 AND legacy = 1"],
    "a count that is missing": ["DELETE FROM rollup WHERE grain = 0 AND legacy = 2"],
    "a month": ["UPDATE rollup SET value = 7 WHERE grain = 1 AND dim > 0"],
    "when a telling ended": ["UPDATE told SET until = 1 WHERE until > 0"],
    "a storyteller": ["DELETE FROM told WHERE legacy = 1"],
    "a storyteller of the tenant": ["UPDATE told SET people = x'07' WHERE legacy = 0"],
    "a name": ["DELETE FROM voice WHERE legacy = 1"],
    "two names": ["UPDATE voice SET number = 9 - number WHERE legacy = 1"],
    "a fact": ["UPDATE fact SET delta = 2 WHERE legacy = 1"],
    "a frozen count": [
        "INSERT INTO frozen SELECT tenant, legacy, day, metric, dim, 3 FROM fact LIMIT 1"
    ],
    "a fact and its count": [
        "DELETE FROM fact WHERE legacy = 2",
        "DELETE FROM rollup WHERE legacy = 2",
        "DELETE FROM told WHERE legacy = 2",
    ],
    "a memory": ["DELETE FROM memory"],
}


@pytest.mark.parametrize("statements", SPOILED.values(), ids=SPOILED.keys())
def test_what_is_not_true_is_found(watch: Watch, statements: Sequence[str]) -> None:
    """Every table that a report reads is held against the events."""
    assert watch().drift == 0
    watch.spoil(*statements)

    found = watch()

    assert found.drift > 0
    assert watch.told == [found.drift]
    assert watch.job.drift == found.drift
    assert "rollup.rebuild" in found.remedy


@pytest.mark.parametrize(
    "what", ["a count", "a month", "when a telling ended", "a storyteller", "a name"]
)
def test_the_next_refresh_mends_counts(watch: Watch, what: str) -> None:
    """Days that differ are counted again, and the next run says that all is well."""
    before = watch.bench.metrics("l1")
    watch.spoil(*SPOILED[what])
    drift = watch().drift

    stored = watch.bench.store.verification(TENANT)
    assert stored is not None
    assert stored.drift == drift
    watch.bench.refresh()
    found = watch()

    assert (found.drift, found.remedy, watch.job.drift) == (0, "", 0)
    assert watch.bench.metrics("l1") == before


def test_a_lost_fact_wants_a_rebuild(watch: Watch) -> None:
    """Counting again does not help where a fact is gone; making all anew does."""
    watch.spoil(*SPOILED["a fact and its count"])
    assert watch().drift
    watch.bench.refresh()
    assert watch().drift

    watch.bench.store.begin_again(TENANT, "UTC", "v1").result()
    watch.bench.refresh()

    assert watch().drift == 0


def test_a_day_that_differed_is_looked_at_until_it_agrees(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lucky sample clears a day that is still wrong, nor does one that waits to be counted."""
    watch.spoil("UPDATE rollup SET value = 9 WHERE grain = 0 AND dim > 0")
    drift = watch().drift
    monkeypatch.setattr(verify, "LEAST", 0)
    monkeypatch.setattr(verify, "RECENT", timedelta(days=-1))

    assert watch().drift == drift

    watch.bench.refresh()
    assert watch().drift == 0


def test_a_restart_knows_of_the_drift(watch: Watch) -> None:
    """What was found is kept in the database."""
    watch.spoil(*SPOILED["a count"])
    drift = watch().drift

    assert Watch(watch.bench).job.drift == drift


def test_what_is_being_counted_is_no_drift(watch: Watch) -> None:
    """Days that wait, events that nobody has folded, and a rebuild are not compared."""
    watch.bench.deliver([story("s9", "l1", at="2026-11-30T13:00:00Z")])
    assert watch().drift == 0
    watch.bench.store.begin_again(TENANT, "UTC", "v1").result()
    watch.bench.store.rebuild(TENANT, 1, lambda _: Folded()).result()

    found = watch()

    assert (found.drift, found.skipped) == (0, 1)


def test_looking_gives_way_to_deliveries(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody waits for the disk, each day that was looked at is followed by a rest."""
    rests: list[float] = []
    monkeypatch.setattr("plugin_analytics.services.pace.time.sleep", rests.append)
    watch()
    assert rests == []

    monkeypatch.setattr(watch.bench.store, "waiting", lambda: 1)
    found = watch()

    assert len(rests) > found.days > 0
    assert found.drift == 0


def test_a_run_that_is_stopped_changes_nothing(watch: Watch) -> None:
    """Half a look is no look: what was known before stands."""
    watch.spoil(*SPOILED["a count"])
    steps = itertools.count()

    found = watch(lambda: next(steps) > 2)

    assert (found.drift, found.skipped) == (0, 1)
    assert watch.bench.store.verification(TENANT) is None
    assert watch.told == []


def test_results_name_no_legacy(watch: Watch) -> None:
    """Day and kind of the difference are told, and never whose it is."""
    watch.spoil("UPDATE rollup SET value = 9 WHERE grain = 0")

    found = watch()

    assert all(set(drift.__struct_fields__) == {"day", "what"} for drift in found.drifts)
    assert 0 < len(found.drifts) <= verify.SHOWN


def test_yesterdays_days_are_always_looked_at(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what arrived within a day, every touched day is worked out anew."""
    monkeypatch.setattr(verify, "LEAST", 0)
    monkeypatch.setattr(verify, "SHARE", 10**6)

    assert watch().days == 13


def test_long_histories_are_read_in_windows(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement reads all arrivals, and every one is looked at once."""
    whole = watch().events
    monkeypatch.setattr(verify, "ARRIVALS", 2)

    assert watch().events == whole == 6


@pytest.mark.parametrize("forgotten_first", [False, True])
def test_what_was_erased_is_no_drift(
    new_bench: Callable[..., Bench], forgotten_first: bool
) -> None:
    """Who has left, and a legacy that is gone, leave counts that agree; a wish waits its turn."""
    bench = new_bench()
    events = stream(23, profile=Profile("tiny", 400, 8, 3, 400, TELLING))
    deliver(bench, events)
    if forgotten_first:
        Purge(bench.store, lambda: NOW)(lambda: False, lambda *_: None)
    people = sorted({one["actor_id"] for one in events if one["actor_id"]})
    gone = [event("user.deleted", {}, by=person) for person in people[:3]]
    bench.deliver([*gone, event("legacy.deleted", {"legacy_id": legacy_of(events)})])
    assert Watch(bench)().skipped == 1

    bench.erase()
    bench.refresh()

    found = Watch(bench)()
    assert (found.drift, found.drifts, found.skipped) == (0, [], 0)
    assert found.events > 5


def legacy_of(events: Sequence[Mapping[str, Any]]) -> str:
    """Return a legacy that some story names."""
    return next(
        str(one["payload"]["legacy_ids"][0]) for one in events if one["type"] == "story.created"
    )
