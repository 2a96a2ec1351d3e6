"""Reducing acts to facts: each family by itself, and the law that order never matters."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.model.events import Event, Judge
from plugin_analytics.model.families import BY_TYPE, Act, Fact
from plugin_analytics.model.pseudonyms import Pseudonyms
from tests.support.events import TENANT, event, media, reaction, response, story

JUDGE = Judge(TENANT, datetime(2026, 12, 1, tzinfo=UTC), Pseudonyms(b"k" * 32))


def facts(*envelopes: dict[str, Any]) -> list[Fact]:
    acts = []
    for envelope in envelopes:
        taken = JUDGE(msgspec.Raw(json.dumps(envelope).encode()))
        assert isinstance(taken, Event), taken
        acts.append(Act(taken.at, taken.id, taken.type, taken.person, taken.body))
    return list(BY_TYPE[acts[0].type].facts(acts))


def net(found: list[Fact], metric: str, legacy: str = "") -> int:
    return sum(fact.delta for fact in found if (fact.metric, fact.legacy) == (metric, legacy))


def deleted(story_id: str, **other: Any) -> dict[str, Any]:
    return event("story.deleted", {"story_id": story_id}, **other)


def test_story_in_two_legacies_counts_once_in_the_tenant() -> None:
    """Each legacy has it, and the whole tenant has it once; a repeated legacy adds nothing."""
    found = facts(story("s1", "l1", "l2", "l1"))

    assert [net(found, "stories", scope) for scope in ("l1", "l2", "")] == [1, 1, 1]


@pytest.mark.parametrize("hidden", [{"status": "draft"}, {"visibility": "personal"}])
def test_drafts_and_personal_stories_count_for_nobody(hidden: dict[str, str]) -> None:
    """Neither the legacy nor the tenant counts what is not shown to the circle."""
    assert facts(story("s1", "l1", **hidden)) == []


def test_story_counts_on_the_day_it_was_first_published() -> None:
    """A draft that is published later counts later, and an edit does not move it."""
    found = facts(
        story("s1", "l1", status="draft", at="2026-01-01T00:00:00Z"),
        story("s1", "l1", kind="updated", at="2026-02-01T00:00:00Z"),
        story("s1", "l1", kind="updated", at="2026-03-01T00:00:00Z"),
    )

    moments = {fact.at for fact in found}
    assert moments == {int(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1e6)}


def test_author_is_who_created_the_story() -> None:
    """An admin who publishes somebody's draft has not told it."""
    ada, ben = (facts(story("s1", "l1", by=who))[0].person for who in ("user:ada", "user:ben"))

    found = facts(
        story("s1", "l1", status="draft", by="user:ada", at="2026-01-01T00:00:00Z"),
        story("s1", "l1", kind="updated", by="user:ben", at="2026-01-02T00:00:00Z"),
    )

    assert {fact.person for fact in found} == {ada} != {ben}


def test_update_that_leaves_fields_out_changes_nothing_else() -> None:
    """A field that an update does not name keeps its value."""
    update = event("story.updated", {"story_id": "s1"}, at="2026-03-02T00:00:00Z")

    found = facts(story("s1", "l1"), update)

    assert net(found, "stories", "l1") == 1


def test_story_made_personal_leaves_the_counts() -> None:
    """What its author takes back from the circle is no longer counted on any day."""
    personal = story("s1", "l1", kind="updated", visibility="personal", at="2026-03-02T00:00:00Z")

    assert facts(story("s1", "l1"), personal) == []


def test_deletion_counts_on_its_own_day() -> None:
    """A deleted story has come and gone: plus one then, minus one now."""
    found = facts(story("s1", "l1"), deleted("s1", at="2026-04-01T00:00:00Z"))

    assert net(found, "stories", "l1") == 0
    assert sorted(fact.delta for fact in found if fact.legacy == "l1") == [-1, 1]
    assert {fact.until for fact in found if fact.delta == 1} != {None}


def test_deletion_that_arrives_first_still_wins() -> None:
    """What arrives in the wrong order ends in the same state."""
    gone = deleted("s1", at="2026-04-01T00:00:00Z")

    assert net(facts(gone, story("s1", "l1")), "stories") == 0


def test_update_after_deletion_brings_nothing_back() -> None:
    """Only a creation does."""
    gone = deleted("s1", at="2026-04-01T00:00:00Z")
    edited = story("s1", "l1", kind="updated", at="2026-05-01T00:00:00Z")
    recreated = story("s1", "l1", at="2026-06-01T00:00:00Z")

    assert net(facts(story("s1", "l1"), gone, edited), "stories") == 0
    assert net(facts(story("s1", "l1"), gone, edited, recreated), "stories") == 1


def test_deletion_of_the_unknown_counts_nothing() -> None:
    """A story that was never seen cannot be missed."""
    assert facts(deleted("s9")) == []


