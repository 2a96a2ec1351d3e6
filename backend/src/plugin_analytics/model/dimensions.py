"""Say of what each metric is made, and by what it can be told apart."""

from collections.abc import Mapping

from plugin_analytics.model.families.base import UNKNOWN

SUMS: Mapping[str, tuple[str, ...]] = {
    "reactions": ("hearts", "candles", "smiles"),
    "tellings": ("stories", "responses", "media"),
}
# The dimensions of each metric, in the order in which a fact's kind spells their values.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "stories": ("origin", "visibility"),
    "media": ("family",),
    "reactions": ("reaction",),
    "tellings": ("kind",),
}
VALUES: Mapping[str, tuple[str, ...]] = {
    "origin": ("manual", "prompt", "response", "conversation", UNKNOWN),
    "visibility": ("public", "private", UNKNOWN),
    "family": ("image", "video", "audio", "document", UNKNOWN),
    "reaction": ("heart", "candle", "smile"),
    "kind": ("story", "response", "media"),
}
# Where the metric that is a part of a sum says the value itself.
_PARTS = {
    **dict(zip(SUMS["reactions"], VALUES["reaction"], strict=True)),
    **dict(zip(SUMS["tellings"], VALUES["kind"], strict=True)),
}


def parts_of(metric: str) -> tuple[str, ...]:
    """Return what is counted for *metric*: itself, or the parts of a sum."""
    return SUMS.get(metric, (metric,))


def value_of(metric: str, dimension: str, part: str, kind: str) -> str:
    """Return where on *dimension* of *metric* stands what was counted as *part*, of a *kind*."""
    if metric in SUMS:
        return _PARTS[part]
    place = DIMENSIONS[metric].index(dimension)
    return dict(enumerate(kind.split())).get(place, UNKNOWN)
