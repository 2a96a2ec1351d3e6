"""Answer the questions of the data API from the raw events, each time from the beginning."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from tests.oracle.calendar import (
    DAY,
    MONTHS,
    Bucket,
    Span,
    automatic,
    buckets,
    day_in,
    months_later,
    period_span,
    previous,
    shifted,
    today_in,
)
from tests.oracle.door import Act, Envelope
from tests.oracle.facts import SUMS, TENANT, Fact, facts_of
from tests.oracle.memory import remember

TELLINGS = SUMS["tellings"]
OVERVIEW = ("stories", "storytellers", "responses", "hearts", "candles", "smiles", "media")


class Oracle:
    """What one tenant's reports must be at one moment."""

    def __init__(
        self, events: Iterable[Envelope], *, tenant: str, now: datetime, zone: str = "UTC"
    ) -> None:
        """Read *events* in the order in which they arrived; *zone* is the one of the reports."""
        self.now = now.astimezone(UTC)
        self.zone = zone
        self.acts = remember(events, tenant, self.now)
        self.facts = facts_of(self.acts)
        self._dated = cache(self._date)

    def legacies(self) -> list[str]:
        """Return every legacy in which something counts."""
        return sorted({fact.legacy for fact in self.facts} - {TENANT})

    def value(
        self,
        metric: str,
        legacy: str,
        span: Span,
        zone: str,
        looks: Mapping[str, str] | None = None,
    ) -> int:
        """Return one count over a range, perhaps of one kind only."""
        if metric == "storytellers":
            return len(self._storytellers(legacy, span, zone))
        wanted = SUMS.get(metric, (metric,))
        return sum(
            fact.delta
            for fact, day, _ in self._dated(legacy, zone)
            if fact.metric in wanted
            and day in span
            and set((looks or {}).items()) <= set(fact.looks)
        )

    def overview(
        self,
        legacy: str = TENANT,
        *,
        period: str | None = "all",
        dates: Span | None = None,
        zone: str | None = None,
    ) -> dict[str, Any]:
        """Return what has gathered: each metric with the one before and the change."""
        zone = zone or self.zone
        span = self.span(legacy, period, dates, zone)
        before = previous(span, None if dates else period)
        return {
            "legacyId": legacy or None,
            "metrics": [self._metric(name, legacy, span, before, zone) for name in OVERVIEW],
            "sparkline": self._sparkline(legacy, zone),
        }

    def timeseries(
        self,
        legacy: str = TENANT,
        *,
        metrics: tuple[str, ...] = ("stories",),
        period: str | None = "12mo",
        dates: Span | None = None,
        zone: str | None = None,
        interval: str = "auto",
        week_start: str = "mon",
        axis: str = "calendar",
        compare: str = "none",
        compare_dates: Span | None = None,
    ) -> dict[str, Any]:
        """Return in which rhythm people came, with the same days of another time beside it."""
        zone = zone or self.zone
        span = self.span(legacy, period, dates, zone)
        if dates is None:
            span = Span(max(span.start, months_later(span.end, -120)), span.end)
        interval = automatic(span) if interval == "auto" else interval
        passing = self.passing(legacy) if axis == "since_passing" else None
        found = buckets(
            span, interval, today_in(zone, self.now), week_start=week_start, passing=passing
        )
        rows = [self._row(bucket, metrics, legacy, zone) for bucket in found]
        if compare != "none":
            other, months = self.compared(span, compare, None if dates else period, compare_dates)
            by_date = months % 12 == 0 if months else False
            for row, bucket in zip(rows, found, strict=True):
                if by_date or (months and interval in MONTHS):
                    part = _same_dates(bucket, months, other)
                else:
                    part = _same_days(span, other, bucket)
                row["previous"] = part and [
                    self.value(name, legacy, part, zone) for name in metrics
                ]
        return {
            "legacyId": legacy or None,
            "metrics": list(metrics),
            "interval": interval,
            "axis": axis,
            "buckets": rows,
        }

    def breakdown(
        self, metric: str, dimension: str, legacy: str, span: Span, zone: str | None = None
    ) -> dict[str, int]:
        """Return a count for each value of a dimension that stands at other than zero."""
        zone, wanted = zone or self.zone, SUMS.get(metric, (metric,))
        counts: dict[str, int] = {}
        for fact, day, _ in self._dated(legacy, zone):
            if fact.metric in wanted and day in span:
                look = dict(fact.looks)[dimension]
                counts[look] = counts.get(look, 0) + fact.delta
        return {look: count for look, count in counts.items() if count}

    def passing(self, legacy: str) -> date | None:
        """Return the day of a passing, when it is known to the day."""
        told = sorted(
            (act for act in self.acts if _describes(act, legacy)), key=lambda act: act.when
        )
        precision, day = _last(told, "death_date_precision"), _last(told, "death_date")
        known = day is not None and len(day) == 10 and precision == "day"
        return date.fromisoformat(day) if known and day else None

    def span(self, legacy: str, period: str | None, dates: Span | None, zone: str) -> Span:
        """Return the dates that are asked for."""
        if dates is not None:
            return dates
        today = today_in(zone, self.now)
        passing = self.passing(legacy) if period == "since_passing" else None
        if passing is not None:
            return Span(passing, today + DAY)
        days = [day for _, day, _ in self._dated(legacy, zone)]
        return period_span(period or "all", today, min(days, default=today))

    def compared(
        self, span: Span, compare: str, period: str | None, custom: Span | None
    ) -> tuple[Span, int]:
        """Return the dates that are set beside *span*, and the months that lie between."""
        if compare == "previous_year":
            return (shifted(span, 12) if period else _whole_dates(span, 12)), 12
        if compare == "custom":
            assert custom is not None
            count = len(list(span.days()))
            days = list(custom.days())[:count]
            return Span(days[0], days[-1] + DAY), 0
        other = previous(span, period)
        assert other is not None
        months = 12 if period == "year" else 0
        return other, int(period[:-2]) if period and period.endswith("mo") else months

    def _metric(
        self, name: str, legacy: str, span: Span, before: Span | None, zone: str
    ) -> dict[str, Any]:
        value = self.value(name, legacy, span, zone)
        then = None if before is None else self.value(name, legacy, before, zone)
        delta = None if then is None else value - then
        return {"metric": name, "value": value, "previous": then, "delta": delta, "exact": True}

    def _sparkline(self, legacy: str, zone: str) -> dict[str, Any]:
        today = today_in(zone, self.now)
        found = buckets(period_span("12mo", today, today), "month", today)
        rows = [self._row(bucket, ("stories",), legacy, zone) for bucket in found]
        return {"metric": "stories", "interval": "month", "buckets": rows}

    def _row(
        self, bucket: Bucket, metrics: Iterable[str], legacy: str, zone: str
    ) -> dict[str, Any]:
        span = Span(bucket.start, bucket.end)
        return {
            "start": bucket.start.isoformat(),
            "end": bucket.end.isoformat(),
            "complete": bucket.complete,
            "values": [self.value(name, legacy, span, zone) for name in metrics],
        }

    def _storytellers(self, legacy: str, span: Span, zone: str) -> set[str]:
        """Return who told something in a range that still stood at its end."""
        return {
            fact.person
            for fact, day, until in self._dated(legacy, zone)
            if fact.metric in TELLINGS
            and fact.delta == 1
            and fact.person is not None
            and day in span
            and (until is None or until >= span.end)
        }

    def _date(self, legacy: str, zone: str) -> list[tuple[Fact, date, date | None]]:
        """Return each fact of a legacy with its days in a zone."""
        return [
            (fact, day_in(zone, fact.at), None if fact.until is None else day_in(zone, fact.until))
            for fact in self.facts
            if fact.legacy == legacy
        ]


