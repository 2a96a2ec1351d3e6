"""Keep `story_prompt.*`: which questions open a memory, never the question's words."""

from typing import Literal

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
    Word,
)

Theme = Literal[
    "meals_traditions", "life_lessons", "funny_moments", "relationships", "milestones", "passions"
]


class Prompt(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a prompt and of what became of it."""

    prompt_id: Identifier | None = None
    template_id: Word | None = None
    category: Theme | None = None
    story_id: Identifier | None = None


FAMILY = Family(
    name="prompt",
    types=tuple(
        EventType(f"story_prompt.{act}", Prompt, Sensitivity.OBSERVED)
        for act in ("created", "write_story", "discuss", "rotated")
    ),
)
