"""Read what the counts are held against; none of the statements is one that made them."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, func, literal, select, tuple_, union

from plugin_analytics.model.calendar import Range, align, following
from plugin_analytics.model.checking import DayCounts, Kind, without_noughts
from plugin_analytics.model.crowds import STANDS, numbers_in, unpacked
from plugin_analytics.model.reports import COUNTED
from plugin_analytics.model.rollup import DatedFact, Memory, Stored
from plugin_analytics.store import schema
from plugin_analytics.store.base import Arrived, LegacyDay, Span, Standing, Verification
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.reading import Reading
from plugin_analytics.store.schema import Grain

_DAY = 86_400 * 1_000_000
_AT_ONCE = 1_000
_NOBODY = b"nobody"  # whom a bit without a number stands for
_SAVE = (
    "INSERT INTO verification (tenant, at, days, events, drift) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant) DO UPDATE SET at = excluded.at, days = excluded.days,"
    " events = excluded.events, drift = excluded.drift"
)
_AGREE = "DELETE FROM drift WHERE tenant = ?"
_DIFFER = "INSERT INTO drift (tenant, legacy, day) VALUES (?, ?, ?)"
_MARK_DAY = "INSERT INTO dirty_day (tenant, legacy, day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def save(
    connection: sqlite3.Connection,
    codes: Codes,
    tenant: int,
    seen: Verification,
    drift: Sequence[LegacyDay],
) -> None:
    """Keep what was found, and mark the days that differ to be counted again."""
    rows = [
        (tenant, codes.legacy(connection, tenant, legacy), day.toordinal()) for legacy, day in drift
    ]
    connection.execute(_SAVE, (tenant, *seen))
    connection.execute(_AGREE, (tenant,))
    connection.executemany(_DIFFER, rows)
    connection.executemany(_MARK_DAY, rows)


class Verifying(Reading):
    """Look at counts, facts and events side by side."""

    def verification(self, tenant: str) -> Verification | None:
        """Return what the last verification of a tenant has found; None before the first."""
        columns = schema.verification.c
        query = select(columns.at, columns.days, columns.events, columns.drift)
        rows = self._all(query.where(columns.tenant == self._tenant_code(tenant)))
        return Verification(*rows[0]) if rows else None

    def drift(self) -> int:
        """Return on how many days the counts were last seen to differ, over all tenants."""
        total = func.coalesce(func.sum(schema.verification.c.drift), 0)
        return int(self._all(select(total))[0][0])

    def drifting(self, tenant: str) -> Sequence[LegacyDay]:
        """Return the days of a tenant on which the counts were last seen to differ."""
        table, code = schema.drift, self._tenant_code(tenant)
        query = select(table.c.legacy, table.c.day).where(table.c.tenant == code)
        return self._legacy_days(code, self._all(query))

    def counted_days(self, tenant: str, share: int, least: int) -> Sequence[LegacyDay]:
        """Return one in *share* of the days that anything is known of, at random, or *least*."""
        code = self._tenant_code(tenant)
        rollup, fact, frozen = schema.rollup.c, schema.fact.c, schema.frozen.c
        days = union(
            select(rollup.legacy, rollup.start.label("day")).where(
                rollup.tenant == code, rollup.grain == Grain.DAY
            ),
            select(fact.legacy, fact.day).where(fact.tenant == code),
            select(frozen.legacy, frozen.day).where(frozen.tenant == code),
        ).cte("days")
        number = select(func.count()).select_from(days).scalar_subquery()
        some = func.max(least, number // literal(share))
        query = select(days.c.legacy, days.c.day).order_by(func.random()).limit(some)
        return self._legacy_days(code, self._all(query))

    def standing(self, tenant: str, legacy: str, day: date) -> Standing | None:
        """Return what stands of one day, and what it must follow from; None while it is dirty."""
        scope, ordinal = self._scope(tenant, legacy), day.toordinal()
        table = schema.dirty_day
        if self._all(select(table.c.day).where(*_at(table, scope, ordinal))):
            return None
        fact, memory, word = schema.fact.c, schema.memory.c, schema.word.c
        subjects = select(fact.subject).where(*_at(schema.fact, scope, ordinal))
        known = self._all(
            select(memory.subject, word.name, memory.last_at, memory.acts)
            .join_from(schema.memory, schema.word, word.code == memory.family)
            .where(memory.tenant == scope[0], memory.subject.in_(subjects))
        )
        return Standing(
            counts=self._counts_of(scope, ordinal),
            frozen=self._kinds(schema.frozen, _at(schema.frozen, scope, ordinal)),
            memories=[Memory(*row) for row in known],
        )

    def spans(self, days: Iterable[LegacyDay]) -> Sequence[Span]:
        """Return the months that hold some days, each once: they are counted ahead too."""
        found: dict[tuple[str, date], Span] = {}
        for legacy, day in days:
            start = align(day, "month")
            own = Span(legacy, day, Range(start, following(start, "month")))
            found.setdefault((legacy, start), own)
        return list(found.values())

    def span_differs(self, tenant: str, span: Span) -> bool:
        """Tell whether a month says something else than its days; what is dirty says nothing."""
        scope = self._scope(tenant, span.legacy)
        return not self._touched(scope, span.days) and self._span_differs(scope, span.days)

    def latest(self, tenant: str, since: int, limit: int) -> Sequence[Stored]:
        """Return what arrived last and has been counted, up to *limit* events."""
        columns = schema.event.c
        query = self._events(tenant).order_by(columns.seq.desc()).limit(limit)
        rows = self._all(query)
        return [Stored(*row[:-2]) for row in rows if row.received_at >= since]

    def arrived(self, tenant: str, days: Iterable[int], after: int, width: int) -> Arrived | None:
        """Return the counted events of some days (UTC) among the next *width* arrivals."""
        columns = schema.event.c
        code = self._tenant_code(tenant)
        reached = self.progress(tenant)
        first = self._all(
            select(func.min(columns.seq)).where(columns.tenant == code, columns.seq > after)
        )[0][0]
        if first is None or reached is None or first > reached.seq:
            return None
        last = min(first + width - 1, reached.seq)
        query = self._events(tenant).where(
            columns.seq.between(first, last), (columns.at // _DAY).in_(sorted(days))
        )
        return Arrived([Stored(*row[:-2]) for row in self._all(query)], last)

    def remembered(self, tenant: str, subjects: Sequence[bytes]) -> Sequence[Memory]:
        """Return what is remembered of each subject that is known, with its family."""
        memory, word = schema.memory.c, schema.word.c
        rows = self._all(
            select(memory.subject, word.name, memory.last_at, memory.acts)
            .join_from(schema.memory, schema.word, word.code == memory.family)
            .where(memory.tenant == self._tenant_code(tenant), memory.subject.in_(subjects))
        )
        return [Memory(*row) for row in rows]

    def uncounted(self, tenant: str, facts: Sequence[DatedFact]) -> list[DatedFact]:
        """Return those of *facts* that the counts cannot know of: they are not kept."""
        columns = schema.fact.c
        metrics = self._word_codes({dated.fact.metric for dated in facts})
        keys = {self._fact_key(tenant, dated, metrics): dated for dated in facts}
        wanted, code = list(keys), self._tenant_code(tenant)
        key = (columns.legacy, columns.day, columns.metric, columns.subject, columns.at)
        for place in range(0, len(wanted), _AT_ONCE):
            some = tuple_(*key, columns.delta).in_(wanted[place : place + _AT_ONCE])
            rows = self._all(select(*key, columns.delta).where(columns.tenant == code, some))
            for row in rows:
                del keys[tuple(row)]
        return list(keys.values())

    # --- the parts of it

    def _fact_key(
        self, tenant: str, dated: DatedFact, metrics: Mapping[str, int]
    ) -> tuple[Any, ...]:
        fact, metric = dated.fact, metrics.get(dated.fact.metric, -1)
        legacy = self._scope(tenant, fact.legacy)[1]
        return (legacy, dated.day.toordinal(), metric, dated.subject, fact.at, fact.delta)

    def _events(self, tenant: str) -> Any:
        """Select the events that a fold has seen, as the fold sees them."""
        columns, word, reached = schema.event.c, schema.word.c, schema.progress.c
        code = self._tenant_code(tenant)
        seen = select(reached.seq).where(reached.tenant == code).scalar_subquery()
        return (
            select(
                *(columns.id, word.name, columns.at, columns.person, columns.body),
                *(columns.received_at, columns.seq),
            )
            .join_from(schema.event, schema.word, word.code == columns.type)
            .where(columns.tenant == code, columns.seq <= seen)
        )

    def _counts_of(self, scope: tuple[int, int], day: int) -> DayCounts:
        rollup = schema.rollup
        here = (*_in(rollup, scope), rollup.c.grain == Grain.DAY, rollup.c.start == day)
        told, voices = schema.told, self._voices(scope)
        rows = self._all(select(told.c.until, told.c.people).where(*_at(told, scope, day)))
        return DayCounts(
            self._kinds(rollup, here),
            {
                None if until == STANDS else until: {
                    voices.get(number, _NOBODY) for number in numbers_in(unpacked(people))
                }
                for until, people in rows
            },
        )

    def _voices(self, scope: tuple[int, int]) -> dict[int, bytes]:
        columns = schema.voice.c
        query = select(columns.number, columns.person).where(*_in(schema.voice, scope))
        return {row.number: row.person for row in self._all(query)}

    def _kinds(self, table: Any, where: Sequence[Any]) -> dict[Kind, int]:
        """Return values by the names of metric and kind, but for noughts."""
        columns = table.c
        rows = self._all(
            select(columns.metric, columns.dim, func.sum(columns.value))
            .where(*where)
            .group_by(columns.metric, columns.dim)
        )
        names = self._names(part for row in rows for part in row[:2])
        return without_noughts(
            {(names[metric], names[dim]): int(value) for metric, dim, value in rows}
        )

    def _touched(self, scope: tuple[int, int], span: Range) -> bool:
        table = schema.dirty_day
        inside = table.c.day.between(span.start.toordinal(), span.end.toordinal() - 1)
        return bool(self._all(select(table.c.day).where(*_in(table, scope), inside).limit(1)))

    def _span_differs(self, scope: tuple[int, int], span: Range) -> bool:
        rollup, (start, end) = schema.rollup, (day.toordinal() for day in span)
        here = (*_in(rollup, scope), rollup.c.grain == Grain.MONTH, rollup.c.start == start)
        return self._kinds(rollup, here) != self._month(scope, start, end)

    def _month(self, scope: tuple[int, int], start: int, end: int) -> dict[Kind, int]:
        columns = schema.rollup.c
        metrics = list(self._word_codes(COUNTED).values())
        inside = and_(columns.start.between(start, end - 1), columns.metric.in_(metrics))
        days = (*_in(schema.rollup, scope), columns.grain == Grain.DAY, inside)
        return self._kinds(schema.rollup, days)

    def _legacy_days(self, tenant: int, rows: Iterable[Any]) -> list[LegacyDay]:
        found = list(rows)
        columns = schema.legacy.c
        codes = sorted({legacy for legacy, _ in found})
        named = self._all(
            select(columns.code, columns.name).where(
                columns.tenant == tenant, columns.code.in_(codes)
            )
        )
        names = {schema.WHOLE: "", **dict(named)}
        return [(names[legacy], date.fromordinal(day)) for legacy, day in found if legacy in names]


def _in(table: Any, scope: tuple[int, int]) -> tuple[Any, ...]:
    return table.c.tenant == scope[0], table.c.legacy == scope[1]


def _at(table: Any, scope: tuple[int, int], day: int) -> tuple[Any, ...]:
    return *_in(table, scope), table.c.day == day
