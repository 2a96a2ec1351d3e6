"""The generator: repeatable, plausible, as large as asked for, and faulty only when asked."""

import itertools
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

import jsonschema_rs
import msgspec
import pytest

from mosaiclife_devcore.generator import (
    PROFILES,
    RATES,
    TELLING,
    WATCHING,
    Envelope,
    Kind,
    Profile,
    generate,
    parse_faults,
)

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "sdk/schema/event.schema.json"
SAMPLES = ROOT / "tests/samples/events/v1"
PAGE = ROOT / "docs/events.md"
UNTIL = date(2026, 11, 23)
LAST = "2026-11-23T00:00:00.000Z"
MIDDLE = Profile("middle", 6_000, 40, 12, 700, TELLING)


def life(
    profile: Profile = MIDDLE, *, seed: int = 7, faults: str = "none", ids: Kind = "random"
) -> list[Envelope]:
    chosen = parse_faults(faults)
    return list(generate(profile, seed, tenant="t", until=UNTIL, faults=chosen, ids=ids))


def moment(event: Envelope) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


@pytest.fixture(scope="module")
def plain() -> list[Envelope]:
    return life()


def test_a_seed_tells_one_story(plain: list[Envelope]) -> None:
    """The same arguments give the same bytes, another seed another world."""
    assert msgspec.json.encode(life()) == msgspec.json.encode(plain)
    assert not {event["id"] for event in life(seed=8)} & {event["id"] for event in plain}


def test_there_are_as_many_events_as_asked_for(plain: list[Envelope]) -> None:
    """To the last one, in the order of time, all before the end, each with an id of its own."""
    moments = [event["occurred_at"] for event in plain]

    assert len(plain) == MIDDLE.events
    assert moments == sorted(moments)
    assert moments[-1] < LAST
    assert len({event["id"] for event in plain}) == len(plain)


@pytest.mark.parametrize(
    ("name", "events", "people", "legacies", "days"),
    [("demo", 2_000, 24, 4, 548), ("instance", 60_000, 100, 50, 183)],
)
def test_a_profile_is_of_its_size(
    name: str, events: int, people: int, legacies: int, days: int
) -> None:
    """As large as the platform's own goals: a demonstration, and an instance after half a year."""
    found = life(PROFILES[name])
    actors = {event["actor_id"] for event in found} - {"service:core"}
    made = [event for event in found if event["type"] == "legacy.created"]
    length = moment(found[-1]) - moment(found[0])

    assert len(found) == events
    assert 0.9 * people <= len(actors) <= people
    assert len(made) == legacies
    assert 0.8 * days <= length.days <= days


def test_an_instance_has_about_five_hundred_stories() -> None:
    """Most of what happens is looking."""
    types = Counter(event["type"] for event in life(PROFILES["instance"]))

    assert 400 < types["story.created"] < 600
    assert types["story.viewed"] + types["legacy.viewed"] > 30_000


def test_every_event_keeps_the_schema(plain: list[Envelope]) -> None:
    """The envelope is the published one."""
    schema = jsonschema_rs.validator_for(msgspec.json.decode(SCHEMA.read_bytes()))
    for event in plain:
        schema.validate(event)


def test_every_type_of_the_catalogue_is_there() -> None:
    """What has a sample has its place in the world, and nothing else does but the word of return."""
    known = {path.stem for path in SAMPLES.glob("*.json")}
    types = {event["type"] for event in life(MIDDLE.of(24_000), faults="departures=0.1")}

    assert types - {"user.activity_tracking.enabled"} == known - {"user.activity_tracking.enabled"}


