"""The zone of a tenant: set, taken back, counted anew, and never mixed with another."""

from datetime import date
from zoneinfo import ZoneInfo

from plugin_analytics.http.params import read_timeseries
from plugin_analytics.model.calendar import Range
from plugin_analytics.services.rollup import FOLD_EVENTS, Refresh
from plugin_analytics.services.zones import PREFIX
from plugin_analytics.store.base import Store
from tests.support.events import TENANT, story
from tests.unit.backend.conftest import Bench

KOLKATA = ZoneInfo("Asia/Kolkata")
LATE = "2026-03-01T20:00:00Z"  # already the second of March in Kolkata


def days(bench: Bench, tenant: str = TENANT) -> list[int]:
    """Return what the first and the second of March count, in the days of the tenant."""
    march = [("from", "2026-03-01"), ("to", "2026-03-03"), ("interval", "day")]
    _, query = read_timeseries(march)
    return [bar.values[0] for bar in bench.provide.timeseries(tenant, "", query).data.buckets]


def test_a_setting_stands_until_it_is_replaced(store: Store) -> None:
    """It is written where what stood there is what the writer had seen, and nowhere else."""
    assert store.replace("a zone", None, b"x").result()
    assert not store.replace("a zone", None, b"y").result()
    assert store.setting("a zone") == b"x"
    assert store.replace("a zone", b"x", b"y").result()
    assert store.settings("a ") == {"a zone": b"y"}
    assert store.settings("b") == {}
    assert store.replace("a zone", b"y", None).result()
    assert store.setting("a zone") is None


def test_a_tenant_has_its_own_days(bench: Bench) -> None:
    """One tenant's setting moves its days, at once and after counting, and nobody else's."""
    for tenant in (TENANT, "other"):
        bench.deliver([story("s1", "l1", at=LATE, tenant=tenant)], tenant=tenant)
    bench.refresh()
    assert bench.zones.change(TENANT, None, KOLKATA, "operator")

    before_counting = days(bench)
    told = bench.refresh()

    assert before_counting == days(bench) == [0, 1]
    assert days(bench, "other") == [1, 0]
    assert {change.tenant for change in told} == {TENANT}
    progress = bench.store.progress(TENANT)
    assert progress is not None
    assert progress.zone == "Asia/Kolkata"
    assert bench.refresh() == []


def test_a_setting_is_taken_back(bench: Bench) -> None:
    """Without one the days of the instance count again."""
    bench.deliver([story("s1", "l1", at=LATE)])
    bench.zones.change(TENANT, None, KOLKATA, "operator")
    bench.refresh()
    bench.zones.change(TENANT, KOLKATA, None, "service")
    bench.refresh()

    assert days(bench) == [1, 0]
    assert bench.zones.all_own() == {}


def test_a_zone_that_is_gone_counts_as_none(bench: Bench) -> None:
    """A release whose list of zones lacks one falls back to the days of the instance."""
    bench.store.replace(PREFIX + TENANT, None, b"Mars/Base").result()

    assert bench.zones.of(TENANT) == bench.zone
    assert bench.zones.all_own() == {}


def test_a_change_in_the_middle_of_counting_mixes_nothing(
    bench: Bench,
) -> None:
    """What is folded goes on in the zone that was begun with, until everything begins anew."""
    bench.deliver([story("s1", "l1", at=LATE)])
    bench.refresh()
    bench.deliver([story("s2", "l1", at=LATE)])
    refresh = Refresh(bench.store, bench.zones)
    bench.zones.change(TENANT, None, KOLKATA, "operator")
    refresh._fold(TENANT, FOLD_EVENTS)
    progress = bench.store.progress(TENANT)

    assert progress is not None
    assert progress.zone == "UTC"
    bench.refresh()
    assert days(bench) == [0, 2]
    assert bench.store.first_day(TENANT, "", KOLKATA) == date(2026, 3, 2)


def test_what_ended_at_the_edge_ended_in_one_zone_only(bench: Bench) -> None:
    """A story that went at half past midnight in Kolkata stood until the end of March there."""
    bench.deliver(
        [
            story("s1", "l1", at="2026-02-01T12:00:00Z"),
            story("s1", kind="deleted", at="2026-03-31T19:00:00Z"),
            story("s2", "l1", by="user:ben", at="2026-02-01T12:00:00Z"),
        ]
    )
    bench.refresh()
    quarter = [Range(date(2026, 1, 1), date(2026, 4, 1))]

    here, there = (
        bench.store.storytellers(TENANT, "l1", quarter, zone) for zone in (bench.zone, KOLKATA)
    )

    assert (list(here), list(there)) == ([1], [2])
