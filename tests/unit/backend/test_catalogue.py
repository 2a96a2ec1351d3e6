"""The catalogue: whole, in pages, and in agreement with what is counted."""

from plugin_analytics.model.catalogue import ITEMS, METRICS, items_after
from plugin_analytics.model.reports import STORYTELLERS, TELLINGS


def test_pages_join_to_the_whole() -> None:
    """Page by page, every entry is seen once and in order."""
    seen, last, more = [], None, True
    while more:
        page, more = items_after(last, 3, None)
        seen.extend(page)
        last = page[-1].id

    assert seen == list(ITEMS)


def test_ids_are_unique_and_metrics_are_defined() -> None:
    """What is counted has an entry, and no two entries share an id."""
    assert len({item.id for item in ITEMS}) == len(ITEMS)
    assert {STORYTELLERS, *TELLINGS} <= set(METRICS)
    assert [item.id for item in ITEMS if item.additive is False] == [STORYTELLERS]


def test_dimensions_are_those_of_the_metrics() -> None:
    """Every dimension that a metric names is an entry, and every entry but time is some metric's."""
    named = {dimension for item in ITEMS for dimension in item.dimensions}

    assert named | {"interval"} == {item.id for item in ITEMS if item.kind == "dimension"}


def test_each_report_says_who_may_ask() -> None:
    """The health of the data is for stewards alone; class and scopes stand on every entry."""
    scopes = {item.id: item.scopes for item in ITEMS if item.kind == "report"}

    assert scopes.pop("quality") == ("steward",)
    assert set(scopes) == {"overview", "timeseries", "breakdown"}
    assert set(scopes.values()) == {("keeper", "member", "steward")}
    assert {(item.privacy_class, item.k) for item in ITEMS} == {("shared", None)}


def test_kind_filters() -> None:
    """One kind can be asked for alone."""
    page, more = items_after(None, 100, "report")

    assert {item.kind for item in page} == {"report"}
    assert not more
