"""What was set aside: listed without its content, tried again, and forgotten in the end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mosaiclife_plugin_sdk import BadRequest
from plugin_analytics.model import events
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.services.quarantine import KEPT_FOR, Quarantine, QuarantineQuery, Retry
from plugin_analytics.store import arrivals
from tests.support.events import TENANT, event, revoked, story
from tests.unit.backend.conftest import NOW, Bench

SOON = (NOW + timedelta(minutes=30)).isoformat()


class Ward:
    """The two services of the quarantine, over a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.list = Quarantine(bench.store, Cursors(b"c" * 32))
        self.counted: list[tuple[str, str, int]] = []
        self.commits = 0

    def page(self, limit: int = 20, reason: Any = None, cursor: str | None = None) -> Any:
        return self.list(TENANT, QuarantineQuery(reason, limit, cursor))

    def reasons(self) -> list[str]:
        return [entry.reason for entry in self.page().data]

    def retry(self, now: datetime, cancelled: Callable[[], bool] = lambda: False) -> dict[str, int]:
        again = Retry(
            self.bench.store,
            lambda: now,
            count=lambda *counted: self.counted.append(counted),
            committed=self._committed,
        )
        return again(cancelled)

    def _committed(self) -> None:
        self.commits += 1


@pytest.fixture
def ward(bench: Bench) -> Ward:
    """Return an empty quarantine."""
    return Ward(bench)


def test_listing_names_the_fault_and_nothing_of_the_event(ward: Ward) -> None:
    """Reason, type, field and moment are there; neither ids nor payload are."""
    ward.bench.deliver([story("s1", "l1", id="e1", visibility="odd"), {"id": "e2"}])

    entries = {entry.type: entry for entry in ward.page().data}

    assert {entry.reason for entry in entries.values()} == {"SCHEMA"}
    assert entries["story.created"].field == "$.payload.visibility"
    assert entries["story.created"].received_at == NOW
    assert entries[None].retryable is False
    assert "e1" not in {entry.id for entry in entries.values()}


def test_pages_lead_through_all_of_it_once(ward: Ward) -> None:
    """The newest stand first, and no page repeats or skips, also of many at one moment."""
    for number in range(3):
        ward.bench.deliver([{"id": f"a{number}{one}"} for one in range(4)])

    ids, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        report = ward.page(limit=5, cursor=cursor)
        ids += [entry.id for entry in report.data]
        cursor, pages = report.meta["pagination"].next_cursor, pages + 1

    assert (len(ids), len(set(ids)), pages) == (12, 12, 3)
    with pytest.raises(BadRequest):
        ward.page(cursor="AAAA")


def test_listing_by_reason_and_tenant(ward: Ward) -> None:
    """A reason narrows the list, a cursor of one list does not open another, tenants are apart."""
    ward.bench.deliver([{}, {"id": "e1"}, story("s1", "l1", at=SOON)])
    ward.bench.deliver([{}], tenant="other")

    schema = ward.page(limit=1, reason="SCHEMA")

    assert len(ward.page(reason="SCHEMA").data) == 2
    assert [entry.retryable for entry in ward.page(reason="IN_FUTURE").data] == [True]
    with pytest.raises(BadRequest):
        ward.page(cursor=schema.meta["pagination"].next_cursor)
    assert len(ward.list("other", QuarantineQuery(None, 20, None)).data) == 1


def test_an_event_that_was_early_is_taken_in_time(ward: Ward) -> None:
    """It counts as if it had come later, its row is gone, and a redelivery knows it."""
    early = story("s1", "l1", at=SOON, by="user:ada")
    ward.bench.deliver([early])
    assert ward.retry(NOW) == {"taken": 0, "forgotten": 0}

    assert ward.retry(NOW + timedelta(hours=1)) == {"taken": 1, "forgotten": 0}

    assert ward.reasons() == []
    assert (ward.counted, ward.commits) == ([("story.created", "accepted", 1)], 1)
    ward.bench.refresh()
    assert ward.bench.metrics("l1") == {"stories": 1, "storytellers": 1}
    pending = ward.bench.store.pending(TENANT, 0, 10)
    assert pending is not None
    assert pending.events[0].id == early["id"]


