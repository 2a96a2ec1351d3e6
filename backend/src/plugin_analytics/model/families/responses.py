"""Reduce `story_response.*`: an answer to a memory counts from the moment it was given."""

from collections.abc import Iterable, Sequence

from plugin_analytics.model.families.base import (
    Act,
    Fact,
    Family,
    Identifier,
    Payload,
    in_each,
)


class Response(Payload, frozen=True):
    """What is kept of a response: never its text."""

    response_id: Identifier
    story_id: Identifier
    legacy_id: Identifier | None = None
    new_story_id: Identifier | None = None

    def legacies(self) -> Sequence[str]:
        return () if self.legacy_id is None else (self.legacy_id,)


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count a response once, at its first creation."""
    first = min(acts, key=lambda act: (act.at, act.id))
    response: Response = FAMILY.decode(first.type, first.body)
    for legacy in in_each(response.legacies()):
        yield Fact(legacy, first.at, "responses", 1, first.person)


def _subject(payload: Response, person: bytes | None) -> str:
    del person
    return payload.response_id


FAMILY = Family(
    name="response",
    payloads={"story_response.created": Response},
    subject=_subject,
    facts=facts,
)
