"""Keep `ai.*` and `evolution.*`: whether the companion helps, never with what, about whom."""

from typing import Literal

from plugin_analytics.model.families.base import (
    EventType,
    Family,
    Identifier,
    Payload,
    Sensitivity,
    Word,
)

Phase = Literal[
    "elicitation",
    "summary",
    "style_selection",
    "drafting",
    "review",
    "completed",
    "discarded",
]


class Conversation(Payload, frozen=True, kw_only=True):
    """What is kept of a conversation: neither its words nor its legacy."""

    conversation_id: Identifier
    persona_id: Word | None = None


class Session(Payload, frozen=True, kw_only=True):
    """What is kept of a writing session: neither its text nor its story."""

    session_id: Identifier
    persona_id: Word | None = None
    phase: Phase | None = None
    trigger: Word | None = None


FAMILY = Family(
    name="companion",
    types=(
        *(
            EventType(name, Conversation, Sensitivity.SEALED)
            for name in ("ai.conversation.created", "ai.chat.complete", "ai.message.marked_blocked")
        ),
        EventType("evolution.session.started", Session, Sensitivity.SEALED),
        EventType(
            "evolution.phase.advanced",
            Session,
            Sensitivity.SEALED,
            aliases=("evolution.session.phase.advanced",),
        ),
        EventType("evolution.session.completed", Session, Sensitivity.SEALED),
        EventType("evolution.session.discarded", Session, Sensitivity.SEALED),
    ),
)
