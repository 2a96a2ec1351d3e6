"""Forgetting in time: what is too old goes, and no number changes by it."""

import itertools
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaiclife_devcore.generator import TELLING, Profile
from plugin_analytics.model.calendar import Period, Range
from plugin_analytics.services import retention
from plugin_analytics.services.provide import Window
from plugin_analytics.services.retention import Purge
from plugin_analytics.store import purging
from plugin_analytics.store.writer import Session
from tests.support.events import TENANT, event, granted, reaction, story
from tests.support.golden import ROUGH, deliver, engine_timeseries, reports, stream
from tests.unit.backend.conftest import NOW, Bench

ZONES = ("UTC", "America/Santiago", "Pacific/Apia")
RECENT = {"from": "2026-09-06", "to": "2026-12-02", "interval": "day"}
_fresh = itertools.count()


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def old(envelope: dict[str, Any]) -> dict[str, Any]:
    """Return an event as one of a history that is handed over on purpose."""
    return {**envelope, "source": "backfill"}


def purge(bench: Bench, *, now: datetime = NOW, **other: Any) -> dict[str, int]:
    """Run the job to its end."""
    job = Purge(bench.store, lambda: now, sleep=lambda _: None, **other)
    return job(lambda: False, lambda *_: None)


def rows(bench: Bench, query: str) -> list[Any]:
    """Return what the database itself says."""

    def work(session: Session) -> list[Any]:
        with closing(session.driver.execute(query)) as cursor:
            return cursor.fetchall()

    return bench.store._writer.submit(work).result()


def test_a_reaction_leaves_its_number(bench: Bench) -> None:
    """After ninety days nobody knows who put the heart; the hearts of its day are as they were."""
    bench.deliver([reaction("s1", "l1", at=ago(91)), reaction("s2", "l1", at=ago(89))])
    bench.refresh()
    before = bench.metrics("l1"), bench.metrics("")

    done = purge(bench)

    assert (done["subjects"], done["events"], done["waiting"]) == (1, 1, 0)
    assert (bench.metrics("l1"), bench.metrics("")) == before
    assert before[0]["hearts"] == 2
    assert rows(bench, "SELECT COUNT(*) FROM memory") == [(1,)]
    assert rows(bench, "SELECT value, COUNT(*) FROM frozen GROUP BY value") == [(1, 2)]
    assert purge(bench) == dict.fromkeys(done, 0)


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("legacy.viewed", 30),
        ("favorite.toggled", 30),
        ("invitation.created", 90),
        ("member.left", 90),
        ("story_reaction.toggled", 90),
        ("story.created", 400),
        ("plugin_permission.granted", 400),
    ],
)
def test_raw_events_go_by_their_class(bench: Bench, kind: str, days: int) -> None:
    """What was watched stays a month, who came and went a season, all else thirteen months."""
    payload = {
        "legacy_id": "l1",
        "legacy_ids": ["l1"],
        "story_id": "s1",
        "reaction_type": "heart",
        "reacted": True,
        "invitation_id": "i1",
        "entity_type": "story",
        "entity_id": "s1",
        "favorited": True,
    }
    bench.deliver([granted("l1", at=ago(1))])
    for offset in (-0.1, 0.1):
        bench.deliver([old(event(kind, payload, at=ago(days + offset)))])
    bench.refresh()
    assert rows(bench, "SELECT COUNT(*) FROM event") == [(3,)]

    assert purge(bench)["events"] == 1
    assert rows(bench, "SELECT COUNT(*) FROM event") == [(2,)]


def test_stories_are_remembered_while_they_exist(bench: Bench) -> None:
    """A deletion finds its story however long ago it was told, and counts it out."""
    bench.deliver([old(story("s1", "l1", at=ago(1200)))])
    bench.refresh()
    assert purge(bench)["events"] == 1

    bench.deliver([event("story.deleted", {"story_id": "s1"}, at=ago(1))])
    bench.refresh()

    assert bench.metrics("l1") == {}


def test_what_has_not_been_counted_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes that no fold has seen; what is fleeting waits for events of its kind."""
    monkeypatch.setattr(retention, "WAITS", 2)
    bench.deliver([reaction("s1", "l1", at=ago(100))])
    assert purge(bench)["events"] == 0
    bench.refresh()
    bench.deliver([reaction("s1", "l1", at=ago(1), reacted=False)])

    assert purge(bench)["waiting"] == 1
    bench.refresh()

    assert bench.metrics("l1") == {}
    assert purge(bench)["subjects"] == 0


def test_nothing_is_frozen_while_all_is_made_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts that are not there yet would be lost."""
    monkeypatch.setattr(retention, "WAITS", 2)
    bench.deliver([reaction("s1", "l1", at=ago(100))])
    bench.refresh()
    bench.store.begin_again(TENANT, "UTC", "v1").result()

    assert purge(bench)["waiting"] == 1
    bench.refresh()
    assert purge(bench)["subjects"] == 1
    assert bench.metrics("l1") == {"hearts": 1}


