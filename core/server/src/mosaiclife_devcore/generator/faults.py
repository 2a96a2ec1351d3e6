"""Say which faults an invented stream may have, and spoil a good one with them.

Some faults lie in what people do (`flapping`, `departures`, and the odd shapes of circles and
dates); these are asked for here and made in `stream`. The others happen on the way and are made
here: the same seed with them is the same life, told badly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import exp, log
from random import Random
from typing import Any

from mosaiclife_devcore.generator.ids import Ids
from mosaiclife_devcore.generator.scribe import DAY, Envelope, read, written

RATES: Mapping[str, float] = {
    "duplicates": 0.02,
    "conflicts": 0.001,
    "late": 0.05,
    "skew": 0.005,
    "disorder": 0.1,
    "poison": 0.01,
    "flapping": 0.01,
    "departures": 0.01,
    "triple": 0.01,
    "feb-29": 1.0,
    "year-only": 1.0,
    "alone": 1.0,
}
LATE_MEDIAN, LATE_SIGMA, LATEST = 2 / 24, 2.0131, 30.0  # days; the 99th percentile is 9 days
MOST_REFUSED = 2_000  # of each kind: a plugin's quarantine for one tenant has an end
FOLLOWS_WITHIN = 1_000  # a repetition comes at most so many events after its original
HELD_BACK = 40

Faults = Mapping[str, float]


def parse_faults(text: str) -> dict[str, float]:
    """Read `all`, `none`, or names parted by commas, each with `=rate` when it wants another."""
    if text == "all":
        return dict(RATES)
    chosen = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, rate = word.partition("=")
        if word == "none":
            continue
        if name not in RATES:
            raise ValueError(f"{name!r} is no fault; there are all, none, {', '.join(RATES)}")
        chosen[name] = _rate(name, rate) if rate else RATES[name]
    return chosen


def spoil(
    events: Iterator[Envelope], faults: Faults, seed: str, end: int, clock_ahead_to: int
) -> Iterator[Envelope]:
    """Pass on *events* as a poor network and hasty clocks would; each fault has its own chance.

    A skewed clock points at most three days beyond *clock_ahead_to*, and at least one.
    """
    steps: tuple[tuple[str, Callable[..., Iterator[Envelope]]], ...] = (
        ("late", _late),
        ("disorder", _disordered),
        ("skew", _skewed),
        ("conflicts", _contradicted),
        ("poison", _poisoned),
        ("duplicates", _repeated),
    )
    moments = {"skew": clock_ahead_to, "poison": end}
    for name, step in steps:
        if rate := faults.get(name):
            extra = (moments[name],) if name in moments else ()
            events = step(events, rate, Random(f"{seed}:{name}"), *extra)
    return events


def _rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"the rate of {name} is a number from 0 to 1, not {text!r}")
    return rate


def _skewed(
    events: Iterator[Envelope], rate: float, chance: Random, end: int
) -> Iterator[Envelope]:
    """Date some events days ahead, as a machine with a wrong clock does."""
    left = MOST_REFUSED
    for event in events:
        if left and chance.random() < rate:
            left -= 1
            yield {**event, "occurred_at": written(end + chance.randrange(DAY, 3 * DAY))}
        else:
            yield event


def _late(events: Iterator[Envelope], rate: float, chance: Random) -> Iterator[Envelope]:
    """Deliver some events hours or days after they happened."""
    waiting: list[tuple[float, int, Envelope]] = []
    for number, event in enumerate(events):
        now = _time_of(event)
        while waiting and waiting[0][0] <= now:
            yield heappop(waiting)[2]
        if chance.random() < rate:
            days = min(LATEST, exp(chance.gauss(log(LATE_MEDIAN), LATE_SIGMA)))
            heappush(waiting, (now + days * DAY, number, event))
        else:
            yield event
    while waiting:
        yield heappop(waiting)[2]


def _time_of(event: Envelope) -> int:
    return read(event["occurred_at"])


def _disordered(events: Iterator[Envelope], rate: float, chance: Random) -> Iterator[Envelope]:
    """Let some events be overtaken by those that follow."""
    yield from _delayed(((event, None) for event in events), rate, chance, HELD_BACK)


def _repeated(events: Iterator[Envelope], rate: float, chance: Random) -> Iterator[Envelope]:
    """Deliver some events a second time."""
    yield from _delayed(((event, event) for event in events), rate, chance, FOLLOWS_WITHIN)


def _contradicted(events: Iterator[Envelope], rate: float, chance: Random) -> Iterator[Envelope]:
    """Deliver some events again under the same id with another content."""
    pairs = ((event, _other(event)) for event in events)
    yield from _delayed(pairs, rate, chance, FOLLOWS_WITHIN)


def _delayed(
    pairs: Iterator[tuple[Envelope, Envelope | None]], rate: float, chance: Random, most: int
) -> Iterator[Envelope]:
    """Pass on the first of each pair, and some seconds later the other; without it the first waits."""
    waiting: list[tuple[int, int, Envelope]] = []
    for number, (event, echo) in enumerate(pairs):
        while waiting and waiting[0][0] <= number:
            yield heappop(waiting)[2]
        chosen = chance.random() < rate
        if chosen:
            heappush(waiting, (number + chance.randint(1, most), number, echo or event))
        if not chosen or echo:
            yield event
    while waiting:
        yield heappop(waiting)[2]


def _other(event: Envelope) -> Envelope:
    """Return an event under the same id that happened a minute earlier."""
    return {**event, "occurred_at": written(_time_of(event) - 60_000)}


def _poisoned(
    events: Iterator[Envelope], rate: float, chance: Random, end: int
) -> Iterator[Envelope]:
    """Put events in between that nobody can take, each under an id of its own."""
    ids, left = Ids(chance), MOST_REFUSED
    for event in events:
        yield event
        if left and chance.random() < rate:
            left -= 1
            spoilt = {**event, "id": ids.plain()}
            yield chance.choice(POISONS)(spoilt, end)


def _without(name: str) -> Callable[[Envelope, int], Envelope]:
    def poison(event: Envelope, end: int) -> Envelope:
        del end
        return {key: value for key, value in event.items() if key != name}

    return poison


def _with(**other: Any) -> Callable[[Envelope, int], Envelope]:
    def poison(event: Envelope, end: int) -> Envelope:
        del end
        return {**event, **other}

    return poison


def _forgotten(event: Envelope, end: int) -> Envelope:
    """Happen two years ago without being a backfill."""
    moment = datetime.fromtimestamp(end / 1000, UTC) - timedelta(days=730)
    return {**event, "source": "core", "occurred_at": written(round(moment.timestamp() * 1000))}


POISONS: tuple[Callable[[Envelope, int], Envelope], ...] = (
    _without("type"),
    _without("payload"),
    _without("occurred_at"),
    _with(occurred_at="2026-02-30T25:00:00Z"),
    _with(occurred_at="2026-03-01T12:00:00"),
    _with(version=99),
    _with(version="1"),
    _with(tenant_id="somebody-elses"),
    _with(actor_id="nobody in particular"),
    _with(resource="story"),
    _with(type="story.created", payload={"story_id": ["not", "an", "id"]}),
    _with(type="story_reaction.toggled", payload={"story_id": "s", "reaction_type": "thumb"}),
    _with(type="media.upload_confirmed", payload={"media_id": "m", "size_bytes": -1}),
    _forgotten,
)
