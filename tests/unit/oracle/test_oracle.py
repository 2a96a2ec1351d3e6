"""The oracle itself, by cases small enough to count on one's fingers."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.oracle import Oracle, Span
from tests.oracle.calendar import Bucket, buckets, day_in, months_later, previous, shifted
from tests.support.events import (
    TENANT,
    event,
    granted,
    media,
    reaction,
    response,
    revoked,
    story,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MARCH = Span(date(2026, 3, 1), date(2026, 4, 1))


def truth(*events: dict[str, Any]) -> Oracle:
    return Oracle(events, tenant=TENANT, now=NOW)


def counts(oracle: Oracle, legacy: str = "", span: Span = MARCH) -> dict[str, int]:
    metrics = ("stories", "storytellers", "responses", "reactions", "media", "tellings")
    found = {name: oracle.value(name, legacy, span, "UTC") for name in metrics}
    return {name: count for name, count in found.items() if count}


def gone(person: str, kind: str = "user.deleted", **other: Any) -> dict[str, Any]:
    return event(kind, {"user_id": person}, **other)


def test_one_of_each() -> None:
    """Each thing counts once in its legacies and once in the tenant."""
    oracle = truth(
        story("s1", "l1", "l2", by="user:ada"),
        response("r1", "l1", by="user:ben"),
        media("m1", "l1", by="user:ada"),
        reaction("s1", "l1", by="user:cy"),
    )
    all_four = {"stories": 1, "storytellers": 2, "responses": 1, "reactions": 1, "media": 1}

    assert counts(oracle) == counts(oracle, "l1") == {**all_four, "tellings": 3}
    assert counts(oracle, "l2") == {"stories": 1, "storytellers": 1, "tellings": 1}
    assert oracle.legacies() == ["l1", "l2"]


@pytest.mark.parametrize(
    "fault",
    [
        {"version": 2},
        {"version": "1"},
        {"tenant_id": "other"},
        {"occurred_at": "2026-12-01T12:05:01Z"},
        {"occurred_at": "2025-10-26T12:00:00Z"},
        {"occurred_at": "1989-12-31T23:59:59Z", "source": "backfill"},
        {"occurred_at": "2026-03-01T12:00:00"},
        {"id": "a.b"},
        {"actor_id": "ada"},
        {"resource": None},
        {"payload": {"story_id": "s1", "status": "told"}},
        {"payload": {"status": "published"}},
    ],
)
def test_what_cannot_be_taken_does_not_count(fault: dict[str, Any]) -> None:
    """The door of the oracle is as narrow as the plugin's."""
    assert counts(truth(story("s1", "l1"))) == {"stories": 1, "storytellers": 1, "tellings": 1}
    assert truth({**story("s1", "l1"), **fault}).facts == []


def test_the_first_content_of_an_id_stands() -> None:
    """A repetition adds nothing, and a contradiction changes nothing; a backfill is another source."""
    first = story("s1", "l1", id="e1")
    second = {**story("s2", "l2"), "id": "e1"}

    assert truth(first, second, first).legacies() == ["l1"]
    assert truth(second, first).legacies() == ["l2"]
    assert truth(first, {**second, "source": "backfill"}).legacies() == ["l1", "l2"]


def test_a_story_counts_as_what_it_was_at_last() -> None:
    """Drafts and personal stories are nobody's; the latest look is that of the whole story."""
    draft = story("s1", "l1", status="draft", origin="prompt")
    told = story("s1", "l1", kind="updated", at="2026-03-05T00:00:00Z", visibility="public")
    hidden = story("s1", kind="updated", at="2026-03-06T00:00:00Z", visibility="personal")
    shown = truth(draft, told)

    assert truth(draft).facts == []
    assert shown.breakdown("stories", "visibility", "l1", MARCH) == {"public": 1}
    assert shown.breakdown("stories", "origin", "l1", MARCH) == {"prompt": 1}
    assert shown.breakdown("tellings", "kind", "", MARCH) == {"story": 1}
    assert truth(draft, told, hidden).facts == []


