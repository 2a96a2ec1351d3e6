"""Read the counts, in the zone that they follow or in any other (design §5)."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, func, or_, select

from plugin_analytics.model.calendar import Range, local_date
from plugin_analytics.model.reports import TELLINGS, DayCount, Telling, storytellers, sums
from plugin_analytics.store import schema
from plugin_analytics.store.base import Freshness
from plugin_analytics.store.reading import Reading

_DAYS_OF_GRACE = 2  # no two zones are further apart than this


class Counts(Reading):
    """Days that were counted ahead; facts on the spot where another zone is asked for."""

    def totals(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> dict[str, int]:
        """Return the net change of each additive metric over *span*."""
        if not self._counted_in(tenant, zone):
            return sums(self._facts_by_day(tenant, legacy, span, zone))
        table = schema.rollup_day
        query = select(table.c.metric, func.sum(table.c.value)).group_by(table.c.metric)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return {metric: int(value) for metric, value in rows}

    def storytellers(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> int:
        """Count the people with a telling in *span* that still stood at its end."""
        if not self._counted_in(tenant, zone):
            return storytellers(self.tellings(tenant, legacy, span, zone), span)
        table = schema.teller_day
        stood = or_(table.c.until_day.is_(None), table.c.until_day >= span.end.toordinal())
        query = select(func.count(table.c.person.distinct())).where(stood)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return int(rows[0][0])

    def daily(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo, metrics: Sequence[str]
    ) -> Sequence[DayCount]:
        """Return the net change of each metric on each day of *span* that has one."""
        if not self._counted_in(tenant, zone):
            counts = self._facts_by_day(tenant, legacy, span, zone)
            return [count for count in counts if count.metric in metrics]
        table = schema.rollup_day
        query = select(table.c.day, table.c.metric, table.c.value).where(
            *_within(table, tenant, legacy, span), table.c.metric.in_(metrics)
        )
        return [DayCount(date.fromordinal(day), *rest) for day, *rest in self._all(query)]

    def tellings(self, tenant: str, legacy: str, span: Range, zone: ZoneInfo) -> Sequence[Telling]:
        """Return who told something on which day of *span*."""
        if not self._counted_in(tenant, zone):
            return self._tellings_from_facts(tenant, legacy, span, zone)
        table = schema.teller_day
        query = select(table.c.day, table.c.person, table.c.until_day)
        rows = self._all(query.where(*_within(table, tenant, legacy, span)))
        return [Telling(date.fromordinal(day), person, _date(until)) for day, person, until in rows]

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""
        columns = schema.fact.c
        mine = (columns.tenant == tenant, columns.legacy == legacy)
        first = self._all(select(func.min(columns.day)).where(*mine))[0][0]
        if first is None or self._counted_in(tenant, zone):
            return _date(first)
        near = columns.day <= first + _DAYS_OF_GRACE
        return local_date(self._all(select(func.min(columns.at)).where(*mine, near))[0][0], zone)

    def freshness(self, tenant: str, legacy: str) -> Freshness:
        """Tell how far the counts are behind."""
        columns = schema.dirty_day.c
        query = select(func.count()).where(columns.tenant == tenant, columns.legacy == legacy)
        progress = self.progress(tenant)
        return Freshness(progress.watermark if progress else None, self._all(query)[0][0])

    def _counted_in(self, tenant: str, zone: ZoneInfo) -> bool:
        progress = self.progress(tenant)
        return progress is not None and progress.zone == zone.key

    def _facts_by_day(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo
    ) -> list[DayCount]:
        """Count in a zone that is not the one of the rollups, to the instant."""
        table = schema.fact
        query = select(table.c.at, table.c.metric, func.sum(table.c.delta))
        query = query.where(*_around(table, tenant, legacy, span))
        days: dict[tuple[date, str], int] = {}
        for at, metric, delta in self._all(query.group_by(table.c.at, table.c.metric)):
            key = local_date(at, zone), metric
            days[key] = days.get(key, 0) + delta
        return [
            DayCount(day, metric, value)
            for (day, metric), value in days.items()
            if span.start <= day < span.end
        ]

    def _tellings_from_facts(
        self, tenant: str, legacy: str, span: Range, zone: ZoneInfo
    ) -> list[Telling]:
        table = schema.fact
        query = select(table.c.at, table.c.person, table.c.until).where(
            *_around(table, tenant, legacy, span),
            table.c.metric.in_(TELLINGS),
            table.c.delta == 1,
            table.c.person.is_not(None),
        )
        tellings = (
            Telling(
                local_date(at, zone), person, None if until is None else local_date(until, zone)
            )
            for at, person, until in self._all(query)
        )
        return [telling for telling in tellings if span.start <= telling.day < span.end]


def _within(table: Table, tenant: str, legacy: str, span: Range) -> tuple[ColumnElement[bool], ...]:
    """Select the days of a span, along the table's key."""
    return (
        table.c.tenant == tenant,
        table.c.legacy == legacy,
        table.c.day >= span.start.toordinal(),
        table.c.day < span.end.toordinal(),
    )


def _around(table: Table, tenant: str, legacy: str, span: Range) -> tuple[ColumnElement[bool], ...]:
    """Select a span that holds every instant of *span* in whatever zone."""
    return (
        table.c.tenant == tenant,
        table.c.legacy == legacy,
        table.c.day >= span.start.toordinal() - _DAYS_OF_GRACE,
        table.c.day < span.end.toordinal() + _DAYS_OF_GRACE,
    )


def _date(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
