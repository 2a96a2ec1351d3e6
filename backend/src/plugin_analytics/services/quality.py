"""Tell whether the numbers can be trusted: how what arrived has ended, and how late it came."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from plugin_analytics.clock import from_micros, rfc3339
from plugin_analytics.services.pages import Report
from plugin_analytics.services.view import View, Window
from plugin_analytics.store.base import Ending, Health, Late, Verification

MAX_DAYS = 366
SKEWED = 0.01  # so many of all that arrives lies in the future only where a clock is wrong


class QualityQuery(NamedTuple):
    """Of which days of arrival (UTC), and of which source and type only."""

    window: Window
    source: str | None = None
    type: str | None = None


class Outcomes(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """How events have ended."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0
    ignored: int = 0


class OfSource(Outcomes, frozen=True, kw_only=True):
    """How the events of one source have ended."""

    source: str


class OfType(Outcomes, frozen=True, kw_only=True):
    """How the events of one type have ended."""

    type: str


class Reason(msgspec.Struct, frozen=True):
    """Why events were not taken, and how many."""

    outcome: str
    reason: str
    number: int


class Lateness(msgspec.Struct, frozen=True, rename="camel"):
    """How many seconds after they happened the accepted events came.

    The percentiles are upper bounds: so many came no later than that.
    """

    p50_at_most: int | None
    p95_at_most: int | None
    max: int | None


class ClockSkew(msgspec.Struct, frozen=True, rename="camel"):
    """How much of all that arrived was said to happen in the future."""

    in_future: int
    share: float
    likely: bool


class Verified(msgspec.Struct, frozen=True, rename="camel"):
    """When counts were last held against what is stored, how many days were, and how many differ."""

    at: str
    days: int
    drift: int


class Quality(msgspec.Struct, frozen=True, rename="camel"):
    """What a steward sees of the data."""

    empty: bool
    outcomes: Outcomes
    reasons: list[Reason]
    sources: list[OfSource]
    types: list[OfType]
    lateness: Lateness
    clock_skew: ClockSkew
    watermark: str | None
    dirty_days: int
    verification: Verified | None


def quality(
    view: View, health: Health, verified: Verification | None, query: QualityQuery
) -> Report:
    """Sum up what came in on the days that are asked for."""
    span = view.span(query.window)
    endings = [each for each in health.endings if _wanted(each, query)]
    fresh = view.freshness()
    data = Quality(
        empty=not endings,
        outcomes=Outcomes(**_outcomes(endings)),
        reasons=_reasons(endings),
        sources=[
            OfSource(source=name, **counts)
            for name, counts in _grouped(endings, lambda each: each.source)
        ],
        types=[
            OfType(type=name, **counts)
            for name, counts in _grouped(endings, lambda each: each.type)
        ],
        lateness=lateness(health.lateness),
        clock_skew=_skew(endings),
        watermark=None if fresh.watermark is None else rfc3339(from_micros(fresh.watermark)),
        dirty_days=fresh.dirty_days,
        verification=None if verified is None else _verified(verified),
    )
    meta = view.meta(span, ("quality",), fresh=fresh)
    return Report(data, {**meta, "privacy": {**meta["privacy"], "class": "control"}})


def lateness(buckets: Iterable[Late]) -> Lateness:
    """Read percentiles off buckets: the latest of the bucket in which each of them lies."""
    ordered = sorted(buckets)
    if not ordered:
        return Lateness(None, None, None)
    total = sum(late.number for late in ordered)
    return Lateness(
        _at_most(ordered, total, 50),
        _at_most(ordered, total, 95),
        max(late.worst for late in ordered),
    )


def _verified(found: Verification) -> Verified:
    return Verified(rfc3339(from_micros(found.at)), found.days, found.drift)


def _at_most(ordered: Sequence[Late], total: int, percent: int) -> int:
    """Return a number of seconds after which *percent* of all had come."""
    seen = worst = 0
    for late in ordered:
        seen, worst = seen + late.number, late.worst
        if seen * 100 >= total * percent:
            break
    return worst


def _wanted(ending: Ending, query: QualityQuery) -> bool:
    return query.source in (None, ending.source) and query.type in (None, ending.type)


def _outcomes(endings: Iterable[Ending]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in endings:
        found[each.outcome] += each.number
    return dict(found)


def _reasons(endings: Iterable[Ending]) -> list[Reason]:
    found: Counter[tuple[str, str]] = Counter()
    for each in endings:
        if each.reason:
            found[each.outcome, each.reason] += each.number
    return [Reason(*key, number) for key, number in sorted(found.items())]


def _grouped(
    endings: Sequence[Ending], name_of: Callable[[Ending], str]
) -> Iterator[tuple[str, dict[str, int]]]:
    """Sum endings up by a name of each, in the order of the names."""
    groups: dict[str, list[Ending]] = {}
    for each in endings:
        groups.setdefault(name_of(each), []).append(each)
    for name in sorted(groups):
        yield name, _outcomes(groups[name])


def _skew(endings: Iterable[Ending]) -> ClockSkew:
    total = future = 0
    for each in endings:
        total += each.number
        future += each.number if each.reason == "IN_FUTURE" else 0
    share = round(future / total, 4) if total else 0.0
    return ClockSkew(future, share, share >= SKEWED)