def test_late_news_of_the_forgotten_change_nothing(bench: Bench) -> None:
    """A heart whose putting on is forgotten stays counted; what is older than that is not counted."""
    bench.deliver([reaction("s1", "l1", at=ago(100), id="e1")])
    bench.refresh()
    purge(bench)

    again = bench.deliver([reaction("s1", "l1", at=ago(100), id="e1")])
    bench.deliver([reaction("s1", "l1", at=ago(1), reacted=False)])
    bench.deliver([reaction("s9", "l1", at=ago(95))])
    bench.refresh()

    assert again["accepted"] == 1  # its key is gone with it
    assert bench.metrics("l1") == {"hearts": 1}


def test_history_comes_in_before_anything_was_forgotten(bench: Bench) -> None:
    """Until the first purge has found something, reactions of any age count."""
    assert purge(bench)["subjects"] == 0
    bench.deliver([old(reaction("s1", "l1", at=ago(1000)))])
    bench.refresh()

    assert bench.metrics("l1") == {"hearts": 1}
    assert purge(bench)["subjects"] == 1
    assert bench.metrics("l1") == {"hearts": 1}


def test_counts_of_ten_years_and_not_more(bench: Bench) -> None:
    """Whole years go, with all that was counted for them; the first that stays is whole."""
    first = date(NOW.year - 10, 1, 1)
    bench.deliver(
        [
            old(story("s1", "l1", at=f"{first - timedelta(days=9)}T12:00:00Z")),
            old(story("s2", "l1", at=f"{first}T12:00:00Z")),
            old(reaction("s2", "l1", at=f"{first - timedelta(days=9)}T12:00:00Z")),
        ]
    )
    bench.refresh()
    assert bench.metrics("l1") == {"stories": 2, "storytellers": 1, "hearts": 1}

    assert purge(bench)["counts"] > 0

    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1}
    for table in ("rollup", "told", "fact", "frozen"):
        day = "start" if table == "rollup" else "day"
        assert rows(bench, f"SELECT COUNT(*) FROM {table} WHERE {day} < {first.toordinal()}") == [
            (0,)
        ]
    assert bench.store.first_day(TENANT, "l1", ZoneInfo("UTC")) == first


def test_the_week_of_a_new_year_stays_whole(bench: Bench) -> None:
    """A week that reaches over the edge keeps its people."""
    first = date(NOW.year - 10, 1, 1)
    bench.deliver([old(story("s1", "l1", at=f"{first}T12:00:00Z"))])
    bench.refresh()
    week = Range(
        first - timedelta(days=first.weekday()), first + timedelta(days=7 - first.weekday())
    )

    purge(bench)

    assert week.start < first
    assert bench.store.storytellers(TENANT, "l1", [week], ZoneInfo("UTC")) == [1]


def test_notes_on_arrivals_go_after_400_days(bench: Bench) -> None:
    """How events ended, and how late they came, is known for as long as they are."""
    bench.deliver([story("s1", "l1")])

    kept = purge(bench, now=NOW + timedelta(days=400))
    gone = purge(bench, now=NOW + timedelta(days=401))

    assert (kept["intake"], gone["intake"]) == (0, 2)
    assert rows(bench, "SELECT COUNT(*) FROM intake") == [(0,)]


def test_a_leaping_clock_purges_nothing(bench: Bench) -> None:
    """A clock that goes wrong makes everything old; nothing goes until it is trusted again."""
    bench.deliver([reaction("s1", "l1", at=ago(1))])
    bench.refresh()
    times = iter([NOW, NOW + timedelta(days=5000), NOW + timedelta(days=5000)])
    job = Purge(bench.store, lambda: next(times))

    assert job(lambda: False, lambda *_: None)["events"] == 0
    assert rows(bench, "SELECT COUNT(*) FROM event") == [(1,)]


