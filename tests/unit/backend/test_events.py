"""Reading events: what is taken, what is ignored, what is set aside, and what never raises."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaiclife_plugin_sdk import BadRequest, PayloadTooLarge
from plugin_analytics.model.envelopes import read_parcel, traceparents
from plugin_analytics.model.events import Event, Ignored, Judge, Poison
from plugin_analytics.model.pseudonyms import Pseudonyms
from tests.support.events import TENANT, body_of, event, reaction, story

NOW = datetime(2026, 3, 2, tzinfo=UTC)
JUDGE = Judge(TENANT, NOW, Pseudonyms(b"a key of thirty-two characters!!"))


def judged(envelope: Any) -> Event | Ignored | Poison:
    return JUDGE(msgspec.Raw(json.dumps(envelope).encode()))


def taken(envelope: Any) -> Event:
    result = judged(envelope)
    assert isinstance(result, Event), result
    return result


def test_single_envelope_and_list_are_both_batches() -> None:
    """A body is one envelope or `{"events": […]}`."""
    one = story("s1", "l1")

    assert len(read_parcel(json.dumps(one).encode()).events) == 1
    assert len(read_parcel(body_of([one, one])).events) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"7",
        b'{"events": 7}',
        b'{"events": {}}',
        b"\xff\xfe",
        b'{"events": [',
        b'{"events": ' + b"[" * 100_000,
        b"[" * 100_000,
    ],
)
def test_unreadable_body_is_refused(body: bytes) -> None:
    """A body that holds no events is a 400, however it is broken."""
    with pytest.raises(BadRequest):
        read_parcel(body)


def test_batch_of_more_than_500_is_refused() -> None:
    """501 events are too many; 500 are not."""
    assert len(read_parcel(body_of([{}] * 500)).events) == 500
    with pytest.raises(PayloadTooLarge):
        read_parcel(body_of([{}] * 501))


def test_only_listed_fields_are_kept() -> None:
    """A title, a text or an e-mail in a payload never gets as far as the store."""
    kept = taken(story("s1", "l1", title="canary", content="canary", author_email="a@canary"))

    assert b"canary" not in kept.body
    assert json.loads(kept.body)["story_id"] == "s1"


def test_actor_becomes_a_pseudonym_of_the_tenant() -> None:
    """The same person has one pseudonym in a tenant and another in the next."""
    here = taken(story("s1", "l1", by="user:ada")).person
    again = taken(story("s2", "l1", by="user:ada")).person
    elsewhere = Judge("other", NOW, JUDGE.pseudonymise)(
        msgspec.Raw(json.dumps(story("s1", "l1", by="user:ada", tenant="other")).encode())
    )

    assert here == again
    assert here is not None
    assert len(here) == 16
    assert b"ada" not in here
    assert isinstance(elsewhere, Event)
    assert elsewhere.person != here


@pytest.mark.parametrize("actor", ["service:sweeper", "plugin:other", None])
def test_services_are_not_people(actor: str | None) -> None:
    """Only an actor of kind user is a person."""
    assert taken(story("s1", "l1", by=actor)).person is None


def test_key_depends_on_tenant_source_and_id() -> None:
    """Events are the same when tenant, source and id are, and length borrows nothing."""
    first = taken({**story("s1", "l1"), "source": "ab", "id": "c"})
    moved = taken({**story("s1", "l1"), "source": "a", "id": "bc"})

    assert first.key != moved.key
    assert first.key == taken({**story("other", "l2"), "source": "ab", "id": "c"}).key
    elsewhere = Judge("other", NOW, JUDGE.pseudonymise)(
        msgspec.Raw(
            json.dumps({**story("s1", "l1", tenant="other"), "source": "ab", "id": "c"}).encode()
        )
    )
    assert isinstance(elsewhere, Event)
    assert elsewhere.key != first.key


def test_content_ignores_what_is_not_kept() -> None:
    """A redelivery with another title is the same event; one with another status is not."""
    base = story("s1", "l1", id="x1")

    titled = {**base, "payload": {**base["payload"], "title": "new"}}
    changed = {**base, "payload": {**base["payload"], "status": "draft"}}

    assert taken(titled).content == taken(base).content
    assert taken(changed).content != taken(base).content


def test_unknown_type_is_ignored_even_when_odd() -> None:
    """A type that no report asks for is ignored, whatever its payload or version."""
    result = judged(event("weather.changed", {"text": "…"}, version=9))

    assert isinstance(result, Ignored)
    assert result.type == "weather.changed"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"tenant_id": "another"}, "TENANT_MISMATCH", "$.tenant_id"),
        ({"version": 2}, "UNSUPPORTED_VERSION", "$.version"),
        ({"occurred_at": "2026-03-02T00:05:01Z"}, "IN_FUTURE", "$.occurred_at"),
        ({"occurred_at": "1989-12-31T23:59:59Z"}, "TOO_OLD", "$.occurred_at"),
        ({"occurred_at": "2025-01-25T23:59:59Z"}, "TOO_OLD", "$.occurred_at"),
        (
            {"occurred_at": "1989-12-31T23:59:59Z", "source": "backfill"},
            "TOO_OLD",
            "$.occurred_at",
        ),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "TOO_OLD", "$.occurred_at"),
        ({"occurred_at": "2026-03-01T12:00:00"}, "SCHEMA", "$.occurred_at"),
        ({"occurred_at": 7}, "SCHEMA", "$.occurred_at"),
        ({"id": "with space"}, "SCHEMA", "$.id"),
        ({"id": "line\n"}, "SCHEMA", "$.id"),
        ({"id": None}, "SCHEMA", "$.id"),
        ({"actor_id": "ada"}, "SCHEMA", "$.actor_id"),
        ({"resource": []}, "SCHEMA", "$.resource"),
        ({"payload": []}, "SCHEMA", "$.payload"),
        ({"payload": {"story_id": 7}}, "SCHEMA", "$.payload.story_id"),
        ({"payload": {"story_id": "s", "status": "odd"}}, "SCHEMA", "$.payload.status"),
        ({"payload": {"story_id": "s", "legacy_ids": ["a", ""]}}, "SCHEMA", "$.payload.legacy_ids"),
    ],
)
def test_poison_is_named(change: dict[str, Any], reason: str, field: str) -> None:
    """Each fault has its reason and the JSON path where it lies."""
    result = judged({**story("s1", "l1"), **change})

    assert isinstance(result, Poison)
    assert result.reason == reason
    assert result.field.startswith(field)


def test_five_minutes_ahead_is_still_now() -> None:
    """A clock that is five minutes fast loses nothing."""
    taken(story("s1", "l1", at="2026-03-02T00:05:00Z"))


def test_four_hundred_days_are_not_too_old() -> None:
    """A live event may be as old as the raw window, and no older."""
    assert not taken(story("s1", "l1", at="2025-01-26T00:00:00Z")).backfill


def test_backfill_may_be_as_old_as_time_zones() -> None:
    """What a source fills in later is marked, so that reports of the present can leave it out."""
    filled = taken({**story("s1", "l1", at="1990-01-01T00:00:00Z"), "source": "backfill"})

    assert filled.backfill


def test_poison_of_an_unknown_type_is_set_aside_without_its_name() -> None:
    """A sender's own words for a type get into no table."""
    result = judged({**event("ada.lovelace", {}), "occurred_at": 7})

    assert isinstance(result, Poison)
    assert result.type is None


