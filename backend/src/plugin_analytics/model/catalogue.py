"""Define every metric and report once: for the catalogue, for validation and for reading."""

from typing import Literal

import msgspec

from plugin_analytics.model.calendar import INTERVALS
from plugin_analytics.model.dimensions import DIMENSIONS, SUMS, VALUES

Kind = Literal["metric", "report", "dimension"]
Scope = Literal["keeper", "member", "steward"]  # of a legacy, of a legacy, of the tenant
KINDS: tuple[Kind, ...] = ("metric", "report", "dimension")


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of the catalogue."""

    id: str
    kind: Kind
    title: str
    definition: str
    privacy_class: str = msgspec.field(default="shared", name="class")
    k: int | None = None
    scopes: tuple[Scope, ...] = ("keeper", "member", "steward")
    version: str = "v1"
    additive: bool | None = None
    dimensions: tuple[str, ...] = ()  # what a metric can be told apart by


def _metric(name: str, title: str, definition: str, *, additive: bool = True) -> Item:
    dimensions = DIMENSIONS.get(name, ())
    return Item(name, "metric", title, definition, additive=additive, dimensions=dimensions)


_COUNTED = "A deletion counts minus one on its day."
_METRICS = (
    _metric(
        "stories",
        "Memories",
        f"Stories that were published and are not personal, on the day they were first published. {_COUNTED}",
    ),
    _metric(
        "storytellers",
        "Storytellers",
        "People with at least one published story, response or file in the range that still stood at its end. A reaction is not a telling.",
        additive=False,
    ),
    _metric(
        "responses",
        "Responses",
        "Responses to stories, on the day they were given. One that is deleted or hidden counts minus one on that day.",
    ),
    _metric("hearts", "Hearts", "Hearts put on stories, less those taken back."),
    _metric("candles", "Candles", "Candles lit on stories, less those taken back."),
    _metric("smiles", "Smiles", "Smiles left on stories, less those taken back."),
    _metric("media", "Pictures and recordings", f"Files whose upload was confirmed. {_COUNTED}"),
)
_SUMS = (
    _metric("reactions", "Hearts, candles and smiles", "Hearts, candles and smiles together."),
    _metric("tellings", "What was told", "Stories, responses and files together."),
)
_REPORTS = (
    Item(
        "overview",
        "report",
        "What has gathered",
        "Every metric over a period, with its change since other days, and the memories of the last twelve months.",
    ),
    Item(
        "timeseries",
        "report",
        "Rhythm",
        "Up to four metrics by day, week, month, quarter or year, in local days of the reporting zone or in units since the passing, beside other days where asked.",
    ),
    Item(
        "breakdown",
        "report",
        "Of what kind",
        "One metric over a period, apart by one dimension.",
    ),
    Item(
        "quality",
        "report",
        "Data health",
        "How the events that arrived have ended, how late they came, and how far the counts are behind.",
        scopes=("steward",),
    ),
)
_WORDS = {
    "origin": ("Origin", "What a story was begun from"),
    "visibility": ("Visibility", "Who may read a story"),
    "family": ("Kind of file", "What a file is"),
    "reaction": ("Reaction", "What was put on a story"),
    "kind": ("Kind of telling", "How something was told"),
}
_DIMENSIONS = (
    Item(
        "interval",
        "dimension",
        "Time",
        f"Calendar units in the reporting zone: {', '.join(INTERVALS)}. Ranges include their first day and not their last.",
    ),
    *(
        Item(
            name,
            "dimension",
            _WORDS[name][0],
            f"{_WORDS[name][1]}: {', '.join(VALUES[name])}. It tells {metric} apart, as last known.",
            additive=True,
        )
        for metric, names in DIMENSIONS.items()
        for name in names
    ),
)
ITEMS: tuple[Item, ...] = (*_METRICS, *_SUMS, *_REPORTS, *_DIMENSIONS)
OVERVIEW_METRICS: tuple[str, ...] = tuple(item.id for item in _METRICS)
METRICS: tuple[str, ...] = (*OVERVIEW_METRICS, *SUMS)


def items_after(last: str | None, limit: int, kind: Kind | None) -> tuple[list[Item], bool]:
    """Return up to *limit* items that follow *last*, and whether there are more."""
    chosen = [item for item in ITEMS if kind in (None, item.kind)]
    ids = [item.id for item in chosen]
    start = ids.index(last) + 1 if last in ids else 0
    return chosen[start : start + limit], start + limit < len(chosen)
