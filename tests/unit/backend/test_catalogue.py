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


def test_kind_filters() -> None:
    """One kind can be asked for alone."""
    page, more = items_after(None, 100, "report")

    assert {item.kind for item in page} == {"report"}
    assert not more
