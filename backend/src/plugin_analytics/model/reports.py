"""Turn daily counts into the reports that a page shows (spec §8.3, `/data`)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from plugin_analytics.model.calendar import Bucket, Interval
from plugin_analytics.model.dimensions import SUMS, parts_of, value_of
from plugin_analytics.model.life import Annotation

TELLINGS = SUMS["tellings"]
STORYTELLERS = "storytellers"
COUNTED = (*TELLINGS, *SUMS["reactions"])  # what adds up
TOP = 10
OTHER = "(other)"  # no value has brackets
Axis = Literal["calendar", "since_passing"]
Row = list[int]


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
    """One bucket of a series, with what it is set beside and its number where these were asked."""

    start: date
    end: date
    complete: bool
    values: Row
    previous: Row | UnsetType | None = UNSET
    offset: int | UnsetType = UNSET


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


class Series(msgspec.Struct, frozen=True, rename="camel"):
    """What one value of a dimension adds to each bucket."""

    value: str
    total: int
    values: Row


class Breakdown(msgspec.Struct, frozen=True, rename="camel"):
    """The one metric of a series, apart by a dimension."""

    dimension: str
    series: list[Series]


class Timeseries(msgspec.Struct, frozen=True, rename="camel"):
    """The rhythm in which people come to tell."""

    legacy_id: str | None
    metrics: list[str]
    interval: Interval
    axis: Axis
    buckets: list[Bar]
    annotations: list[Annotation] = []
    breakdown: Breakdown | UnsetType = UNSET


class Share(msgspec.Struct, frozen=True):
    """What one value of a dimension counts."""

    value: str
    count: int


def compare(metric: str, now: int, before: int | None) -> Metric:
    """Set a count beside the same count of other days."""
    return Metric(metric, now, before, None if before is None else now - before)


def rows(
    size: int, metrics: Sequence[str], cells: Iterable[Cell], people: Sequence[int] = ()
) -> list[Row]:
    """Put cells into a table of *size* slots, with a column for each metric, sums among them.

    A net count can fall below zero.
    """
    columns: dict[str, list[int]] = {}
    for column, metric in enumerate(metrics):
        for part in parts_of(metric):
            columns.setdefault(part, []).append(column)
    table = [[0] * len(metrics) for _ in range(size)]
    for cell in cells:
        for column in columns[cell.metric]:
            table[cell.slot][column] += cell.value
    for column in columns.get(STORYTELLERS, ()):
        for row, number in zip(table, people, strict=True):
            row[column] = number
    return table


def bars(
    slots: Sequence[Bucket], table: Sequence[Row], beside: Sequence[Row | None] | None = None
) -> list[Bar]:
    """Write a row into each bucket, and the one it is set beside."""
    previous: Sequence[Row | UnsetType | None] = beside or [UNSET] * len(slots)
    return [
        Bar(
            slot.start,
            slot.end,
            slot.complete,
            row,
            before,
            UNSET if slot.offset is None else slot.offset,
        )
        for slot, row, before in zip(slots, table, previous, strict=True)
    ]


def by_value(metric: str, dimension: str, size: int, cells: Iterable[Cell]) -> dict[str, Row]:
    """Tell the slots of a metric apart by the values of a dimension."""
    found: dict[str, Row] = {}
    for cell in cells:
        value = value_of(metric, dimension, cell.metric, cell.kind)
        found.setdefault(value, [0] * size)[cell.slot] += cell.value
    return found


def top(values: Mapping[str, Row]) -> list[Series]:
    """List the values that count most; the rest of more than ten are one."""
    counted = [Series(value, sum(row), row) for value, row in values.items()]
    ordered = sorted(counted, key=lambda each: (-each.total, each.value))
    if len(ordered) <= TOP:
        return ordered
    rest = [sum(numbers) for numbers in zip(*(each.values for each in ordered[TOP:]), strict=True)]
    return [*ordered[:TOP], Series(OTHER, sum(rest), rest)]


def shares(values: Mapping[str, Row], *, ascending: bool) -> list[Share]:
    """List what each value counts, by the count; of equals, by the value."""
    counts = [Share(value, sum(row)) for value, row in values.items()]
    sign = 1 if ascending else -1
    return sorted(
        (share for share in counts if share.count), key=lambda each: (sign * each.count, each.value)
    )
