"""Data health: what became of what arrived, how late it came, and whether clocks are right."""

from datetime import date
from typing import Any

import pytest

from plugin_analytics.http.params import read_quality
from plugin_analytics.services.quality import lateness
from plugin_analytics.store.base import Late, Verification
from tests.support.events import TENANT, event, story
from tests.unit.backend.conftest import Bench


def health(bench: Bench, **query: str) -> Any:
    return bench.provide.quality(TENANT, read_quality(list(query.items()))).data


def test_nothing_has_arrived(bench: Bench) -> None:
    """An empty report says so, with noughts and no percentiles."""
    found = health(bench)

    assert found.empty
    assert (found.outcomes.accepted, found.sources, found.types, found.reasons) == (0, [], [], [])
    assert (found.lateness.p50_at_most, found.lateness.max, found.watermark) == (None, None, None)
    assert (found.clock_skew.share, found.clock_skew.likely) == (0.0, False)


def test_every_outcome_is_counted(bench: Bench) -> None:
    """By source, by type, and with the reason where there is one."""
    first = story("s1", "l1", id="e1")
    bench.deliver([first, {**story("s2", "l1"), "source": "import"}])
    bench.deliver([first, story("other", "l1", id="e1"), event("weather.changed", {})])
    bench.deliver(
        [story("s3", "l1", visibility="odd"), story("s4", "l1", at="2999-01-01T00:00:00Z")]
    )
    bench.refresh()

    found = health(bench)

    assert not found.empty
    outcomes = found.outcomes
    assert (outcomes.accepted, outcomes.duplicate, outcomes.conflict) == (2, 1, 1)
    assert (outcomes.quarantined, outcomes.ignored) == (2, 1)
    reasons = {(each.outcome, each.reason): each.number for each in found.reasons}
    assert reasons["quarantined", "IN_FUTURE"] == reasons["quarantined", "SCHEMA"] == 1
    by_source = {each.source: each.accepted for each in found.sources}
    assert by_source["core"] == by_source["import"] == 1
    by_type = {each.type: each for each in found.types}
    assert by_type["weather.changed"].ignored == 1
    assert by_type["story.created"].accepted == 2
    assert (found.clock_skew.in_future, found.clock_skew.likely) == (1, True)
    assert found.watermark is not None
    assert found.dirty_days == 0


def test_one_source_or_type_alone(bench: Bench) -> None:
    """A filter leaves its events; a source that sent nothing is empty."""
    bench.deliver([story("s1", "l1"), {**story("s2", "l1"), "source": "import"}])

    assert health(bench, source="import").outcomes.accepted == 1
    assert health(bench, type="story.created").outcomes.accepted == 2
    assert health(bench, source="import", type="story.deleted").empty
    assert health(bench, source="nobody").empty


def test_the_last_verification_is_told(bench: Bench) -> None:
    """None before the first; then when it was, how many days it looked at, and how many differ."""
    assert health(bench).verification is None
    bench.deliver([story("s1", "l1")])
    bench.refresh()
    found = Verification(1_772_366_400_000_000, 3, 1, 2)
    bench.store.save_verification(TENANT, found, [("l1", date(2026, 3, 1))]).result()

    told = health(bench).verification

    assert (told.at, told.days, told.drift) == ("2026-03-01T12:00:00.000Z", 3, 2)


def test_days_of_arrival_decide(bench: Bench) -> None:
    """The window is of arrivals: what happened long ago and came today is in today's."""
    bench.deliver([story("s1", "l1", at="2026-01-01T12:00:00Z")])

    today = health(bench, period="1d")
    assert today.outcomes.accepted == 1
    assert today.lateness.max == 334 * 86_400
    assert health(bench, **{"from": "2026-01-01", "to": "2026-02-01"}).empty


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([Late(0, 1, 0)], (0, 0, 0)),
        ([Late(3, 50, 7), Late(5, 45, 20), Late(9, 5, 300)], (7, 20, 300)),
        ([Late(9, 6, 300), Late(3, 94, 5)], (5, 300, 300)),
        ([Late(1, 1, 1), Late(2, 1, 3)], (1, 3, 3)),
    ],
)
def test_percentiles_are_upper_bounds(buckets: list[Late], expected: tuple[int, int, int]) -> None:
    """At least so many came no later than is said."""
    found = lateness(buckets)

    assert (found.p50_at_most, found.p95_at_most, found.max) == expected