@pytest.mark.parametrize("early", [True, False])
def test_a_retried_event_is_the_one_that_would_have_come(ward: Ward, early: bool) -> None:
    """Whether it waited in quarantine or was sent again first, it is stored once."""
    message = {
        "type": "stories.created",
        "timestamp": SOON,
        "payload": {"story_id": "s1", "legacy_ids": ["l1"], "status": "published"},
    }
    ward.bench.deliver([message])
    later = NOW + timedelta(hours=1)
    ward.bench.ingest._clock = lambda: later

    if early:
        ward.retry(later)
        assert ward.bench.deliver([message])["duplicate"] == 1
    else:
        assert ward.bench.deliver([message])["accepted"] == 1
        ward.retry(later)
        assert ward.counted == [("story.created", "duplicate", 1)]

    pending = ward.bench.store.pending(TENANT, 0, 10)
    assert pending is not None
    assert len(pending.events) == 1


def test_an_upgrade_reads_what_was_too_new(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that this release has learned is taken from the quarantine."""
    ward.bench.deliver([story("s1", "l1") | {"version": 2}, story("s2", "l1")])
    assert ward.retry(NOW)["taken"] == 0

    monkeypatch.setattr(events, "VERSIONS", frozenset({1, 2}))

    assert ward.retry(NOW)["taken"] == 1
    ward.bench.refresh()
    assert ward.bench.metrics("l1")["stories"] == 2


def test_a_revocation_closes_the_quarantine_too(ward: Ward) -> None:
    """What was early and is no longer allowed stays out."""
    ward.bench.deliver([story("s1", "l1", at=SOON)])
    ward.bench.deliver([revoked("l1")])

    assert ward.retry(NOW + timedelta(hours=1))["taken"] == 0


def test_a_permission_that_was_early_counts_from_then_on(ward: Ward) -> None:
    """What it said stands in the store once it is taken."""
    ward.bench.deliver([revoked("l1", at=SOON)])

    assert ward.retry(NOW + timedelta(hours=1))["taken"] == 1
    assert ward.bench.store.grants(TENANT)["l1"].types == frozenset()


def test_poison_is_forgotten_after_two_weeks(ward: Ward) -> None:
    """Not a moment earlier."""
    ward.bench.deliver([{}])

    assert ward.retry(NOW + KEPT_FOR)["forgotten"] == 0
    assert ward.retry(NOW + KEPT_FOR + timedelta(seconds=1))["forgotten"] == 1
    assert ward.reasons() == []


def test_what_a_slow_clock_has_set_aside_is_tried_before_it_is_forgotten(ward: Ward) -> None:
    """Set aside under a clock two years behind, it looks too old to keep, and is taken."""
    ward.bench.ingest._clock = lambda: NOW - timedelta(days=800)
    ward.bench.deliver([story("s1", "l1", at=NOW.isoformat())])

    assert ward.retry(NOW) == {"taken": 1, "forgotten": 0}


def test_what_a_fast_clock_has_called_too_old_is_taken_by_the_right_one(ward: Ward) -> None:
    """TOO_OLD is a word of the clock, and so is tried again."""
    ward.bench.ingest._clock = lambda: NOW + timedelta(days=500)
    ward.bench.deliver([story("s1", "l1", at=NOW.isoformat())])

    assert ward.reasons() == ["TOO_OLD"]
    assert ward.retry(NOW) == {"taken": 1, "forgotten": 0}


def test_nothing_is_forgotten_while_the_clock_leaps(ward: Ward) -> None:
    """An hour of wrong time does not empty the quarantine."""
    ward.bench.deliver([{}])
    now = [NOW]
    again = Retry(ward.bench.store, lambda: now[0], count=lambda *_: None, committed=lambda: None)
    now[0] += timedelta(days=400)

    assert again(lambda: False)["forgotten"] == 0
    assert ward.reasons() == ["SCHEMA"]


def test_a_cancelled_retry_stops(ward: Ward) -> None:
    """Between two pieces of work it asks whether it should go on."""
    ward.bench.deliver([story("s1", "l1", at=SOON)])

    assert ward.retry(NOW + timedelta(hours=1), lambda: True)["taken"] == 0


def test_refused_grants_do_not_stop_a_full_tenant(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody allows is counted where it has no room, and its neighbours are stored."""
    ward.bench.deliver([revoked("l1")])
    monkeypatch.setattr(arrivals, "QUARANTINE_ROWS", 2)

    batch = [*(story(f"s{n}", "l1") for n in range(4)), story("s9", "l2")]
    answer = ward.bench.deliver(batch)

    assert (answer["accepted"], answer["quarantined"]) == (1, 4)
    assert ward.reasons() == ["NO_GRANT", "NO_GRANT"]


def test_known_poison_needs_no_new_room(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose poison is held already is taken although the quarantine is full."""
    monkeypatch.setattr(arrivals, "QUARANTINE_ROWS", 1)
    bad = event("story.created", {}, id="bad")
    ward.bench.deliver([bad])

    assert ward.bench.deliver([bad, story("s1", "l1")])["accepted"] == 1