def _describes(act: Act, legacy: str) -> bool:
    return act.type in {"legacy.created", "legacy.updated"} and act.legacies == [legacy]


def _last(acts: list[Act], name: str) -> str | None:
    said = [act.payload[name] for act in acts if act.payload.get(name)]
    return said[-1] if said else None


def _whole_dates(span: Span, months: int) -> Span:
    """Return every date that some date of *span* moves back to, or that moves forward into it."""
    back = {months_later(day, -months) for day in (span.start, span.end - DAY)}
    near = Span(min(back) - 4 * DAY, max(back) + 5 * DAY)
    found = back | {day for day in near.days() if months_later(day, months) in span}
    return Span(min(found), max(found) + DAY)


def _same_dates(bucket: Bucket, months: int, other: Span) -> Span | None:
    """Return the dates of *other* that are those of *bucket*, some months before."""
    return _within(_whole_dates(Span(bucket.start, bucket.end), months), other)


def _same_days(span: Span, other: Span, bucket: Bucket) -> Span | None:
    """Return the part of *other* that lies as many days from its start as *bucket* from its own."""
    begin = other.start + (bucket.start - span.start)
    end = other.start + (bucket.end - span.start)
    return _within(Span(begin, other.end if bucket.end == span.end else end), other)


def _within(part: Span, whole: Span) -> Span | None:
    found = Span(max(part.start, whole.start), min(part.end, whole.end))
    return found if found.start < found.end else None
