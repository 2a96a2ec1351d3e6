"""Keep `*.viewed`: that somebody looked, which is shown as a crowd or not at all."""

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
)


class LegacyViewed(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a look at a legacy."""

    legacy_id: Identifier


class StoryViewed(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a look at a story."""

    story_id: Identifier


FAMILY = Family(
    name="reading",
    types=(
        EventType("legacy.viewed", LegacyViewed, Sensitivity.OBSERVED),
        EventType("story.viewed", StoryViewed, Sensitivity.OBSERVED),
    ),
)
