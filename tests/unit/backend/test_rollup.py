"""Counting: whatever way a stream arrives, the reports are the same, and they are true."""

import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin_analytics.model.calendar import Period, Range
from plugin_analytics.services import rollup
from plugin_analytics.services.provide import OverviewQuery, TimeseriesQuery, Window
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.store.base import Pending
from tests.support.events import TENANT, event, media, reaction, response, story
from tests.unit.backend.conftest import Bench

UTC = ZoneInfo("UTC")
_fresh = itertools.count()
SPAN = Range(date(2026, 3, 1), date(2026, 4, 1))
MARCH = Window(Period("all"), SPAN)


def deleted(story_id: str, at: str, **other: Any) -> dict[str, Any]:
    return event("story.deleted", {"story_id": story_id}, at=at, **other)


def test_what_has_gathered(bench: Bench) -> None:
    """One of each is counted, for the legacy and for the tenant."""
    bench.deliver(
        [
            event("legacy.created", {"legacy_id": "l1", "birth_date": "1931"}),
            story("s1", "l1", "l2", by="user:ada"),
            response("r1", "l1", by="user:ben"),
            media("m1", "l1", by="user:ada"),
            reaction("s1", "l1", "heart", by="user:cy"),
            reaction("s1", "l1", "candle", by="user:cy"),
            reaction("s1", "l1", "smile", by="user:cy"),
        ]
    )
    bench.refresh()

    assert bench.metrics("l1") == {
        "stories": 1,
        "storytellers": 2,
        "responses": 1,
        "hearts": 1,
        "candles": 1,
        "smiles": 1,
        "media": 1,
    }
    assert bench.metrics("l2") == {"stories": 1, "storytellers": 1}
    assert bench.metrics() == bench.metrics("l1")
    assert bench.metrics("l3") == {}


def test_refresh_tells_what_changed_once(bench: Bench) -> None:
    """A change names its tenant and legacies; a second run has nothing to tell."""
    bench.deliver([story("s1", "l2"), story("s2", "l1")])

    (change,) = bench.refresh()

    assert change.message() == {
        "tenantId": TENANT,
        "legacyIds": ["l1", "l2"],
        "watermark": "2026-12-01T12:00:00.000Z",
    }
    assert bench.refresh() == []


def test_deletion_reaches_days_its_event_does_not_name(bench: Bench) -> None:
    """`story.deleted` names no legacy; the legacies of the story are counted again."""
    bench.deliver([story("s1", "l1", at="2026-03-01T00:00:00Z")])
    bench.refresh()
    bench.deliver([deleted("s1", "2026-05-01T00:00:00Z")])

    (change,) = bench.refresh()

    assert change.legacies == ["l1"]
    assert bench.metrics("l1") == {}
    assert bench.metrics("l1", window=MARCH) == {"stories": 1, "storytellers": 1}


def test_storyteller_needs_a_telling_that_still_stands(bench: Bench) -> None:
    """Who told and took it back within the range has not told; a reaction is not a telling."""
    bench.deliver(
        [
            story("s1", "l1", by="user:ada", at="2026-03-02T00:00:00Z"),
            deleted("s1", "2026-03-20T00:00:00Z"),
            story("s2", "l1", by="user:ben", at="2026-03-03T00:00:00Z"),
            reaction("s2", "l1", by="user:cy", at="2026-03-03T00:00:00Z"),
            story("s3", "l1", by=None, at="2026-03-03T00:00:00Z"),
        ]
    )
    bench.refresh()

    assert bench.metrics("l1", window=MARCH) == {"stories": 2, "storytellers": 1, "hearts": 1}


def test_telling_stands_until_the_day_after_the_range(bench: Bench) -> None:
    """What was deleted on the first day after a range stood at its end; a day earlier it did not."""
    bench.deliver(
        [
            story("s1", "l1", by="user:ada"),
            deleted("s1", "2026-04-01T00:00:00Z"),
            story("s2", "l1", by="user:ben"),
            deleted("s2", "2026-03-31T23:59:59Z"),
        ]
    )
    bench.refresh()

    assert bench.metrics("l1", window=MARCH)["storytellers"] == 1
    assert bench.metrics("l1", window=MARCH, zone=ZoneInfo("Etc/UTC"))["storytellers"] == 1


def test_one_of_two_tellings_of_a_day_is_enough(bench: Bench) -> None:
    """Who took one story back and left the other has still told."""
    bench.deliver([story("s1", "l1"), story("s2", "l1"), deleted("s1", "2026-03-20T00:00:00Z")])
    bench.refresh()

    assert bench.metrics("l1", window=MARCH) == {"stories": 1, "storytellers": 1}


