"""The engine against the oracle: whatever way a stream arrives, the reports are the truth.

The streams are the generator's, the truth is that of `tests/oracle`, which shares no code with
the plugin.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaiclife_devcore.generator import TELLING, Envelope, Profile
from plugin_analytics.store.sqlite import SQLiteStore
from tests.oracle import Oracle, Span
from tests.support.events import story
from tests.support.golden import (
    ROUGH,
    deliver,
    engine_breakdown,
    engine_overview,
    engine_timeseries,
    like,
    oracle_breakdown,
    oracle_of,
    oracle_overview,
    oracle_timeseries,
    reports,
    stream,
)
from tests.unit.backend.conftest import NOW, Bench

ODD_ZONES = (
    *("America/Santiago", "Africa/Cairo", "Asia/Beirut", "America/Havana"),  # days without midnight
    *("Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham"),
    *("Europe/Stockholm", "America/New_York", "Pacific/Apia", "Pacific/Kiritimati"),
)
ANY_ZONE = sorted(available_timezones() - {"Factory", "localtime", "posixrules"})
WINDOWS: tuple[dict[str, str], ...] = (
    {"period": "all"},
    {"period": "all", "timezone": "America/Santiago"},
    {"period": "30d"},
    {"period": "12mo", "timezone": "Asia/Kathmandu"},
    {"period": "year"},
    {"from": "2026-02-01", "to": "2026-03-01"},
)
METRICS = (
    *("stories", "storytellers", "responses", "hearts", "media"),
    *("reactions", "tellings"),
)
_fresh = itertools.count()
NewBench = Callable[..., Bench]


@pytest.fixture(scope="module")
def new_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewBench]:
    """Return a maker of benches, each over a store of its own."""
    opened: list[SQLiteStore] = []

    def make(zone: str = "UTC") -> Bench:
        opened.append(SQLiteStore(tmp_path_factory.mktemp("golden") / "plugin.db"))
        return Bench(opened[-1], ZoneInfo(zone))

    yield make
    for each in opened:
        each.close()


def scopes_of(oracle: Oracle) -> list[dict[str, str]]:
    return [{}, *({"legacyId": legacy} for legacy in oracle.legacies())]


def same_overview(bench: Bench, oracle: Oracle, **query: str) -> None:
    expected = oracle_overview(oracle, **query)

    assert like(engine_overview(bench, **query), expected) == expected, query


def same_timeseries(bench: Bench, oracle: Oracle, **query: str) -> None:
    expected = oracle_timeseries(oracle, **query)
    answer = engine_timeseries(bench, **query)

    assert like(answer, expected) == expected, query
    assert len(answer["buckets"]) == len(expected["buckets"]), query


@pytest.mark.parametrize(("seed", "faults"), [(1, "none"), (2, ROUGH), (3, ROUGH)])
def test_what_has_gathered_is_what_the_oracle_says(
    new_bench: NewBench, seed: int, faults: str
) -> None:
    """Every metric, with the one before and the change, in every scope and over every window."""
    events, bench = stream(seed, faults=faults), new_bench()
    deliver(bench, events)
    oracle = oracle_of(events)

    for scope, window in itertools.product(scopes_of(oracle), WINDOWS):
        same_overview(bench, oracle, **scope, **window)


def test_the_way_of_delivery_leaves_no_trace(new_bench: NewBench) -> None:
    """The same batch three times, shuffled, or one event in each call: the same reports."""
    events = stream(4, profile=Profile("tiny", 300, 8, 3, 300, TELLING))
    shuffled = Random(4).sample(events, len(events))
    legacies = oracle_of(events).legacies()
    seen = []
    for arrival, batch in ((events * 3, 300), (shuffled, 500), (shuffled, 1)):
        bench = new_bench()
        deliver(bench, arrival, batch=batch)
        seen.append(reports(bench, legacies))

    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0][0]["metrics"][0]["value"] > 10


def test_a_batch_that_ends_with_repetitions_is_counted(new_bench: NewBench) -> None:
    """What is stored of a delivery counts, wherever in it the repetitions stand."""
    told, again = story("s1", "l1"), story("s2", "l1")
    bench = new_bench()
    deliver(bench, [told, again, told, told])

    assert bench.metrics("l1")["stories"] == 2
    assert bench.store.dirty_tenants() == []


def test_acts_of_one_moment_have_an_order(new_bench: NewBench) -> None:
    """A story's creation comes before its update, and that before its deletion, whatever the ids."""
    events: list[Envelope] = []
    for order in itertools.permutations(("created", "updated", "deleted")):
        name = "-".join(order)
        for place, kind in enumerate(order):
            looks = {"visibility": "personal"} if kind == "updated" else {}
            for story_id in (name, f"{name}-shown")[: 1 if kind == "updated" else 2]:
                number = f"{story_id}-{place}"
                events.append(story(story_id, "l1", kind=kind, id=number, **looks))
    bench = new_bench()
    deliver(bench, events)
    march = {"from": "2026-03-01", "to": "2026-04-01"}

    same_overview(bench, oracle_of(events), **march, legacyId="l1")
    kept = [each for each in events if each["type"] != "story.deleted"]
    standing = new_bench()
    deliver(standing, kept)
    same_overview(standing, oracle_of(kept), **march, legacyId="l1")
    assert standing.metrics("l1")["stories"] == 6