def test_what_is_sent_is_what_is_kept(plain: list[Envelope]) -> None:
    """Payloads carry the fields that the documentation says are kept, and no texts."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| \w+ \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    kept = {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows}

    for event in plain:
        assert set(event["payload"]) <= kept[event["type"]] | {"relationship_type"}, event["type"]


def test_nobody_answers_what_was_not_told(plain: list[Envelope]) -> None:
    """Each answer is to a story that was there, by somebody who had come."""
    told: set[str] = set()
    for event in plain:
        if event["type"] == "story.created":
            told.add(event["payload"]["story_id"])
        elif event["type"] in {"story_response.created", "story_reaction.toggled", "story.viewed"}:
            assert event["payload"]["story_id"] in told


def test_old_events_are_backfill(plain: list[Envelope]) -> None:
    """A plugin refuses what is older than 400 days unless it says that it is a backfill."""
    oldest = min(moment(event) for event in plain if event["source"] == "core")
    latest = max(moment(event) for event in plain if event["source"] == "backfill")

    assert latest < oldest
    assert (datetime(2026, 11, 23, tzinfo=UTC) - oldest).days <= 395


def test_attention_is_that_of_grief() -> None:
    """The first days are loud, and the week of the yearly day stands out of the others."""
    profile = Profile("one", 4_000, 12, 3, 1_000, TELLING)
    events = life(profile)
    made = next(event for event in events if event["type"] == "legacy.created")
    about = made["payload"]["legacy_id"]
    passed = date.fromisoformat(made["payload"]["death_date"])
    acts = Counter(
        (moment(event).date() - moment(made).date()).days
        for event in events
        if about in str(event["payload"]) and not event["type"].startswith("invitation")
    )
    weeks = [sum(acts[day] for day in range(start, start + 7)) for start in range(0, 700, 7)]

    assert (moment(made).date() - passed).days < 13 or passed.year < moment(made).year
    assert max(weeks) > 5 * max(1, median(weeks))


def test_people_come_in_their_evening(plain: list[Envelope]) -> None:
    """Hours are those of where somebody lives: on UTC's clock they spread over the day."""
    hours = Counter(moment(event).hour for event in plain)

    assert len(hours) == 24
    assert max(hours.values()) < 0.2 * len(plain)


def test_circles_have_the_sizes_of_families() -> None:
    """Half of them have about eight people; a crowd is there when it is asked for."""
    events = life(Profile("many", 20_000, 400, 120, 365, WATCHING, crowd=600))
    accepted = Counter(
        event["payload"]["legacy_id"] for event in events if event["type"] == "invitation.accepted"
    )

    assert 4 <= median(accepted.values()) <= 11
    assert max(accepted.values()) > 150


def test_fewer_events_have_fewer_people() -> None:
    """A part of a profile is a smaller world, not an emptier one."""
    part = PROFILES["stress"].of(200_000)

    assert (part.people, part.legacies, part.crowd) == (100, 30, 150)
    assert PROFILES["stress"].of(20_000_000).people == PROFILES["stress"].people


def test_ids_are_random_or_in_the_order_of_time() -> None:
    """Random ones are version 4, ordered ones version 7."""
    random, ordered = life(ids="random"), life(ids="ordered")

    assert {event["id"][14] for event in random} == {"4"}
    assert {event["id"][14] for event in ordered} == {"7"}
    assert [e["id"][:13] for e in ordered] == sorted(event["id"][:13] for event in ordered)
    assert {event["id"][19] for event in random} == set("89ab")


def test_a_long_stream_needs_little_memory() -> None:
    """What has been given out is forgotten: more events need far less room than they would take."""

    def peak(count: int) -> int:
        tracemalloc.start()
        profile = Profile("long", count, 20, 4, 900, WATCHING)
        for _ in generate(profile, 1, tenant="t", until=UNTIL, faults=parse_faults("all")):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    an_event = 1_000  # bytes, and more as a dictionary
    assert peak(16_000) - peak(4_000) < 12_000 * an_event / 5


def same_events(spoilt: list[Envelope], plain: list[Envelope]) -> bool:
    return {event["id"]: event for event in spoilt} == {event["id"]: event for event in plain}


def test_lateness_moves_events_and_changes_none(plain: list[Envelope]) -> None:
    """One in twenty comes later than it happened, most by hours, some by more than a week."""
    spoilt = life(faults="late")
    waits, latest = [], moment(spoilt[0])
    for event in spoilt:
        latest = max(latest, moment(event))
        if moment(event) < latest:
            waits.append((latest - moment(event)).total_seconds() / 86_400)

    assert len(spoilt) == len(plain)
    assert same_events(spoilt, plain)
    assert 0.03 < len(waits) / len(plain) < 0.07
    assert median(waits) < 1
    assert 2 < max(waits) <= 30.5


