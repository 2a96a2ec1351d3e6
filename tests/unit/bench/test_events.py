"""What the bench delivers is what the plugin takes: it would else measure how fast it refuses."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

import msgspec
import pytest

from bench.events import LARGEST_CIRCLE, LEGACIES, MIX, TENANT, Ids, Maker, new_world
from mosaiclife_plugin_sdk import load_manifest
from plugin_analytics.model.envelopes import read_parcel
from plugin_analytics.model.events import Event, Judge
from plugin_analytics.model.grants import Standing
from tools.workspace import ROOT

WORLD = new_world()
NOW = datetime.now(UTC)
PLUGIN = load_manifest(ROOT / "plugin.yaml").name


def made(
    number: int = 2_000, *, name: str = "test", ids: Ids = "uuid4", days: int = 5 * 365
) -> list[bytes]:
    return list(Maker(WORLD, name, ids).events(number, NOW - timedelta(days), NOW))


def judge() -> Judge:
    return Judge(
        TENANT, NOW, lambda tenant, who: who.encode()[:16], standing=Standing({}), plugin=PLUGIN
    )


def id_of(event: bytes) -> str:
    found: str = msgspec.json.decode(event)["id"]
    return found


def test_the_plugin_accepts_every_event() -> None:
    """Neither poison nor ignored: old ones are backfills, and every legacy has let itself be seen."""
    opening = Maker(WORLD, "opening").opening(NOW - timedelta(days=5 * 365))
    parcels = [opening[start : start + 500] for start in range(0, len(opening), 500)]
    rule = judge()

    for events in [*parcels, made()[:500], made()[-500:]]:
        body = b'{"events":[' + b",".join(events) + b"]}"
        parcel = read_parcel(body, "application/json")
        others = [found for found in map(rule, parcel.events) if not isinstance(found, Event)]
        assert others == []


def test_the_mix_is_as_it_is_stated() -> None:
    """A little more than half are looks, and every kind of act comes to pass."""
    kinds = Counter(msgspec.json.decode(event)["type"] for event in made(20_000))
    looks = kinds["legacy.viewed"] + kinds["story.viewed"]

    assert set(kinds) == set(MIX)
    assert looks / 20_000 == pytest.approx(0.55, abs=0.05)


def test_no_id_is_made_twice() -> None:
    """Neither in one stream nor in two."""
    ids = [id_of(event) for event in chain(made(), made(name="another"))]

    assert len(set(ids)) == len(ids)


def test_ordered_ids_follow_each_other() -> None:
    """Also from one stream to the next."""
    ids = [id_of(e) for e in chain(made(300, ids="ordered"), made(300, name="b", ids="ordered"))]

    assert ids[:300] == sorted(ids[:300])
    assert ids[300:] == sorted(ids[300:])
    assert ids[0] < ids[300]


def test_what_is_recent_is_no_backfill() -> None:
    """The measured windows look like a living instance, not like an import."""
    recent, old = made(500, days=390), made(500)

    assert not any(b'"source":"backfill"' in event for event in recent)
    assert b'"source":"backfill"' in old[0]


def test_events_keep_to_their_time() -> None:
    """Almost in order, and never outside of what was asked for."""
    moments = [
        datetime.fromisoformat(msgspec.json.decode(event)["occurred_at"]) for event in made()
    ]
    ascending = sum(a <= b for a, b in pairwise(moments))

    assert NOW - timedelta(days=5 * 365, seconds=1) <= min(moments)
    assert max(moments) <= NOW
    assert ascending > 0.8 * len(moments)


def test_a_seed_is_a_world() -> None:
    """Two runs are about the same families, one of which is a crowd and one a handful."""
    assert new_world() == WORLD
    assert new_world(8) != WORLD
    assert len(WORLD.legacies) == LEGACIES
    assert len(WORLD.busiest.people) == LARGEST_CIRCLE
    assert len(WORLD.small.people) == 4