def test_a_reaction_is_a_switch() -> None:
    """Only changes count; of two words at one moment the greater id is the last."""
    on = reaction("s1", "l1", id="e2")
    off = reaction("s1", "l1", reacted=False, id="e1")
    later = reaction("s1", "l1", reacted=False, at="2026-03-02T00:00:00Z")

    assert counts(truth(on, off)) == {"reactions": 1}
    assert counts(truth(on, {**off, "id": "e3"})) == {}
    assert truth(on, later, later).value("hearts", "l1", MARCH, "UTC") == 0
    assert len(truth(on, later).facts) == 4


def test_the_day_of_a_telling_and_of_its_end() -> None:
    """Who took it back within the range has not told; after the range it still stood."""
    told = story("s1", "l1", at="2026-03-02T00:00:00Z")

    def deleted(at: str) -> Oracle:
        return truth(told, event("story.deleted", {"story_id": "s1"}, at=at))

    assert counts(deleted("2026-03-31T23:59:59Z")) == {}
    assert counts(deleted("2026-04-01T00:00:00Z"))["storytellers"] == 1


def test_who_is_deleted_was_never_seen() -> None:
    """What they began goes whole, what they added goes, and so do the legacies they made."""
    events = [
        event("legacy.created", {"legacy_id": "l9"}, by="user:ada"),
        story("s1", "l1", by="user:ada"),
        story("s1", "l1", kind="updated", at="2026-03-03T00:00:00Z", by="user:ben"),
        story("s2", "l1", by="user:ben"),
        story("s2", "l1", kind="updated", visibility="personal", at="2026-03-03T00:00:00Z"),
        story("s3", "l9", by="user:ben"),
        story("s4", "l9", "l1", by="user:ben"),
        reaction("s2", "l1", by="user:ada"),
    ]
    oracle = truth(*events, gone("ada"))

    assert counts(oracle, "l1") == {"stories": 2, "storytellers": 1, "tellings": 2}
    assert counts(oracle) == counts(oracle, "l1")
    assert counts(oracle, "l9") == {}
    assert sorted(oracle.facts, key=repr) == sorted(truth(gone("ada"), *events).facts, key=repr)


def test_a_deleted_legacy_takes_what_was_only_told_there() -> None:
    """A story of two legacies stays in the other and once in the tenant; no orphan is left."""
    oracle = truth(
        story("s1", "l1", "l2"),
        story("s2", "l1"),
        story("s2", kind="updated", at="2026-03-03T00:00:00Z"),
        event("legacy.deleted", {"legacy_id": "l1"}),
    )

    assert oracle.legacies() == ["l2"]
    assert counts(oracle)["stories"] == 1


def test_a_revoked_legacy_keeps_nothing() -> None:
    """What was kept is forgotten, what comes later is refused, and a grant may be of some types."""
    told, later = story("s1", "l1", "l2"), story("s2", "l1", at="2026-03-09T00:00:00Z")
    heart = reaction("s1", "l1", at="2026-03-09T00:00:00Z")
    only = granted("l1", "story.created", at="2026-03-08T00:00:00Z")

    assert truth(told, revoked("l1"), later).legacies() == ["l2"]
    assert counts(truth(told, heart, only, later), "l1")["stories"] == 2
    assert "reactions" not in counts(truth(told, heart, only, later))


def test_who_opts_out_leaves_content_without_a_name() -> None:
    """Stories stay, reactions go; from the word of return on everything counts anew."""
    opted_out = gone("ada", "user.activity_tracking.disabled_and_purged", at="2026-03-10T00:00:00Z")
    back = gone("ada", "user.activity_tracking.enabled", at="2026-03-20T00:00:00Z")
    early, between, late = (
        [
            story(f"s{day}", "l1", at=f"2026-03-{day}T00:00:00Z"),
            reaction("s1", "l1", kind, at=f"2026-03-{day}T00:00:00Z"),
        ]
        for day, kind in (("05", "heart"), ("15", "candle"), ("20", "smile"))
    )
    oracle = truth(opted_out, back, *early, *between, *late)

    assert oracle.value("stories", "l1", MARCH, "UTC") == 3
    assert oracle.value("reactions", "l1", MARCH, "UTC") == 1
    assert oracle.value("smiles", "l1", MARCH, "UTC") == 1
    assert oracle.value("storytellers", "l1", MARCH, "UTC") == 1
    assert counts(truth(opted_out, *early, *between, *late)) == {"stories": 3, "tellings": 3}


