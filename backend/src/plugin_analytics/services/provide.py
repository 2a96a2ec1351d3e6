"""Answer the questions of the data API from what has been counted (spec §8.3)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from mosaiclife_plugin_sdk import ValidationFailed
from plugin_analytics.clock import Clock, from_micros, rfc3339
from plugin_analytics.model.calendar import (
    MAX_BUCKETS,
    Interval,
    Period,
    Range,
    WeekStart,
    add_months,
    automatic,
    bucket_count,
    buckets,
    preceding,
    too_long,
)
from plugin_analytics.model.catalogue import METRICS, Item, Kind, items_after
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.reports import (
    COUNTED,
    STORYTELLERS,
    Bar,
    Overview,
    Sparkline,
    Timeseries,
    bars,
    compare,
)
from plugin_analytics.model.rollup import DEFINITION
from plugin_analytics.services.pages import Pagination, Report
from plugin_analytics.store.base import Store

SPARKLINE = Period("mo", 12)


class Window(NamedTuple):
    """What part of time is asked for: a period that ends today, or two dates."""

    period: Period
    dates: Range | None = None


class OverviewQuery(NamedTuple):
    """What has gathered."""

    window: Window
    zone: ZoneInfo


class TimeseriesQuery(NamedTuple):
    """In which rhythm it came."""

    window: Window
    zone: ZoneInfo
    metrics: tuple[str, ...]
    interval: Interval | None
    week_start: WeekStart = "mon"


class ItemsQuery(NamedTuple):
    """Which page of the catalogue."""

    kind: Kind | None
    limit: int
    cursor: str | None


class Provide:
    """Read reports for one scope: a legacy, or a whole tenant."""

    def __init__(self, store: Store, clock: Clock, cursors: Cursors) -> None:
        """Read from *store*, as of the present moment of *clock*."""
        self._store = store
        self._clock = clock
        self._cursors = cursors

    def overview(self, tenant: str, legacy: str, query: OverviewQuery) -> Report:
        """Tell what has gathered, and what changed since the period before."""
        with self._store.snapshot():
            return self._overview(tenant, legacy, query)

    def timeseries(self, tenant: str, legacy: str, query: TimeseriesQuery) -> Report:
        """Tell when people came to tell."""
        with self._store.snapshot():
            return self._timeseries(tenant, legacy, query)

    def items(self, tenant: str, query: ItemsQuery) -> Report:
        """List what can be asked, page by page."""
        bound = ("items", tenant, query.kind)
        last = None if query.cursor is None else self._cursors.read(bound, query.cursor)
        page, more = items_after(last, query.limit, query.kind)
        following = self._cursors.make(bound, page[-1].id) if more else None
        data: list[Item] = page
        return Report(data, {"pagination": Pagination(query.limit, more, following)})

    def _overview(self, tenant: str, legacy: str, query: OverviewQuery) -> Report:
        today, zone = self._today(query.zone), query.zone
        span = self._span(tenant, legacy, query.window, zone, today)
        before = _before(query.window, span)
        now = self._counts(tenant, legacy, span, zone)
        then = None if before is None else self._counts(tenant, legacy, before, zone)
        data = Overview(
            legacy_id=legacy or None,
            metrics=[compare(metric, now, then) for metric in METRICS],
            sparkline=self._sparkline(tenant, legacy, zone, today),
        )
        meta = self._meta(tenant, legacy, zone, span, ("overview",))
        return Report(data, meta if before is None else {**meta, "comparison": _dates(before)})

    def _timeseries(self, tenant: str, legacy: str, query: TimeseriesQuery) -> Report:
        today, zone = self._today(query.zone), query.zone
        span = self._span(tenant, legacy, query.window, zone, today)
        if query.window.dates is None and too_long(span):
            span = Range(add_months(span.end, -120), span.end)
        interval = query.interval or automatic(span)
        _refuse_too_many(span, interval)
        data = Timeseries(
            legacy_id=legacy or None,
            metrics=list(query.metrics),
            interval=interval,
            axis="calendar",
            buckets=self._bars(tenant, legacy, span, query, interval, today),
        )
        return Report(data, self._meta(tenant, legacy, zone, span, query.metrics, interval))

    def _today(self, zone: ZoneInfo) -> date:
        return self._clock().astimezone(zone).date()

    def _span(self, tenant: str, legacy: str, window: Window, zone: ZoneInfo, today: date) -> Range:
        if window.dates is not None:
            return window.dates
        whole = window.period.unit == "all"
        first = self._store.first_day(tenant, legacy, zone) if whole else None
        return window.period.range(today, first or today)

    def _counts(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> dict[str, int]:
        cells = self._store.series(tenant, legacy, [span], zone, COUNTED)
        (people,) = self._store.storytellers(tenant, legacy, [span], zone)
        return {**{cell.metric: cell.value for cell in cells}, STORYTELLERS: people}

    def _bars(
        self,
        tenant: str,
        legacy: str,
        span: Range,
        query: TimeseriesQuery,
        interval: Interval,
        today: date,
    ) -> list[Bar]:
        slots = list(buckets(span, interval, today, query.week_start))
        ranges = [Range(slot.start, slot.end) for slot in slots]
        cells = self._store.series(tenant, legacy, ranges, query.zone, query.metrics)
        people: Sequence[int] = ()
        if STORYTELLERS in query.metrics:
            people = self._store.storytellers(tenant, legacy, ranges, query.zone)
        return bars(slots, query.metrics, cells, people)

    def _sparkline(self, tenant: str, legacy: str, zone: ZoneInfo, today: date) -> Sparkline:
        span = SPARKLINE.range(today, today)
        slots = list(buckets(span, "month", today))
        ranges = [Range(slot.start, slot.end) for slot in slots]
        cells = self._store.series(tenant, legacy, ranges, zone, ("stories",))
        return Sparkline("stories", "month", bars(slots, ("stories",), cells))

    def _meta(
        self,
        tenant: str,
        legacy: str,
        zone: ZoneInfo,
        span: Range,
        definitions: Sequence[str],
        window: str | None = None,
    ) -> dict[str, Any]:
        """Say what a report was made of, so that it can be trusted and made again."""
        fresh = self._store.freshness(tenant, legacy)
        moment = None if fresh.watermark is None else rfc3339(from_micros(fresh.watermark))
        return {
            "timezone": zone.key,
            "range": _dates(span),
            "privacy": {"class": "shared", "k": None, "window": window, "rounded": False},
            "freshness": {"watermark": moment, "dirtyDays": fresh.dirty_days},
            "definition": ",".join(f"{name}.{DEFINITION}" for name in definitions),
        }


def _before(window: Window, span: Range) -> Range | None:
    return preceding(span) if window.dates is not None else window.period.before(span)


def _dates(span: Range) -> dict[str, date]:
    return {"from": span.start, "to": span.end}


def _refuse_too_many(span: Range, interval: Interval) -> None:
    if bucket_count(span, interval) > MAX_BUCKETS:
        message = f"the range has more than {MAX_BUCKETS} buckets; ask for a longer interval"
        raise ValidationFailed(details=[{"field": "query.interval", "message": message}])
