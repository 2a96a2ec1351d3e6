"""Turn daily counts into the reports that a page shows (spec §8.3, `/data`)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from plugin_analytics.model.calendar import Bucket, Interval, Range

TELLINGS = ("stories", "responses", "media")
STORYTELLERS = "storytellers"


class DayCount(NamedTuple):
    """The net change of one count on one day."""

    day: date
    metric: str
    value: int


class Telling(NamedTuple):
    """That a person told something on a day, and until when any of it stood."""

    day: date
    person: bytes
    until: date | None


class Metric(msgspec.Struct, frozen=True, rename="camel"):
    """One count, with its change since the period before."""

    metric: str
    value: int
    previous: int | None = None
    delta: int | None = None
    exact: bool = True


class Bar(msgspec.Struct, frozen=True, rename="camel"):
    """One bucket of a series."""

    start: date
    end: date
    complete: bool
    values: list[int]


class Sparkline(msgspec.Struct, frozen=True, rename="camel"):
    """One metric over the last months."""

    metric: str
    interval: Interval
    buckets: list[Bar]


class Overview(msgspec.Struct, frozen=True, rename="camel"):
    """What has gathered in one legacy, or in the whole tenant."""

    legacy_id: str | None
    metrics: list[Metric]
    sparkline: Sparkline


class Timeseries(msgspec.Struct, frozen=True, rename="camel"):
    """The rhythm in which people come to tell."""

    legacy_id: str | None
    metrics: list[str]
    interval: Interval
    axis: str
    buckets: list[Bar]
    annotations: list[Any] = []


def sums(counts: Iterable[DayCount]) -> dict[str, int]:
    """Add up each metric."""
    totals: dict[str, int] = {}
    for count in counts:
        totals[count.metric] = totals.get(count.metric, 0) + count.value
    return totals


def storytellers(tellings: Iterable[Telling], span: Range) -> int:
    """Count the people who told something in *span* that still stood at its end."""
    return len(
        {
            telling.person
            for telling in tellings
            if span.start <= telling.day < span.end
            and (telling.until is None or telling.until >= span.end)
        }
    )


def compare(metric: str, now: Mapping[str, int], before: Mapping[str, int] | None) -> Metric:
    """Set a count beside the same count of the period before."""
    value = now.get(metric, 0)
    if before is None:
        return Metric(metric, value)
    previous = before.get(metric, 0)
    return Metric(metric, value, previous, value - previous)


def bars(
    slots: Sequence[Bucket],
    metrics: Sequence[str],
    counts: Iterable[DayCount],
    tellings: Sequence[Telling] = (),
) -> list[Bar]:
    """Fill each bucket with one value for each metric; a net count can fall below zero."""
    values = [dict.fromkeys(metrics, 0) for _ in slots]
    starts = [slot.start for slot in slots]
    for count in counts:
        place = bisect_right(starts, count.day) - 1
        if place >= 0 and count.metric in values[place]:
            values[place][count.metric] += count.value
    if STORYTELLERS in metrics:
        for place, people in enumerate(_people(slots, tellings)):
            values[place][STORYTELLERS] = len(people)
    return [
        Bar(slot.start, slot.end, slot.complete, [cell[metric] for metric in metrics])
        for slot, cell in zip(slots, values, strict=True)
    ]


def _people(slots: Sequence[Bucket], tellings: Sequence[Telling]) -> list[set[bytes]]:
    """Find who told something in each bucket that still stood at the bucket's end."""
    starts = [slot.start for slot in slots]
    people: list[set[bytes]] = [set() for _ in slots]
    for telling in tellings:
        place = bisect_right(starts, telling.day) - 1
        if place >= 0 and (telling.until is None or telling.until >= slots[place].end):
            people[place].add(telling.person)
    return people
