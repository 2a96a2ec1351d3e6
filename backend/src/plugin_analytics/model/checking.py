"""Say what the counts of a day must be, from what is remembered of its subjects."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date
from typing import NamedTuple

from plugin_analytics.model.families import BY_TYPE
from plugin_analytics.model.reports import TELLINGS
from plugin_analytics.model.rollup import DatedFact, Stored, acts_of

Kind = tuple[str, str]  # a metric, and the word for its dimensions


class DayCounts(NamedTuple):
    """What has been counted of one day in one scope; of people, by when their tellings ended."""

    values: Mapping[Kind, int]
    told: Mapping[int | None, Set[bytes]]


def expected(
    legacy: str, day: date, facts: Iterable[DatedFact], frozen: Mapping[Kind, int]
) -> DayCounts:
    """Return what must have been counted, from all facts of the subjects of a day."""
    values: Counter[Kind] = Counter(frozen)
    told: defaultdict[int | None, set[bytes]] = defaultdict(set)
    for dated in facts:
        fact = dated.fact
        if (fact.legacy, dated.day) != (legacy, day):
            continue
        values[fact.metric, fact.dim] += fact.delta
        if fact.metric in TELLINGS and fact.delta == 1 and fact.person is not None:
            told[fact.until].add(fact.person)
    return DayCounts(without_noughts(values), told)


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
