"""Keep `favorite.toggled`: what somebody keeps close is nobody else's business."""

from typing import Literal

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
)


class Favourite(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a mark; one on a legacy is an act in that legacy."""

    entity_type: Literal["story", "legacy", "media"]
    entity_id: Identifier
    favorited: bool

    def legacies(self) -> tuple[str, ...]:
        """Return the legacy that is named, or that is the entity itself."""
        named = self.entity_id if self.entity_type == "legacy" else self.legacy_id
        return () if named is None else (named,)


FAMILY = Family(
    name="favourite",
    types=(EventType("favorite.toggled", Favourite, Sensitivity.OBSERVED),),
)
