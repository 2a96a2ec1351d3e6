"""Define every metric and report once: for the catalogue, for validation and for reading."""

from typing import Literal

import msgspec

from plugin_analytics.model.calendar import INTERVALS

Kind = Literal["metric", "report", "dimension"]
KINDS: tuple[Kind, ...] = ("metric", "report", "dimension")


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of the catalogue."""

    id: str
    kind: Kind
    title: str
    definition: str
    privacy_class: str = msgspec.field(default="shared", name="class")
    k: int | None = None
    scopes: tuple[str, ...] = ("legacy", "tenant")
    version: str = "v1"
    additive: bool | None = None


def _metric(name: str, title: str, definition: str, *, additive: bool = True) -> Item:
    return Item(name, "metric", title, definition, additive=additive)


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
_REPORTS = (
    Item(
        "overview",
        "report",
        "What has gathered",
        "Every metric over a period, with its change since the period before, and the memories of the last twelve months.",
    ),
    Item(
        "timeseries",
        "report",
        "Rhythm",
        "Up to four metrics by day, week, month, quarter or year, in local days of the reporting zone.",
    ),
)
_DIMENSIONS = (
    Item(
        "interval",
        "dimension",
        "Time",
        f"Calendar units in the reporting zone: {', '.join(INTERVALS)}. Ranges include their first day and not their last.",
    ),
)
ITEMS: tuple[Item, ...] = (*_METRICS, *_REPORTS, *_DIMENSIONS)
METRICS: tuple[str, ...] = tuple(item.id for item in _METRICS)


def items_after(last: str | None, limit: int, kind: Kind | None) -> tuple[list[Item], bool]:
    """Return up to *limit* items that follow *last*, and whether there are more."""
    chosen = [item for item in ITEMS if kind in (None, item.kind)]
    ids = [item.id for item in chosen]
    start = ids.index(last) + 1 if last in ids else 0
    return chosen[start : start + limit], start + limit < len(chosen)