def test_disorder_moves_events_by_a_little(plain: list[Envelope]) -> None:
    """Events overtake each other, and none is lost."""
    spoilt = life(faults="disorder")
    places = {event["id"]: place for place, event in enumerate(plain)}
    moved = [abs(place - places[event["id"]]) for place, event in enumerate(spoilt)]

    assert same_events(spoilt, plain)
    assert len(spoilt) == len(plain)
    assert 0 < max(moved) <= 60


def test_repetitions_and_contradictions_follow_their_original(plain: list[Envelope]) -> None:
    """The first content of an id is the true one."""
    spoilt = life(faults="duplicates,conflicts=0.01")
    first: dict[str, Envelope] = {}
    seen: Counter[str] = Counter()
    for event in spoilt:
        original = first.setdefault(event["id"], event)
        seen["first" if original is event else "same" if original == event else "other"] += 1
    repeated = len(spoilt) - len(plain)

    assert same_events(list(first.values()), plain)
    assert 0.02 * len(plain) < repeated < 0.04 * len(plain)
    assert 0.005 * len(plain) < seen["other"] < 0.016 * len(plain)


def test_poison_and_hasty_clocks(plain: list[Envelope]) -> None:
    """What nobody can take stands between, with ids of its own; skewed clocks run days ahead."""
    spoilt = life(faults="poison,skew")
    known = {event["id"]: event for event in plain}
    poison = [event for event in spoilt if event["id"] not in known]
    ahead = [event for event in spoilt if event["id"] in known and event != known[event["id"]]]

    assert 0.005 * len(plain) < len(poison) < 0.015 * len(plain)
    assert 0.002 * len(plain) < len(ahead) < 0.009 * len(plain)
    assert all(event["occurred_at"] > "2026-11-24" for event in ahead)


def test_reactions_flap() -> None:
    """Somebody cannot decide, several times a second, and sometimes twice in one moment."""
    toggles = [
        (event["payload"]["story_id"], event["actor_id"], event["payload"]["reaction_type"])
        for event in life(faults="flapping=0.2")
        if event["type"] == "story_reaction.toggled"
    ]

    assert max(Counter(toggles).values()) >= 4
    assert max(len(list(group)) for _, group in itertools.groupby(toggles)) >= 4


def test_people_leave_and_do_nothing_afterwards() -> None:
    """A deleted account, one that is not to be counted, a legacy that goes, one that is closed."""
    events = life(faults="departures=0.1")
    gone = {event["actor_id"]: moment(event) for event in events if event["type"] == "user.deleted"}
    types = Counter(event["type"] for event in events)

    assert len(gone) == 4
    assert all(moment(e) <= gone[e["actor_id"]] for e in events if e["actor_id"] in gone)
    assert types["legacy.deleted"] == types["plugin_permission.revoked"] == 1
    assert types["user.activity_tracking.disabled_and_purged"] == 4
    assert types["user.activity_tracking.enabled"] >= 1


def test_odd_shapes_are_there_when_asked_for(plain: list[Envelope]) -> None:
    """A passing on Feb 29, one of which only the year is known, one who is alone, three legacies."""
    events = life(faults="feb-29,year-only,alone,triple")
    dates = {e["payload"]["death_date"] for e in events if e["type"] == "legacy.created"}
    invited = {e["payload"]["legacy_id"] for e in events if e["type"] == "invitation.accepted"}
    circles = {e["payload"]["legacy_id"] for e in events if e["type"] == "legacy.created"}

    assert [day for day in dates if day.endswith("-02-29")]
    assert [day for day in dates if len(day) == 4]
    assert circles - invited
    assert max(shared_by(events)) == 3
    assert max(shared_by(plain)) == 2


def shared_by(events: list[Envelope]) -> Iterator[int]:
    return (len(e["payload"]["legacy_ids"]) for e in events if e["type"] == "story.created")


def test_faults_are_read_by_name_and_rate() -> None:
    """`all`, `none`, or names with rates; what is not understood is named with what there is."""
    assert parse_faults("all") == dict(RATES)
    assert parse_faults("none") == parse_faults("") == {}
    assert parse_faults("late, poison=0.5") == {"late": 0.05, "poison": 0.5}
    with pytest.raises(ValueError, match="'typo' is no fault; there are all, none, duplicates"):
        parse_faults("late,typo")
    for rate in ("2", "-1", "x", "nan"):
        with pytest.raises(ValueError, match="the rate of late is a number from 0 to 1"):
            parse_faults(f"late={rate}")