def test_a_run_that_is_stopped_is_finished_by_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled between two pieces, it has changed no report; the next run takes the rest."""
    monkeypatch.setattr(retention, "SUBJECTS", 3)
    monkeypatch.setattr(retention, "ROWS", 4)
    bench.deliver([reaction(f"s{n}", "l1", at=ago(100)) for n in range(20)])
    bench.refresh()
    left = itertools.count(6, -1)

    stopped = Purge(bench.store, lambda: NOW)(lambda: next(left) <= 0, lambda *_: None)

    assert 0 < stopped["subjects"] < 20
    assert bench.metrics("l1") == {"hearts": 20}
    rest = purge(bench)
    assert stopped["subjects"] + rest["subjects"] == 20
    assert stopped["events"] + rest["events"] == 20
    assert bench.metrics("l1") == {"hearts": 20}


def test_progress_is_told_by_tenants(bench: Bench) -> None:
    """It tells how many tenants are done."""
    bench.deliver([story("s1", "l1")])
    told: list[tuple[int, int | None, str]] = []

    Purge(bench.store, lambda: NOW)(lambda: False, lambda *step: told.append(step))

    assert told == [(0, 1, ""), (1, 1, "")]


def test_long_histories_are_read_in_windows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement looks at all arrivals, and none is passed over."""
    monkeypatch.setattr(purging, "SCANNED", 7)
    bench.deliver([granted("l1", at=ago(1))])
    bench.deliver([event("legacy.viewed", {"legacy_id": "l1"}, at=ago(31)) for _ in range(30)])
    bench.refresh()

    assert purge(bench)["events"] == 30


@pytest.mark.parametrize("seed", [11, 12])
def test_no_report_changes(new_bench: Callable[..., Bench], seed: int) -> None:
    """Every report of every scope is the same before and after, also when all arrives again."""
    events = stream(seed, faults=ROUGH, profile=Profile("tiny", 500, 8, 3, 400, TELLING))
    bench = new_bench()
    deliver(bench, events)
    legacies = sorted({legacy for (legacy,) in rows(bench, "SELECT name FROM legacy")})
    before = seen(bench, legacies)

    done = purge(bench)
    assert done["subjects"] > 20
    assert seen(bench, legacies) == before

    deliver(bench, Random(seed).sample(events, len(events)))
    assert seen(bench, legacies) == before
    bench.store.begin_again(TENANT, "UTC", "v1").result()
    bench.refresh()
    assert seen(bench, legacies) == before


def seen(bench: Bench, legacies: list[str]) -> list[Any]:
    """Return what can be read: everything in the zone of the counts, of late also in others."""
    metric = {"metric": "hearts,stories,smiles,candles"}
    scopes = [{}, *({"legacyId": legacy} for legacy in legacies)]
    return [
        reports(bench, legacies),
        [
            engine_timeseries(bench, **RECENT, **metric, **scope, timezone=zone)
            for scope in scopes
            for zone in ZONES
        ],
    ]


ACTS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 200),
        st.booleans(),
        st.sampled_from(("heart", "candle")),
        st.sampled_from(("user:a", "user:b")),
    ),
    max_size=40,
)


@given(acts=ACTS, cut=st.integers(0, 40), days=st.integers(0, 150))
@settings(max_examples=20, deadline=None)
def test_whatever_was_put_and_taken_back(
    shared_bench: Bench, acts: list[Any], cut: int, days: int
) -> None:
    """Purging in between never changes what stands, and purging twice is purging once."""
    tenant = f"tenant-{next(_fresh)}"
    events = [
        reaction(f"s{where}", f"l{where % 2}", kind, reacted=on, by=by, at=ago(back), tenant=tenant)
        for where, back, on, kind, by in acts
    ]
    now = NOW + timedelta(days=days)
    for part in filter(None, (events[:cut], events[cut:])):
        shared_bench.deliver(part, tenant=tenant)
        shared_bench.refresh()
        before = everything(shared_bench, tenant)
        purge(shared_bench, now=now)
        assert everything(shared_bench, tenant) == before
        purge(shared_bench, now=now)
        assert everything(shared_bench, tenant) == before


def everything(bench: Bench, tenant: str) -> Any:
    """Return every count of a tenant, of each day and in all."""
    days = [Range(day, day + timedelta(days=1)) for day in map(DAY_ONE.__add__, DAYS)]
    metrics = ["hearts", "candles"]
    return [
        (
            bench.store.series(tenant, scope, days, ZoneInfo("UTC"), metrics),
            bench.metrics(scope, tenant=tenant, window=Window(Period("all"))),
        )
        for scope in ("", "l0", "l1")
    ]


DAY_ONE = NOW.date() - timedelta(days=201)
DAYS = [timedelta(days=number) for number in range(203)]