VALID = stream(5, profile=Profile("hand", 120, 6, 3, 200, TELLING), faults="flapping=1,triple")


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_permutation_with_repetitions_gives_the_oracles_reports(
    shared: Bench, data: st.DataObject
) -> None:
    """Any part of a stream, in any order, with any repetitions, cut anywhere, counted at any time."""
    tenant = f"tenant-{next(_fresh)}"
    chosen = data.draw(st.lists(st.sampled_from(VALID), min_size=1, max_size=60))
    arrival = [{**event, "tenant_id": tenant} for event in data.draw(st.permutations(chosen))]
    cut = data.draw(st.integers(0, len(arrival)))
    for piece in filter(None, (arrival[:cut], arrival[cut:])):
        shared.deliver(piece, tenant=tenant)
        if data.draw(st.booleans()):
            shared.refresh()
    shared.refresh()
    oracle = oracle_of(arrival, tenant)

    for scope in scopes_of(oracle):
        expected = oracle_overview(oracle, **scope)
        assert like(engine_overview(shared, tenant, **scope), expected) == expected


@pytest.fixture(scope="module")
def shared(new_bench: NewBench) -> Bench:
    """Return one bench for many examples, each of which is a tenant of its own."""
    return new_bench()


def test_a_late_event_changes_a_closed_month(new_bench: NewBench) -> None:
    """What arrives months later counts on its day, and the series of that month is the oracle's."""
    events = stream(6)
    late = [event for event in events if event["occurred_at"].startswith("2026-03")]
    bench = new_bench()
    deliver(bench, [event for event in events if event not in late])
    march = {"from": "2026-03-01", "to": "2026-04-01", "metric": "stories,responses"}
    before = engine_timeseries(bench, **march)
    deliver(bench, late)

    same_timeseries(bench, oracle_of(events), **march)
    assert engine_timeseries(bench, **march) != before


@pytest.fixture(scope="module")
def world(new_bench: NewBench) -> tuple[Oracle, list[Bench]]:
    """Return a stream that is dense around odd midnights, counted ahead in two zones."""
    events = [*stream(7, faults=ROUGH), *around_midnights(ODD_ZONES)]
    benches = [new_bench("UTC"), new_bench("America/Santiago")]
    for bench in benches:
        deliver(bench, events)
    return oracle_of(events), benches


def around_midnights(zones: Sequence[str]) -> list[Envelope]:
    """Return stories at, just before and just after the first moment of days that begin oddly."""
    found = []
    for name in zones:
        moments = [first_moment(day, ZoneInfo(name)) for day in odd_days(ZoneInfo(name))]
        for first, micro in itertools.product(moments, (-1, 0, 1)):
            moment = first + timedelta(microseconds=micro)
            number = f"{name.replace('/', '-')}-{first:%y%m%d}-{micro + 1}"
            by = f"user:{micro + 1}"
            found.append(story(number, f"odd-{micro % 2}", at=moment.isoformat(), by=by))
    return found


def odd_days(zone: ZoneInfo) -> Iterator[date]:
    """Yield the days of the last thirteen months on which clocks change, and the day after each."""
    day = date(2025, 11, 1)
    while day < date(2026, 12, 1):
        offsets = [
            datetime(day.year, day.month, day.day, h, tzinfo=zone).utcoffset() for h in (0, 12)
        ]
        before = datetime.combine(day - timedelta(days=1), datetime.min.time(), zone).utcoffset()
        if len({*offsets, before}) > 1:
            yield day
        day += timedelta(days=1)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins on the wall, to the quarter hour."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=15)
    return moment


