"""Say what the counts of a day must be, from what is remembered of its subjects."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from plugin_analytics.model.families import BY_TYPE, WHOLE_TENANT
from plugin_analytics.model.reports import TELLINGS
from plugin_analytics.model.rollup import DatedFact, Stored, acts_of

Kind = tuple[str, str]  # a metric, and the word for its dimensions


class DayCounts(NamedTuple):
    """What has been counted of one day in one scope; of people, until when their tellings stand.

    Their number is counted ahead for the whole tenant only.
    """

    values: Mapping[Kind, int]
    tellers: Mapping[bytes, date | None]
    people: int


def expected(
    legacy: str, day: date, facts: Iterable[DatedFact], frozen: Mapping[Kind, int]
) -> DayCounts:
    """Return what must have been counted, from all facts of the subjects of a day."""
    values: Counter[Kind] = Counter(frozen)
    stood: dict[bytes, list[date | None]] = {}
    for dated in facts:
        fact = dated.fact
        if (fact.legacy, dated.day) != (legacy, day):
            continue
        values[fact.metric, fact.dim] += fact.delta
        if fact.metric in TELLINGS and fact.delta == 1 and fact.person is not None:
            stood.setdefault(fact.person, []).append(dated.until_day)
    tellers = {person: _longest(ends) for person, ends in stood.items()}
    following = day + timedelta(days=1)
    people = sum(end is None or end >= following for end in tellers.values())
    return DayCounts(without_noughts(values), tellers, people if legacy == WHOLE_TENANT else 0)


def without_noughts(values: Mapping[Kind, int]) -> dict[Kind, int]:
    """Leave out what came and went on one day: a row of nought and no row say the same."""
    return {kind: value for kind, value in values.items() if value}


def unremembered(events: Sequence[Stored], acts: bytes | None) -> list[Stored]:
    """Return the events on a subject that are not among the acts remembered of it.

    Where an erasure has left a mark, what is missing may be meant to be.
    """
    known = [] if acts is None else acts_of(acts)
    if any(act.type not in BY_TYPE for act in known):
        return []
    names = {(act.at, act.id, act.type) for act in known}
    return [event for event in events if (event.at, event.id, event.type) not in names]


def _longest(ends: Sequence[date | None]) -> date | None:
    """Return until when the longest-lived of some tellings stood; None while one still stands."""
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None