def test_late_event_changes_a_closed_month(bench: Bench) -> None:
    """What arrives late is counted on the day it happened, and the report says it is behind."""
    bench.deliver([story("s1", "l1", at="2026-03-01T00:00:00Z")])
    bench.refresh()
    bench.deliver([story("s2", "l1", at="2026-03-31T23:59:59Z")])

    meta = bench.provide.overview(TENANT, "l1", _overview(MARCH)).meta
    assert meta["freshness"]["dirtyDays"] == 1

    bench.refresh()
    assert bench.metrics("l1", window=MARCH)["stories"] == 2
    fresh = bench.provide.overview(TENANT, "l1", _overview(MARCH)).meta["freshness"]
    assert fresh == {"watermark": "2026-12-01T12:00:00.000Z", "dirtyDays": 0}


def test_more_events_than_one_step_takes(bench: Bench) -> None:
    """A backlog is folded in many steps and ends in the same counts."""
    for start in range(0, 1300, 100):
        bench.deliver([story(f"s{n}", "l1") for n in range(start, start + 100)])

    bench.refresh()

    assert bench.metrics("l1") == {"stories": 1300, "storytellers": 1}


def test_refresh_stops_when_asked_and_goes_on_later(bench: Bench) -> None:
    """A cancelled run leaves work for the next, and nothing half done."""
    bench.deliver([story("s1", "l1")])

    Refresh(bench.store, bench.zones)(lambda: True, lambda change: None)
    assert bench.metrics("l1") == {}

    bench.refresh()
    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1}