def a_question(chance: Random, legacies: Sequence[str]) -> dict[str, str]:
    """Draw any zone, range, interval and scope."""
    interval = chance.choice(("day", "week", "month", "quarter", "year", "auto"))
    longest = {"day": 120, "week": 300}.get(interval, 900)
    start = date(2025, 10, 1) + timedelta(days=chance.randrange(420))
    question = {
        "timezone": chance.choice(ODD_ZONES if chance.random() < 0.5 else ANY_ZONE),
        "interval": interval,
        "weekStart": chance.choice(("mon", "sun")),
        "metric": ",".join(chance.sample(METRICS, 2)),
        "from": start.isoformat(),
        "to": (start + timedelta(days=chance.randint(1, longest))).isoformat(),
    }
    scope = {"legacyId": chance.choice(legacies)} if chance.random() < 0.7 else {}
    return question | scope | beside(chance)


def beside(chance: Random) -> dict[str, str]:
    """Draw what a series is set beside."""
    compare = chance.choice(("none", "none", "previous_period", "previous_year", "custom"))
    if compare != "custom":
        return {"compare": compare}
    start = date(2025, 6, 1) + timedelta(days=chance.randrange(300))
    end = start + timedelta(days=chance.randint(1, 400))
    return {"compare": compare, "compareFrom": start.isoformat(), "compareTo": end.isoformat()}