def test_reaction_counts_on_transitions_only() -> None:
    """On, on, off, off, on is one heart."""
    states = [True, True, False, False, True]
    found = facts(
        *(
            reaction("s1", "l1", reacted=state, at=f"2026-03-0{day}T00:00:00Z")
            for day, state in enumerate(states, 1)
        )
    )

    deltas = [fact.delta for fact in found if fact.legacy == "l1"]
    assert deltas == [1, -1, 1]


def test_taking_back_what_was_never_put_counts_nothing() -> None:
    """An off without an on is no candle less."""
    assert facts(reaction("s1", "l1", "candle", reacted=False)) == []


def test_two_states_at_one_instant_leave_the_later_id() -> None:
    """Core's ids ascend, so the last of an instant stands."""
    at = "2026-03-01T00:00:00Z"

    on_then_off = facts(
        reaction("s1", "l1", id="a1", at=at), reaction("s1", "l1", id="a2", at=at, reacted=False)
    )
    off_then_on = facts(
        reaction("s1", "l1", id="a1", at=at, reacted=False), reaction("s1", "l1", id="a2", at=at)
    )

    assert net(on_then_off, "hearts") == 0
    assert net(off_then_on, "hearts") == 1


def test_response_and_media_count_once() -> None:
    """Two events about one thing are one thing, on its first day."""
    answers = facts(response("r1", "l1"), response("r1", "l1", at="2026-03-09T00:00:00Z"))
    files = facts(media("m1", "l1"), media("m1", "l1", at="2026-03-09T00:00:00Z"))

    assert net(answers, "responses", "l1") == 1
    assert net(files, "media", "l1") == 1


@pytest.mark.parametrize("end", ["deleted", "hidden"])
def test_response_that_is_gone_has_come_and_gone(end: str) -> None:
    """Plus one on its day, minus one on the day on which it went; a second end changes nothing."""
    ends = [
        event(f"story_response.{end}", {"response_id": "r1"}, at=f"2026-03-0{day}T00:00:00Z")
        for day in (8, 9)
    ]

    found = [fact for fact in facts(response("r1", "l1"), *ends) if fact.legacy == "l1"]

    assert [fact.delta for fact in found] == [1, -1]
    assert found[0].until == found[1].at


def test_converted_response_stays_an_answer() -> None:
    """That a story grew from it takes nothing away."""
    grown = event("story_response.converted", {"response_id": "r1", "new_story_id": "s2"})

    assert net(facts(response("r1", "l1"), grown), "responses") == 1


def test_deleted_file_is_subtracted_where_it_was() -> None:
    """A deletion names no legacy and needs none."""
    gone = event("media.deleted", {"media_id": "m1"}, at="2026-03-09T00:00:00Z")

    found = facts(media("m1", "l1", "l2"), gone)

    assert [net(found, "media", scope) for scope in ("l1", "l2", "")] == [0, 0, 0]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("thing", "end"),
    [
        (response("r1", "l1"), event("story_response.deleted", {"response_id": "r1"})),
        (media("m1", "l1"), event("media.deleted", {"media_id": "m1"})),
    ],
)
def test_end_before_the_beginning_wins(thing: dict[str, Any], end: dict[str, Any]) -> None:
    """What a skewed clock puts in the wrong order is gone all the same."""
    early = {**end, "occurred_at": "2026-02-28T00:00:00Z"}

    assert facts(thing, early) == []
    assert facts(end) == []


DAYS = st.integers(1, 5).map(lambda day: f"2026-03-0{day}T00:00:00Z")
STORY_ACTS = st.one_of(
    st.builds(
        lambda kind, at, status, look, by: story(
            "s1", "l1", kind=kind, at=at, status=status, visibility=look, by=by
        ),
        st.sampled_from(["created", "updated"]),
        DAYS,
        st.sampled_from(["draft", "published", None]),
        st.sampled_from(["private", "personal", None]),
        st.sampled_from(["user:ada", "user:ben", None]),
    ),
    st.builds(lambda at: deleted("s1", at=at), DAYS),
)
REACTION_ACTS = st.builds(
    lambda at, on, legacy: reaction("s1", legacy, at=at, reacted=on),
    DAYS,
    st.booleans(),
    st.sampled_from(["l1", "l2"]),
)
HISTORIES = st.one_of(
    st.lists(STORY_ACTS, min_size=1, max_size=6), st.lists(REACTION_ACTS, min_size=1, max_size=6)
)


@given(data=st.data(), acts=HISTORIES)
def test_order_of_arrival_never_matters(data: st.DataObject, acts: list[dict[str, Any]]) -> None:
    """Any order of the same acts gives the same facts."""
    shuffled = data.draw(st.permutations(acts))

    assert sorted(map(repr, facts(*acts))) == sorted(map(repr, facts(*shuffled)))


@given(acts=HISTORIES)
def test_net_count_is_never_below_zero_or_above_one(acts: list[dict[str, Any]]) -> None:
    """One story or one reaction is there or is not, at every moment of its history."""
    found = sorted(facts(*acts), key=lambda fact: (fact.at, -fact.delta))
    level = 0
    for fact in found:
        level += fact.delta if fact.legacy == "" else 0
        assert level in (0, 1)
