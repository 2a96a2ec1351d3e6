"""Reduce `story_response.*`: an answer counts from the moment it was given until it is gone."""

from collections.abc import Iterable, Sequence

from plugin_analytics.model.families.base import (
    Act,
    EventType,
    Fact,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
    stay_of,
)

CREATED, CONVERTED = "story_response.created", "story_response.converted"
ENDS = ("story_response.deleted", "story_response.hidden")


class Response(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a response: never its text."""

    response_id: Identifier
    story_id: Identifier | None = None
    new_story_id: Identifier | None = None


class ResponseCreated(Response, frozen=True, kw_only=True):
    """What is kept of a new response, which is always to a story."""

    story_id: Identifier


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count a response once; one that became a story of its own stays an answer."""
    stay = stay_of(acts, CREATED, ENDS)
    if stay is None:
        return ()
    response: Response = FAMILY.read(CREATED, stay.came.body)
    return stay.facts("responses", response.legacies())


def _subject(payload: Response, person: bytes | None) -> str:
    del person
    return payload.response_id


FAMILY = Family(
    name="response",
    types=(
        EventType(CREATED, ResponseCreated, Sensitivity.SHARED),
        *(EventType(name, Response, Sensitivity.SHARED) for name in (*ENDS, CONVERTED)),
    ),
    subject=_subject,
    facts=facts,
)
