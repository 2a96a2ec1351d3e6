"""Turn daily counts into the reports that a page shows (spec §8.3, `/data`)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from plugin_analytics.model.calendar import Bucket, Interval

TELLINGS = ("stories", "responses", "media")
STORYTELLERS = "storytellers"
COUNTED = (*TELLINGS, "hearts", "candles", "smiles")  # what adds up


class Cell(NamedTuple):
    """The net change of one metric in one slot, of one kind where kinds were asked for."""

    slot: int
    metric: str
    kind: str
    value: int


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
    cells: Iterable[Cell],
    people: Sequence[int] = (),
) -> list[Bar]:
    """Fill each bucket with one value for each metric; a net count can fall below zero."""
    values = [dict.fromkeys(metrics, 0) for _ in slots]
    for cell in cells:
        values[cell.slot][cell.metric] += cell.value
    for row, number in zip(values, people, strict=False):
        row[STORYTELLERS] = number
    return [
        Bar(slot.start, slot.end, slot.complete, [row[metric] for metric in metrics])
        for slot, row in zip(slots, values, strict=True)
    ]
