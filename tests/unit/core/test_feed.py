"""The living data: the same for a seed, plausible, and without a title."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import jsonschema_rs
import msgspec
import pytest

from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.feed import TITLES, Feed
from mosaiclife_devcore.generator.rhythm import attention
from mosaiclife_devcore.journal import Event, Journal
from mosaiclife_devcore.world import World, build_world

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCHEMA = Path(__file__).resolve().parents[3] / "sdk/schema/event.schema.json"


def a_feed(now: datetime = NOW, seed: int = 7) -> Feed:
    world = build_world(seed, now.date())
    return Feed(world, Journal(), Bus(), seed=seed, clock=lambda: now)


@pytest.fixture(scope="module")
def history() -> list[Event]:
    return a_feed().history(NOW)


def test_the_history_is_the_same_for_a_seed(history: list[Event]) -> None:
    """Two cores of one seed tell the same story, and another seed another."""
    assert a_feed().history(NOW) == history
    assert a_feed(seed=8).history(NOW) != history


def test_a_core_that_starts_a_day_later_repeats_the_same_events(history: list[Event]) -> None:
    """A plugin that knows the past recognises all of it: nothing is counted twice."""
    before = {event.id: event for event in history}
    after = {event.id: event for event in a_feed(NOW + timedelta(days=1)).history(NOW)}
    month_back = (NOW - timedelta(days=300)).isoformat()
    recent = {key: event for key, event in before.items() if event.occurred_at > month_back}

    assert recent == {key: event for key, event in after.items() if event.occurred_at > month_back}


@pytest.mark.parametrize("months", range(0, 12, 3))
def test_a_history_has_about_six_hundred_events_whenever_it_begins(months: int) -> None:
    """A demonstration looks alive in every season."""
    now = NOW + timedelta(days=30 * months)

    assert 400 < len(a_feed(now).history(now)) < 1000


def test_events_are_in_order_with_ids_of_their_own(history: list[Event]) -> None:
    """What is told is told in the order of time, and never in the future."""
    moments = [event.occurred_at for event in history]

    assert moments == sorted(moments)
    assert moments[-1] <= NOW.isoformat().replace("+00:00", ".000Z")
    assert len({event.id for event in history}) == len(history)


def test_every_event_keeps_the_schema_and_no_title(history: list[Event]) -> None:
    """The envelope is the published one, and titles stay with core."""
    schema = jsonschema_rs.validator_for(msgspec.json.decode(SCHEMA.read_bytes()))
    for event in history:
        schema.validate(msgspec.to_builtins(event))
    wire = msgspec.json.encode(history).decode()

    assert not [title for title in TITLES if title in wire]
    assert {event.type for event in history} >= {
        *("legacy.created", "story.created", "story.updated", "story_response.created"),
        *("story_reaction.toggled", "media.upload_confirmed"),
    }


def test_nobody_answers_what_was_not_told(history: list[Event]) -> None:
    """Each response and reaction is to a story that came before it."""
    told: set[str] = set()
    for event in history:
        if event.type == "story.created":
            told.add(event.resource.id)
        elif event.type in {"story_response.created", "story_reaction.toggled"}:
            recent = event.occurred_at > (NOW - timedelta(days=330)).isoformat()
            assert not recent or event.payload["story_id"] in told


def test_people_come_in_the_evening(history: list[Event]) -> None:
    """More happens between five and ten in the evening than in the whole morning."""
    hours = Counter(int(event.occurred_at[11:13]) for event in history)

    assert sum(hours[hour] for hour in range(16, 21)) > sum(hours[hour] for hour in range(4, 11))


def test_attention_falls_after_a_passing_and_returns_on_its_day() -> None:
    """Grief is loud at first, then quiet, and the day itself is not forgotten."""
    legacy = build_world(7, date(2026, 11, 23)).legacies[0]
    days = [attention(legacy, legacy.passed + timedelta(days=count)) for count in (2, 9, 60, 200)]
    anniversary = legacy.passed.replace(year=legacy.passed.year + 1)

    assert days == sorted(days, reverse=True)
    assert attention(legacy, anniversary) > 5 * attention(legacy, anniversary + timedelta(days=40))
    assert attention(legacy, legacy.passed) == 0, "the legacy is made some days later"


def test_what_happens_now_is_written_and_shown() -> None:
    """Each beat of the living feed adds to the journal, now, about a known legacy."""
    world: World = build_world(7, NOW.date())
    journal, chance = Journal(), Random(1)
    feed = Feed(world, journal, Bus(), seed=7, clock=lambda: NOW)
    for _ in range(50):
        feed.happen(chance)
    _, events = journal.since(0, 500)

    assert len(events) > 40
    assert {event.occurred_at for event in events} == {"2026-11-23T12:00:00.000Z"}
    assert len({event.id for event in events}) == len(events)