def test_counting_gives_way_to_deliveries(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody waits for the disk, each step of counting is followed by a longer rest."""
    rests: list[float] = []
    monkeypatch.setattr("plugin_analytics.services.pace.time.sleep", rests.append)
    bench.deliver([story("s1", "l1")])
    monkeypatch.setattr(bench.store, "waiting", lambda: 1)

    bench.refresh()

    assert rests
    assert bench.metrics("l1") == {"stories": 1, "storytellers": 1}
    monkeypatch.setattr(bench.store, "waiting", lambda: 0)
    rests.clear()
    bench.deliver([story("s2", "l1")])
    bench.refresh()
    assert rests == []


@pytest.mark.parametrize(
    ("waiting", "pieces"), [(0, [2, 4, 8, 8, 8, 2]), (1, [2] * 16)], ids=["nobody", "somebody"]
)
def test_pieces_grow_while_nobody_waits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, waiting: int, pieces: list[int]
) -> None:
    """Large ones cost less, but whoever waits for the writer must not wait for long."""
    monkeypatch.setattr(rollup, "FOLD_EVENTS", 2)
    monkeypatch.setattr(rollup, "MOST_FOLD_EVENTS", 8)
    monkeypatch.setattr("plugin_analytics.services.pace.time.sleep", lambda _: None)
    monkeypatch.setattr(bench.store, "waiting", lambda: waiting)
    asked: list[int] = []
    pending = bench.store.pending

    def listen(tenant: str, after: int, limit: int) -> Pending | None:
        asked.append(limit)
        return pending(tenant, after, limit)

    monkeypatch.setattr(bench.store, "pending", listen)
    bench.deliver([story(f"s{number}", "l1") for number in range(29)])
    bench.refresh()

    assert asked == pieces
    assert bench.metrics("l1") == {"stories": 29, "storytellers": 1}


def test_counting_gives_way_to_who_must_be_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a step of counting to end comes next, and is not waited for alone."""
    rests: list[float] = []
    monkeypatch.setattr("plugin_analytics.services.pace.time.sleep", rests.append)
    bench.deliver([story("s1", "l1")])

    with bench.store.alone(), bench.store.alone():
        assert not bench.store.wanted()
        counting = threading.Thread(target=bench.refresh)
        counting.start()
        while not bench.store.wanted():
            threading.Event().wait(0.01)
    counting.join()
    assert not bench.store.wanted()
    assert rests == []

    monkeypatch.setattr(bench.store, "wanted", lambda: True)
    bench.deliver([story("s2", "l1")])
    bench.refresh()
    assert rests
    assert bench.metrics("l1") == {"stories": 2, "storytellers": 1}


def test_another_reporting_zone_counts_everything_again(bench: Bench) -> None:
    """After a change of REPORTING_TIMEZONE the days are those of the new zone."""
    bench.deliver([story("s1", "l1", at="2026-03-01T20:00:00Z")])
    bench.refresh()
    kolkata = ZoneInfo("Asia/Kolkata")

    bench.refresh(zone=kolkata)

    days = [Range(date(2026, 3, day), date(2026, 3, day + 1)) for day in (1, 2)]
    (cell,) = bench.store.series(TENANT, "l1", days, kolkata, ["stories"])
    assert (cell.slot, cell.value) == (1, 1)
    progress = bench.store.progress(TENANT)
    assert progress is not None
    assert progress.zone == "Asia/Kolkata"


def test_a_zone_of_the_viewer_agrees_with_a_zone_of_the_store(
    new_bench: Callable[..., Bench],
) -> None:
    """Days counted ahead and days counted on the spot are the same days."""
    events = [
        story(
            f"s{n}", "l1", at=f"2026-03-{1 + n // 3:02}T{n * 7 % 24:02}:30:00Z", by=f"user:{n % 4}"
        )
        for n in range(60)
    ] + [deleted("s3", "2026-03-09T04:15:00Z"), reaction("s1", "l1", at="2026-03-08T20:00:00Z")]
    santiago = ZoneInfo("America/Santiago")
    ahead, spot = new_bench(santiago), new_bench()
    for bench in (ahead, spot):
        bench.deliver(events)
        bench.refresh()

    assert _series(ahead, santiago) == _series(spot, santiago)
    assert ahead.metrics("l1") == spot.metrics("l1", zone=santiago)


def _overview(window: Window) -> OverviewQuery:
    return OverviewQuery(window, UTC)


def _series(bench: Bench, zone: ZoneInfo, legacy: str = "l1", tenant: str = TENANT) -> Any:
    query = TimeseriesQuery(
        Window(Period("all"), Range(date(2026, 2, 20), date(2026, 4, 5))),
        zone,
        ("stories", "storytellers", "hearts"),
        "day",
    )
    return bench.provide.timeseries(tenant, legacy, query).data


MOMENTS = st.sampled_from(
    ["2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z", "2026-04-01T00:00:00Z"]
)
PEOPLE = st.sampled_from(["user:ada", "user:ben", "service:import", None])
STREAM = st.lists(
    st.one_of(
        st.builds(
            lambda name, kind, legacies, at, by, status, look: story(
                name, *legacies, kind=kind, at=at, by=by, status=status, visibility=look
            ),
            st.sampled_from(["s1", "s2"]),
            st.sampled_from(["created", "updated"]),
            st.sampled_from([["l1"], ["l2"], ["l1", "l2"], []]),
            MOMENTS,
            PEOPLE,
            st.sampled_from(["published", "published", "draft"]),
            st.sampled_from(["private", "public", "personal"]),
        ),
        st.builds(deleted, st.sampled_from(["s1", "s2"]), MOMENTS),
        st.builds(
            lambda on, at, by: reaction("s1", "l1", reacted=on, at=at, by=by),
            st.booleans(),
            MOMENTS,
            PEOPLE,
        ),
        st.builds(
            lambda name, at, by: response(name, "l1", at=at, by=by),
            st.sampled_from(["r1", "r2"]),
            MOMENTS,
            PEOPLE,
        ),
        st.builds(lambda at, by: media("m1", "l1", "l2", at=at, by=by), MOMENTS, PEOPLE),
    ),
    min_size=1,
    max_size=12,
)


@given(stream=STREAM, data=st.data())
@settings(max_examples=25, deadline=None)
def test_order_repetition_and_slicing_never_matter(
    shared_bench: Bench, stream: Sequence[dict[str, Any]], data: st.DataObject
) -> None:
    """One batch, or any order with repetitions, counted after each piece: the same reports."""
    bench, straight, crooked = shared_bench, f"straight-{next(_fresh)}", f"crooked-{next(_fresh)}"
    bench.deliver(_moved(stream, straight), tenant=straight)
    bench.refresh()

    repeated = [*stream, *data.draw(st.lists(st.sampled_from(stream), max_size=6))]
    for piece in data.draw(st.permutations(repeated)):
        bench.deliver(_moved([piece], crooked), tenant=crooked)
        if data.draw(st.booleans()):
            bench.refresh()
    bench.refresh()

    for legacy in ("", "l1", "l2"):
        for window in (None, MARCH):
            one, other = (
                bench.metrics(legacy, tenant=tenant, window=window)
                for tenant in (straight, crooked)
            )
            assert one == other
        assert _series(bench, UTC, legacy, straight) == _series(bench, UTC, legacy, crooked)
    assert bench.store.dirty_tenants() == []
    _stand_a_rebuild(bench, crooked)


def _stand_a_rebuild(bench: Bench, tenant: str) -> None:
    """Hold every table against what a rebuild makes of it, row by row."""
    before = _tables(bench, tenant)
    assert Refresh(bench.store, bench.zones).begin_again(tenant)
    bench.refresh()
    assert before == _tables(bench, tenant)


def _tables(bench: Bench, tenant: str) -> dict[str, list[Any]]:
    with bench.store._reads.connect() as connection:
        return {
            table: sorted(
                connection.exec_driver_sql(
                    f"SELECT {table}.* FROM {table} JOIN tenant ON code = tenant WHERE name = ?",
                    (tenant,),
                ).all(),
                key=repr,
            )
            for table in ("memory", "fact", "rollup", "told", "voice", "dirty_day")
        }


def _moved(events: Sequence[dict[str, Any]], tenant: str) -> list[dict[str, Any]]:
    return [{**each, "tenant_id": tenant} for each in events]
