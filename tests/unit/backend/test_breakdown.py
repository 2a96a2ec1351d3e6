"""Of what kind it was: complete, in order, and every walk of one moment."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_analytics.errors import CursorInvalid
from plugin_analytics.http.params import MAX_CURSOR, read_breakdown
from plugin_analytics.model.dimensions import DIMENSIONS, VALUES, value_of
from plugin_analytics.model.families.base import UNKNOWN
from plugin_analytics.model.families.media import Media
from plugin_analytics.model.families.reactions import Reaction
from plugin_analytics.model.families.stories import Story
from plugin_analytics.services.pages import Report
from tests.support.events import TENANT, media, reaction, response, story
from tests.unit.backend.conftest import Bench

ORIGINS = ("manual", "prompt", "response", "conversation")


def page(bench: Bench, legacy: str = "l1", **query: str) -> Report:
    named = {"filter_origin": "filter[origin]", "from_": "from"}
    _, asked = read_breakdown([(named.get(name, name), value) for name, value in query.items()])
    return bench.provide.breakdown(TENANT, legacy, asked)


def walk(bench: Bench, **query: str) -> Iterator[list[tuple[str, int]]]:
    """Yield page after page."""
    more: dict[str, str] = {}
    while True:
        report = page(bench, **query, **more)
        yield [(share.value, share.count) for share in report.data]
        pagination = report.meta["pagination"]
        assert pagination.has_more == (pagination.next_cursor is not None)
        if not pagination.has_more:
            return
        more = {"cursor": pagination.next_cursor}


def told(bench: Bench, *origins: str, start: int = 0) -> None:
    bench.deliver([story(f"s{start + n}", "l1", origin=origin) for n, origin in enumerate(origins)])
    bench.refresh()


def test_what_counts_most_comes_first(bench: Bench) -> None:
    """By the count, either way; of equals by the value; what nobody did is left out."""
    told(bench, "prompt", "prompt", "response", "manual")

    assert list(walk(bench)) == [[("prompt", 2), ("manual", 1), ("response", 1)]]
    assert list(walk(bench, order="asc")) == [[("manual", 1), ("response", 1), ("prompt", 2)]]
    assert page(bench).meta["total"] == 4
    assert list(walk(bench, legacy="l2")) == [[]]


def test_every_dimension_of_every_metric(bench: Bench) -> None:
    """Sums are told apart by their parts, the others by what is known of them."""
    bench.deliver(
        [
            story("s1", "l1", visibility="public"),
            response("r1", "l1"),
            media("m1", "l1"),
            reaction("s1", "l1", "candle"),
        ]
    )
    bench.refresh()
    found = {
        dimension: list(walk(bench, metric=metric, dimension=dimension))
        for metric, dimensions in DIMENSIONS.items()
        for dimension in dimensions
    }

    assert found == {
        "origin": [[("unknown", 1)]],
        "visibility": [[("public", 1)]],
        "family": [[("image", 1)]],
        "reaction": [[("candle", 1)]],
        "kind": [[("media", 1), ("response", 1), ("story", 1)]],
    }


def test_a_range_a_filter_and_a_deletion(bench: Bench) -> None:
    """Only what lies in the range and has the value; what has gone is no longer there."""
    bench.deliver(
        [
            story("s1", "l1", origin="prompt", at="2026-03-01T12:00:00Z"),
            story("s2", "l1", origin="prompt", visibility="public", at="2026-03-02T12:00:00Z"),
            story("s3", "l1", origin="manual", at="2026-04-02T12:00:00Z"),
            story("s4", "l1", kind="deleted", at="2026-03-03T12:00:00Z"),
        ]
    )
    bench.refresh()
    march = {"from_": "2026-03-01", "to": "2026-04-01"}

    assert list(walk(bench, **march)) == [[("prompt", 2)]]
    by_who = {"dimension": "visibility", "filter_origin": "prompt"}
    assert list(walk(bench, **march, **by_who)) == [[("private", 1), ("public", 1)]]


def test_a_walk_is_of_one_moment(bench: Bench) -> None:
    """What arrives between two pages neither repeats a value, nor hides one, nor changes one."""
    told(bench, "manual", "manual", "manual", "prompt", "prompt", "response")
    pages = walk(bench, limit="1")
    first = next(pages)
    before = page(bench, limit="1").meta

    told(bench, *("response",) * 5, *("conversation",) * 9, start=100)
    rest = list(pages)

    assert [first, *rest] == [[("manual", 3)], [("prompt", 2)], [("response", 1)]]
    assert next(walk(bench))[0] == ("conversation", 9)
    second = page(bench, cursor=before["pagination"].next_cursor).meta
    same = ("snapshot", "total", "freshness", "range", "definition")
    assert [second[name] for name in same] == [before[name] for name in same]
    assert page(bench).meta["snapshot"] > before["snapshot"]


def test_the_size_of_a_page_may_change(bench: Bench) -> None:
    """A cursor belongs to a query, whatever the size of its pages."""
    told(bench, *ORIGINS)
    first = page(bench, limit="1")

    rest = page(bench, limit="100", cursor=first.meta["pagination"].next_cursor)

    assert len(rest.data) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"legacy": "l2"},
        {"metric": "tellings"},
        {"dimension": "visibility"},
        {"order": "asc"},
        {"timezone": "Asia/Kolkata"},
        {"period": "12mo"},
        {"filter_origin": "prompt"},
    ],
)
def test_a_cursor_belongs_to_its_query(bench: Bench, other: dict[str, str]) -> None:
    """No other question can go on with it."""
    told(bench, *ORIGINS)
    cursor = page(bench, limit="1").meta["pagination"].next_cursor

    with pytest.raises(CursorInvalid):
        page(bench, **other, cursor=cursor)


def test_the_longest_list_fits_into_a_cursor(bench: Bench) -> None:
    """Every value of the largest dimension, with counts that nobody will reach."""
    bench.deliver([story("s0", "l1", origin="manual")])
    told(bench, *ORIGINS * 2, start=1)
    report = page(bench, limit="1")
    used = len(report.meta["pagination"].next_cursor)
    left = len(msgspec.json.encode([["conversation", 10**9]] * 5)) * 4 // 3

    assert used + left < MAX_CURSOR
    assert max(map(len, VALUES.values())) <= 5


def words(payload: Any, field: str) -> set[str]:
    """Return the words that a field of a payload may have."""
    kinds = {each.name: each.type for each in msgspec.structs.fields(payload)}
    nested = (get_args(kind) or (kind,) for kind in get_args(kinds[field]) or ())
    return {word for words in nested for word in words if isinstance(word, str)}


def test_values_are_those_of_the_events() -> None:
    """A word that an event may bring has its place, and no other does; `personal` counts nowhere."""
    assert {*words(Story, "origin"), UNKNOWN} == set(VALUES["origin"])
    assert {*words(Story, "visibility"), UNKNOWN} - {"personal"} == set(VALUES["visibility"])
    assert {*words(Media, "family"), UNKNOWN} == set(VALUES["family"])
    assert words(Reaction, "reaction_type") == set(VALUES["reaction"])


@given(st.sampled_from(["stories", "media"]), st.text(max_size=20))
def test_any_kind_has_a_value(metric: str, kind: str) -> None:
    """What an older release has counted without a kind is unknown, never an error."""
    for dimension in DIMENSIONS[metric]:
        assert value_of(metric, dimension, metric, kind)