def test_future_poison_keeps_what_a_retry_needs() -> None:
    """An event that is only early is set aside with its kept fields, not its texts."""
    result = judged(story("s1", "l1", at="2026-03-05T00:00:00Z", title="canary"))

    assert isinstance(result, Poison)
    assert result.kept is not None
    assert json.loads(result.kept)["payload"]["story_id"] == "s1"
    assert b"canary" not in result.kept


def test_event_of_more_than_64_kib_is_poison() -> None:
    """One oversized event is set aside; its neighbours are not concerned."""
    result = judged(story("s1", "l1", content="x" * 65_536))

    assert isinstance(result, Poison)
    assert result.reason == "TOO_LARGE"


def test_broken_text_inside_an_event_is_poison() -> None:
    """A lone surrogate in a kept field cannot be stored, so it is set aside."""
    raw = json.dumps(reaction("s1", "l1")).replace('"s1"', '"\\ud800"').encode()

    assert isinstance(JUDGE(msgspec.Raw(raw)), Poison)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(sorted(story("s1", "l1")))


@given(field=FIELDS, value=ANY_JSON)
def test_nothing_in_an_event_makes_the_judge_raise(field: str, value: Any) -> None:
    """Whatever stands in whatever field, an event is taken, ignored or set aside."""
    assert isinstance(judged({**story("s1", "l1"), field: value}), Event | Ignored | Poison)


@given(value=ANY_JSON)
def test_nothing_instead_of_an_event_makes_the_judge_raise(value: Any) -> None:
    """What is not even an envelope is set aside."""
    assert isinstance(judged(value), Poison)


def test_events_tell_under_which_span_they_happened() -> None:
    """CloudEvents carry it as an extension; what carries none, or cannot be read, tells nothing."""
    events = [
        msgspec.Raw(b'{"id":"a","traceparent":"00-1"}'),
        msgspec.Raw(b'{"id":"b"}'),
        msgspec.Raw(b'{"traceparent":7}'),
        msgspec.Raw(b"{"),
        msgspec.Raw(b'{"traceparent":"00-2"}'),
    ]

    assert list(traceparents(events)) == ["00-1", "00-2"]
