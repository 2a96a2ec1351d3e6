"""What a legacy lets the plugin count: by default, once granted, and after it was taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.model.grants import Grant, Standing
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.events import TENANT, event, granted, media, reaction, revoked, story
from tests.unit.backend.conftest import PLUGIN, Bench


def viewed(legacy: str = "l1", **other: Any) -> dict[str, Any]:
    return event("legacy.viewed", {"legacy_id": legacy}, **other)


def outcome(bench: Bench, one: dict[str, Any]) -> tuple[str, str | None]:
    """Deliver one event and return what became of it."""
    results = bench.deliver([one])["results"]
    return (results[0]["status"], results[0].get("code")) if results else ("accepted", None)


def test_without_a_word_shared_acts_count_and_observed_ones_do_not(bench: Bench) -> None:
    """What is done before the circle is counted; who only looked is not even stored."""
    assert outcome(bench, story("s1", "l1")) == ("accepted", None)
    assert outcome(bench, viewed()) == ("ignored", "NO_GRANT")

    pending = bench.store.pending(TENANT, 0, 10)
    assert pending is not None
    assert [each.type for each in pending.events] == ["story.created"]


def test_a_grant_lets_observed_acts_in(bench: Bench) -> None:
    """From the grant on, in the same batch too, and for its own legacy only."""
    answer = bench.deliver([viewed(), granted("l1"), viewed(), viewed("l2")])

    assert answer["accepted"] == 2
    assert [found["index"] for found in answer["results"]] == [0, 3]
    assert outcome(bench, viewed()) == ("accepted", None)


def test_a_grant_may_name_its_types(bench: Bench) -> None:
    """Only those, in whatever spelling, and nothing else of that legacy."""
    bench.deliver([granted("l1", "StoryCreated", "legacies.viewed", "no.such_type")])

    assert outcome(bench, story("s1", "l1")) == ("accepted", None)
    assert outcome(bench, viewed()) == ("accepted", None)
    assert outcome(bench, media("m1", "l1")) == ("quarantined", "NO_GRANT")


def test_nothing_gets_in_once_a_grant_was_taken_back(bench: Bench) -> None:
    """Later events are refused with the reason, and nothing of them is kept."""
    assert outcome(bench, reaction("s1", "l1")) == ("accepted", None)
    bench.deliver([revoked("l1")])

    for refused in (story("s2", "l1"), reaction("s2", "l1"), viewed()):
        assert outcome(bench, refused) == ("quarantined", "NO_GRANT")
    assert outcome(bench, story("s3", "l2")) == ("accepted", None)
    with bench.store._reads.connect() as connection:
        kept = connection.exec_driver_sql("SELECT kept FROM quarantine").scalars().all()
    assert kept == [None, None, None]


def test_deletions_need_nobodys_leave(bench: Bench) -> None:
    """What takes data away is taken in after a revocation as well."""
    bench.deliver([revoked("l1")])

    for deletion in (
        event("legacy.deleted", {"legacy_id": "l1"}),
        event("story.deleted", {"story_id": "s1"}),
        event("user.deleted", {"user_id": "ada"}),
    ):
        assert outcome(bench, deletion) == ("accepted", None)


def test_a_story_of_two_legacies_stays_in_the_other(bench: Bench) -> None:
    """The one that said no does not see it counted; the other and the tenant do, once."""
    bench.deliver([revoked("l1"), story("s1", "l1", "l2")])
    bench.refresh()

    assert bench.metrics("l1") == {}
    assert bench.metrics("l2") == bench.metrics() == {"stories": 1, "storytellers": 1}


def test_a_repetition_after_a_revocation_is_no_conflict(bench: Bench) -> None:
    """What is known is known, whether or not all of it may still be counted."""
    told = story("s1", "l1", "l2")
    bench.deliver([told])
    bench.deliver([revoked("l1")])

    assert outcome(bench, told) == ("duplicate", None)


def test_the_latest_word_stands_in_whatever_order(bench: Bench) -> None:
    """A grant that arrives after the revocation that followed it changes nothing."""
    bench.deliver([revoked("l1", at="2026-03-02T00:00:00Z")])
    bench.deliver([granted("l1", at="2026-03-01T00:00:00Z")])
    assert outcome(bench, viewed()) == ("quarantined", "NO_GRANT")

    bench.deliver([granted("l1", at="2026-03-03T00:00:00Z")])
    assert outcome(bench, viewed()) == ("accepted", None)


def test_grants_to_other_plugins_are_not_ours(bench: Bench) -> None:
    """What a keeper tells another plugin is ignored; what names this one, or none, is heard."""

    def to(plugin: str) -> dict[str, Any]:
        return event("plugin_permission.granted", {"legacy_id": "l1", "plugin_id": plugin})

    assert outcome(bench, to("another")) == ("ignored", None)
    assert outcome(bench, viewed()) == ("ignored", "NO_GRANT")

    assert outcome(bench, to(PLUGIN)) == ("accepted", None)
    assert outcome(bench, viewed()) == ("accepted", None)


def test_grants_outlive_the_process(bench: Bench) -> None:
    """They are read back at the first delivery after a start."""
    bench.deliver([revoked("l1"), granted("l2", "story.created")])
    bench.store.close()

    again = SQLiteStore(bench.store.path)
    try:
        later = Bench(again)
        assert outcome(later, story("s1", "l1")) == ("quarantined", "NO_GRANT")
        assert outcome(later, media("m1", "l2")) == ("quarantined", "NO_GRANT")
        assert outcome(later, story("s1", "l2")) == ("accepted", None)
    finally:
        again.close()


def test_tenants_do_not_share_grants(bench: Bench) -> None:
    """The same legacy id in another tenant is another legacy."""
    bench.deliver([revoked("l1")])

    elsewhere = bench.deliver([story("s1", "l1", tenant="other")], tenant="other")

    assert elsewhere["accepted"] == 1


@pytest.mark.parametrize(
    ("payload", "accepted"),
    [
        ({"permissions": {"webhook_events": True}}, True),
        ({"permissions": {"webhook_events": False}}, False),
        ({"permissions": {"webhook_events": []}}, False),
        ({"permissions": {"read_stories": ["public"]}}, True),
        ({}, True),
    ],
)
def test_what_a_grant_can_say(bench: Bench, payload: dict[str, Any], accepted: bool) -> None:
    """`webhook_events` is yes, no, or the types; a grant without it is a yes."""
    bench.deliver([event("plugin_permission.granted", {"legacy_id": "l1", **payload})])

    assert (outcome(bench, viewed())[0] == "accepted") is accepted


GRANTS = st.builds(
    Grant,
    st.integers(0, 3),
    st.sampled_from("abc"),
    st.none() | st.frozensets(st.sampled_from(["story.created", "legacy.viewed"])),
)


@given(grants=st.lists(GRANTS, min_size=1, unique_by=lambda grant: grant[:2]), data=st.data())
def test_order_of_words_never_matters(grants: list[Grant], data: st.DataObject) -> None:
    """Any order of the same words, known before or said now, leaves the same standing."""
    cut = data.draw(st.integers(0, len(grants)))
    shuffled = data.draw(st.permutations(grants))
    before = max(shuffled[:cut], key=lambda grant: grant[:2], default=None)
    standing = Standing({} if before is None else {"l1": before})

    for grant in shuffled[cut:]:
        standing.say("l1", grant)

    assert standing._of("l1") == max(grants, key=lambda grant: grant[:2])
