"""Crowds: bits for people, in memory and in the store, and how they came over from rows."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.model.calendar import Range
from plugin_analytics.model.crowds import crowd_of, numbers_in, packed, unpacked
from plugin_analytics.model.rollup import COUNTED_BY
from plugin_analytics.store import codes
from plugin_analytics.store.sqlite import SQLiteStore
from tests.support.events import TENANT, event, media, story
from tests.support.statements import read_sample, replay
from tests.unit.backend.conftest import Bench
from tests.unit.backend.test_sqlite import at_revision

UTC = ZoneInfo("UTC")
NOVEMBER = Range(date(2026, 11, 1), date(2026, 12, 1))
NUMBERS = st.sets(st.integers(0, 3_000))


def rows(store: SQLiteStore, query: str) -> list[Any]:
    """Ask the database itself."""
    with store._reads.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


@given(one=NUMBERS, other=NUMBERS)
def test_a_crowd_is_a_set(one: set[int], other: set[int]) -> None:
    """Its union is an OR, its size a count of bits, and the store gives back what it was given."""
    both = unpacked(packed(crowd_of(one))) | crowd_of(other)

    assert list(numbers_in(both)) == sorted(one | other)
    assert both.bit_count() == len(one | other)


def test_a_small_family_needs_a_byte(bench: Bench) -> None:
    """Each legacy numbers its own people, however many others the tenant has."""
    bench.deliver([story(f"s{n}", f"l{n}", by=f"user:{n}") for n in range(9)])
    bench.refresh()

    assert set(rows(bench.store, "SELECT LENGTH(people) FROM told WHERE legacy > 0")) == {(1,)}
    assert rows(bench.store, "SELECT LENGTH(people) FROM told WHERE legacy = 0") == [(2,)]


def test_who_takes_back_all_is_forgotten(bench: Bench) -> None:
    """A number names somebody: it goes with the last bit, and others keep theirs."""
    bench.deliver([story("s1", "l1", by="user:ada"), story("s2", "l1", by="user:ben")])
    bench.refresh()
    hidden = {"story_id": "s1", "visibility": "personal"}
    bench.deliver([event("story.updated", hidden, at="2026-11-30T13:00:00Z")])
    bench.refresh()

    voices = rows(bench.store, "SELECT legacy, hex(person) FROM voice ORDER BY legacy")
    ben = bench.pseudonyms(TENANT, "user:ben").hex().upper()
    assert voices == [(0, ben), (1, ben)]
    assert bench.metrics("l1") == bench.metrics() == {"stories": 1, "storytellers": 1}


def test_numbers_are_found_again_when_many_are_known(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few numbers are remembered beside the database, nobody gets a second one."""
    monkeypatch.setattr(codes, "MAX_VOICES", 2)
    for n in range(3):
        bench.deliver([media(f"m{n}{by}", "l1", by=f"user:{by}") for by in range(5)])
        bench.refresh()

    assert bench.metrics("l1") == {"media": 15, "storytellers": 5}


def test_people_come_over_from_the_release_before(tmp_path: Path) -> None:
    """Right after the migration reports say what they said, and nothing is left once all is anew."""
    database = tmp_path / "plugin.db"
    at_revision(database, "0006")
    list(replay(database, [statement for statement, _ in read_sample("0006")]))

    with closing(SQLiteStore(database)) as store:
        found = [store.storytellers(TENANT, legacy, [NOVEMBER], UTC) for legacy in ("", "l1", "l2")]
        assert found == [[2], [2], [1]]
        assert rows(store, "SELECT COUNT(*) > 0, MAX(grain) > 1 FROM teller") == [(1, 1)]

        Bench(store).refresh()

        assert found == [
            store.storytellers(TENANT, legacy, [NOVEMBER], UTC) for legacy in ("", "l1", "l2")
        ]
        assert rows(store, "SELECT COUNT(*) FROM teller") == [(0,)]
        assert rows(store, "SELECT COUNT(*) FROM rollup WHERE grain > 1") == [(0,)]
        assert rows(store, "SELECT definition FROM progress") == [(COUNTED_BY,)]
