"""Tell when people came to tell: by the calendar, or counted from a passing."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.model.calendar import (
    MAX_BUCKETS,
    MAX_YEARS,
    Bucket,
    Interval,
    Range,
    WeekStart,
    add_months,
    automatic,
    bucket_count,
    buckets,
    buckets_since,
    too_long,
)
from plugin_analytics.model.life import annotations
from plugin_analytics.model.reports import Axis, Breakdown, Timeseries, bars, by_value, top
from plugin_analytics.services.pages import Report
from plugin_analytics.services.view import Comparing, Filter, View, Window, dates

NOTHING = Comparing("none")


class TimeseriesQuery(NamedTuple):
    """In which rhythm it came; without a zone, in that of the tenant."""

    window: Window
    zone: ZoneInfo | None
    metrics: tuple[str, ...]
    interval: Interval | None
    week_start: WeekStart = "mon"
    axis: Axis = "calendar"
    comparing: Comparing = NOTHING
    breakdown: str | None = None
    only: Filter | None = None


def timeseries(view: View, query: TimeseriesQuery) -> Report:
    """Fill the buckets of a range, each beside its counterpart where that was asked."""
    span = _span(view, query)
    interval = query.interval or automatic(span)
    _refuse_too_many(span, interval)
    slots = _slots(view, query, span, interval)
    table = view.table([slot.span for slot in slots], query.metrics, query.only)
    meta = view.meta(span, query.metrics, interval)
    beside = view.beside(span, query.window, query.comparing)
    rows = None
    if beside is not None:
        parts = [beside.part(slot.span, interval) for slot in slots]
        rows = view.table_beside(parts, query.metrics, query.only)
        meta["comparison"] = dates(beside.span)
    data = Timeseries(
        legacy_id=view.legacy_id,
        metrics=list(query.metrics),
        interval=interval,
        axis=query.axis,
        buckets=bars(slots, table, rows),
        annotations=annotations(view.life(), span),
        breakdown=_breakdown(view, query, slots),
    )
    return Report(data, meta)


def _span(view: View, query: TimeseriesQuery) -> Range:
    """Return the dates; of everything, or of all that followed a passing, the last ten years."""
    span = view.span(query.window)
    if query.window.dates is None and too_long(span):
        return Range(add_months(span.end, -12 * MAX_YEARS), span.end)
    return span


def _slots(view: View, query: TimeseriesQuery, span: Range, interval: Interval) -> list[Bucket]:
    if query.axis == "calendar":
        return list(buckets(span, interval, view.today, query.week_start))
    return list(buckets_since(view.passing("query.axis"), span, interval, view.today))


def _breakdown(view: View, query: TimeseriesQuery, slots: list[Bucket]) -> Breakdown | UnsetType:
    if query.breakdown is None:
        return UNSET
    (metric,) = query.metrics
    cells = view.cells([slot.span for slot in slots], metric, query.only)
    return Breakdown(query.breakdown, top(by_value(metric, query.breakdown, len(slots), cells)))


def _refuse_too_many(span: Range, interval: Interval) -> None:
    if bucket_count(span, interval) > MAX_BUCKETS:
        message = f"the range has more than {MAX_BUCKETS} buckets; ask for a longer interval"
        raise ValidationFailed(details=[{"field": "query.interval", "message": message}])