@pytest.mark.parametrize(
    ("count", "seed"),
    [(100, 1), pytest.param(1000, 2, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_random_zones_ranges_and_intervals(
    world: tuple[Oracle, list[Bench]], count: int, seed: int
) -> None:
    """Any zone, any range, any interval: the engine and the oracle do not differ once."""
    oracle, benches = world
    chance, legacies = Random(seed), oracle.legacies()
    for number in range(count):
        same_timeseries(benches[number % 2], oracle, **a_question(chance, legacies))


@pytest.mark.parametrize("period", ["30d", "12mo", "7mo", "year", "since_passing"])
def test_what_is_beside_a_running_period(world: tuple[Oracle, list[Bench]], period: str) -> None:
    """As much of another time as has elapsed of this one, by every interval."""
    oracle, (bench, _) = world
    modes = (
        ("previous_year",) if period == "since_passing" else ("previous_period", "previous_year")
    )
    for interval, compare in itertools.product(("day", "week", "month", "quarter"), modes):
        asked = {"period": period, "interval": interval, "compare": compare}
        same_timeseries(
            bench, oracle, **asked, legacyId=passed_away(oracle)[0], metric="stories,storytellers"
        )


def passed_away(oracle: Oracle) -> list[str]:
    """Return the legacies whose passing is known to the day and lies behind."""
    days = {legacy: oracle.passing(legacy) for legacy in oracle.legacies()}
    return [legacy for legacy, day in days.items() if day is not None and day <= NOW.date()]


@pytest.mark.parametrize("seed", [1, 2])
def test_time_since_a_passing(world: tuple[Oracle, list[Bench]], seed: int) -> None:
    """Whatever the zone, the range and the unit: the axis is the oracle's."""
    oracle, benches = world
    chance, legacies = Random(seed), passed_away(oracle)
    for number in range(20):
        question = a_question(chance, legacies) | {"axis": "since_passing"}
        same_timeseries(benches[number % 2], oracle, **question | {"legacyId": legacies[0]})


@pytest.mark.parametrize(
    ("metric", "dimension"),
    [
        ("stories", "origin"),
        ("stories", "visibility"),
        ("media", "family"),
        ("reactions", "reaction"),
        ("tellings", "kind"),
    ],
)
def test_kinds_are_what_the_oracle_says(
    world: tuple[Oracle, list[Bench]], metric: str, dimension: str
) -> None:
    """Each metric apart by each of its dimensions, in every scope, in the zone and in another."""
    oracle, benches = world
    span = Span(date(2026, 1, 1), date(2026, 11, 1))
    days = {"from": "2026-01-01", "to": "2026-11-01"}
    found = 0
    for number, scope in enumerate(scopes_of(oracle)):
        zone = ("UTC", "Asia/Kathmandu")[number % 2]
        asked = {**days, **scope, "metric": metric, "breakdown": dimension, "timezone": zone}
        expected = oracle.breakdown(metric, dimension, scope.get("legacyId", ""), span, zone)
        assert engine_breakdown(benches[number % 2], **asked) == expected
        found += len(expected)
    assert found


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_days_that_begin_oddly(world: tuple[Oracle, list[Bench]], zone: str) -> None:
    """A microsecond decides the day, also where there is no midnight."""
    oracle, benches = world
    year: dict[str, Any] = {"from": "2025-11-01", "to": "2026-12-02", "timezone": zone}
    for bench, legacy in itertools.product(benches, ("odd-0", "odd-1")):
        same_timeseries(bench, oracle, **year, interval="day", legacyId=legacy)
        same_overview(bench, oracle, **year, legacyId=legacy)


@pytest.mark.parametrize("interval", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("compare", ["none", "previous_year"])
def test_since_a_passing(world: tuple[Oracle, list[Bench]], interval: str, compare: str) -> None:
    """Units are counted from the day of a passing, Feb 29 among them, in every zone."""
    oracle, benches = world
    known = [legacy for legacy in oracle.legacies() if oracle.passing(legacy)]
    axis = {"axis": "since_passing", "interval": interval, "compare": compare}
    dates = {"from": "2026-01-07", "to": "2026-11-20", "metric": "tellings,storytellers"}

    assert len(known) >= 3
    assert "02-29" in {str(oracle.passing(legacy))[5:] for legacy in known}
    for legacy, zone in itertools.product(known, ("UTC", "America/Havana")):
        for bench in benches:
            same_timeseries(bench, oracle, **axis, **dates, legacyId=legacy, timezone=zone)


def test_all_that_followed_a_passing(world: tuple[Oracle, list[Bench]]) -> None:
    """The period that begins with a passing ends today; it is of ten years at most."""
    oracle, (bench, _) = world
    known = [legacy for legacy in oracle.legacies() if oracle.passing(legacy)]
    asked = {"period": "since_passing", "axis": "since_passing", "interval": "month"}
    for legacy in known:
        same_timeseries(bench, oracle, **asked, legacyId=legacy)


@pytest.mark.parametrize("period", ["30d", "3mo", "12mo", "year"])
@pytest.mark.parametrize("compare", ["previous_period", "previous_year"])
@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_running_periods_beside_others(
    world: tuple[Oracle, list[Bench]], period: str, compare: str, interval: str
) -> None:
    """What is running is set beside as much of the other as has elapsed."""
    oracle, benches = world
    asked = {"period": period, "compare": compare, "interval": interval}
    for bench, zone in zip(benches, ("UTC", "Asia/Kathmandu"), strict=True):
        same_timeseries(bench, oracle, **asked, metric="stories,reactions,tellings", timezone=zone)


@pytest.mark.parametrize(
    ("metric", "dimension"),
    [
        ("stories", "origin"),
        ("stories", "visibility"),
        ("media", "family"),
        ("reactions", "reaction"),
        ("tellings", "kind"),
    ],
)
def test_told_apart_by_kind(world: tuple[Oracle, list[Bench]], metric: str, dimension: str) -> None:
    """Each value adds what the oracle says to each bucket, in every scope and zone."""
    oracle, benches = world
    asked = {"metric": metric, "breakdown": dimension, "interval": "month", "period": "12mo"}
    for scope, zone in itertools.product(scopes_of(oracle), ("UTC", "America/Santiago")):
        expected = oracle_breakdown(oracle, **asked, **scope, timezone=zone)
        for bench in benches:
            answer = engine_timeseries(bench, **asked, **scope, timezone=zone)["breakdown"]
            found = {each["value"]: each["values"] for each in answer["series"]}
            assert {value: row for value, row in found.items() if any(row)} == expected
            assert all(each["total"] == sum(each["values"]) for each in answer["series"])


def test_the_oracle_and_the_engine_were_asked_about_something(
    world: tuple[Oracle, list[Bench]],
) -> None:
    """The stream is not so poor that everything agrees at nought."""
    oracle, (bench, _) = world
    metrics = {each["metric"]: each["value"] for each in engine_overview(bench)["metrics"]}

    assert min(metrics.values()) >= 10
    assert len(oracle.legacies()) >= 6