def test_days_are_those_on_the_wall() -> None:
    """A moment is another day elsewhere, also by a quarter of an hour."""
    at = 1_772_387_100_000_000  # 2026-03-01T17:45:00Z

    assert day_in("UTC", at) == date(2026, 3, 1)
    assert day_in("Asia/Kathmandu", at + 30 * 60_000_000) == date(2026, 3, 2)
    assert day_in("Asia/Kathmandu", at + 30 * 60_000_000 - 1) == date(2026, 3, 1)


def test_units_are_cut_where_they_begin() -> None:
    """A bar is complete when none of its unit is missing, and none of it is still to come."""
    span = Span(date(2026, 2, 27), date(2026, 3, 10))
    week = buckets(span, "week", date(2026, 3, 8))
    months = buckets(span, "month", date(2026, 12, 1))

    assert week[1] == Bucket(date(2026, 3, 2), date(2026, 3, 9), False)
    assert buckets(span, "week", date(2026, 3, 9))[1].complete
    assert buckets(span, "week", date(2026, 3, 9), week_start="sun")[0].end == date(2026, 3, 1)
    assert [(each.start.day, each.complete) for each in months] == [(27, False), (1, False)]
    assert len(buckets(Span(date(2026, 1, 1), date(2027, 1, 1)), "quarter", date(2026, 5, 1))) == 4


def test_units_since_a_passing() -> None:
    """Months begin on the day of the month of the passing, or on the last there is."""
    passing = date(2026, 1, 31)
    span = Span(date(2026, 1, 30), date(2026, 4, 1))
    found = buckets(span, "month", date(2026, 12, 1), passing=passing)
    weeks = buckets(span, "week", date(2026, 12, 1), passing=passing)

    assert [each.start for each in found] == [
        *(date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)),
    ]
    assert [each.complete for each in found] == [False, True, True, False]
    assert [each.start for each in weeks[:3]] == [
        *(date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 7)),
    ]


def test_the_period_before() -> None:
    """Days move by days, months by months, and Feb 29 becomes Feb 28."""
    leap = Span(date(2024, 2, 1), date(2024, 3, 1))

    assert shifted(leap, 12) == Span(date(2023, 2, 1), date(2023, 3, 1))
    assert previous(leap, None) == Span(date(2024, 1, 3), date(2024, 2, 1))
    assert previous(leap, "1mo") == Span(date(2024, 1, 1), date(2024, 1, 30))
    assert previous(leap, "all") is None
    assert months_later(date(2024, 3, 31), -1) == date(2024, 2, 29)


def test_a_series_has_the_same_days_of_another_time_beside_it() -> None:
    """The year before by date, the period before by length; a day without a counterpart has none."""
    oracle = truth(
        story("s1", "l1", at="2026-03-01T12:00:00Z"),
        story("s2", "l1", at="2026-02-28T12:00:00Z"),
    )
    asked: dict[str, Any] = {"dates": Span(date(2026, 3, 1), date(2026, 3, 3)), "interval": "day"}

    def previous_of(**other: Any) -> list[list[int] | None]:
        rows = oracle.timeseries("l1", **asked, **other)["buckets"]
        return [row["previous"] for row in rows]

    day_before = Span(date(2026, 2, 28), date(2026, 3, 1))
    assert previous_of(compare="previous_period") == [[0], [1]]
    assert previous_of(compare="previous_year") == [[0], [0]]
    assert previous_of(compare="custom", compare_dates=day_before) == [[1], None]
    assert "previous" not in oracle.timeseries("l1", **asked)["buckets"][0]


def test_the_day_of_a_passing_is_known_or_not() -> None:
    """A year alone is no day from which to count; the latest word stands."""

    def passing(**other: str) -> date | None:
        said = {"legacy_id": "l1", "death_date": "2025-02-14", **other}
        return truth(event("legacy.created", said)).passing("l1")

    assert passing(death_date_precision="day") == date(2025, 2, 14)
    assert passing(death_date_precision="year", death_date="2025") is None
    assert passing(death_date_precision="month") is None
