"""Reduce `story_reaction.toggled`: a heart, candle or smile counts when its state changes."""

from collections.abc import Iterable, Sequence
from typing import Literal

from plugin_analytics.model.families.base import (
    Act,
    EventType,
    Fact,
    Family,
    Identifier,
    OfOneLegacy,
    Sensitivity,
    in_each,
)

METRICS = {"heart": "hearts", "candle": "candles", "smile": "smiles"}


class Reaction(OfOneLegacy, frozen=True, kw_only=True):
    """What is kept of a reaction."""

    story_id: Identifier
    reaction_type: Literal["heart", "candle", "smile"]
    reacted: bool


def facts(acts: Sequence[Act]) -> Iterable[Fact]:
    """Count transitions only: a second heart by the same person on the same story is none."""
    in_order = sorted(acts, key=lambda act: (act.at, act.id)) if len(acts) > 1 else acts
    last_at = {act.at: act for act in in_order}
    shown: Reaction | None = None
    for act in last_at.values():
        reaction: Reaction = FAMILY.read(act.type, act.body)
        if reaction.reacted and shown is None:
            shown = reaction
            yield from _change(shown, act, 1)
        elif not reaction.reacted and shown is not None:
            # It leaves from where it was put, whatever legacy the second event names.
            yield from _change(shown, act, -1)
            shown = None


def _change(reaction: Reaction, act: Act, delta: int) -> Iterable[Fact]:
    for legacy in in_each(reaction.legacies()):
        yield Fact(legacy, act.at, METRICS[reaction.reaction_type], delta)


def _subject(payload: Reaction, person: bytes | None) -> str:
    """One state for each story, person and kind of reaction."""
    return f"{payload.story_id} {person.hex() if person else '-'} {payload.reaction_type}"


FAMILY = Family(
    name="reaction",
    types=(EventType("story_reaction.toggled", Reaction, Sensitivity.SHARED),),
    subject=_subject,
    facts=facts,
    personal=True,
)
