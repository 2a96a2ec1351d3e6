"""Read the counts, in the zone that they follow or in any other (design §5).

Reports are asked often, and each asks a handful of statements: those are written out here once, for
to build them anew would take longer than to run them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import (
    MINUTE,
    Interval,
    Range,
    align,
    following,
    local_date,
    stretches,
)
from plugin_analytics.model.reports import COUNTED, Cell
from plugin_analytics.store.base import Ending, Freshness, Health, Late
from plugin_analytics.store.borders import PLAIN, common, cut, ordinals, outside, widened
from plugin_analytics.store.codes import SOURCE, STRANGER
from plugin_analytics.store.people import People
from plugin_analytics.store.reading import listed
from plugin_analytics.store.schema import Grain

_FIRST_DAY = (
    "SELECT MIN(first) FROM (SELECT (SELECT MIN(start) FROM rollup WHERE tenant = ? AND legacy = ?"
    " AND grain = 0 AND metric = word.code) AS first FROM word WHERE code IN ({metrics}))"
)
_DIRTY_DAYS = "SELECT COUNT(DISTINCT day) FROM dirty_day WHERE tenant = ? AND legacy = ?"
_COUNTED_DAYS = (
    "SELECT COUNT(DISTINCT start) FROM rollup WHERE tenant = ? AND legacy = ? AND grain = 0"
)
_UNSEEN_DAYS = (  # of very many events, those of the first
    "SELECT COUNT(DISTINCT day) FROM (SELECT at / 86400000000 AS day FROM event"
    " WHERE tenant = ? AND seq > ? LIMIT 10000)"
)
_INTAKE = (
    "SELECT source, type, outcome, reason, SUM(number) FROM intake"
    " WHERE tenant = ? AND day >= ? AND day < ? GROUP BY source, type, outcome, reason"
)
_LATENESS = (
    "SELECT bucket, SUM(number), MAX(worst) FROM lateness"
    " WHERE tenant = ? AND day >= ? AND day < ? GROUP BY bucket"
)
_ROLLUP = (
    " FROM rollup WHERE tenant = ? AND legacy = ? AND grain = ? AND metric IN ({metrics})"
    " AND start >= ? AND start < ?"
)
_KINDS = "SELECT start, metric, dim, value" + _ROLLUP
_SUMS = "SELECT start, metric, 0, SUM(value)" + _ROLLUP + " GROUP BY metric, start"
_FIRST_FACT = "SELECT MIN(at) FROM fact WHERE tenant = ? AND legacy = ? AND day >= ? AND day < ?"
_BY_DAYS = (
    "SELECT ? + (at - ?) / ?, metric, dim, SUM(delta) FROM fact WHERE tenant = ? AND legacy = ?"
    " AND day >= ? AND day < ? AND metric IN ({metrics}) AND at >= ? AND at < ? GROUP BY 1, 2, 3"
)
_BY_MINUTES = (
    "SELECT at / 60000000, metric, dim, SUM(delta) FROM fact WHERE tenant = ? AND legacy = ?"
    " AND day >= ? AND day < ? AND metric IN ({metrics}) GROUP BY 1, 2, 3"
)
_FROZEN = (
    "SELECT day, metric, dim, value FROM frozen WHERE tenant = ? AND legacy = ?"
    " AND day >= ? AND day < ? AND metric IN ({metrics})"
)
_Scope = tuple[int, int]
_Zones = tuple[ZoneInfo, ZoneInfo]  # that is asked for, and that the counts are in
_Count = tuple[int, int, int, int]  # day, metric, kind, value


class _Piece(NamedTuple):
    """Spans of one grain whose first days lie in a range."""

    grain: Grain
    span: Range


class Counts(People):
    """Spans that were counted ahead; facts on the spot where another zone asks for them."""

    def series(
        self,
        tenant: str,
        legacy: str,
        slots: Sequence[Range],
        zone: ZoneInfo,
        metrics: Sequence[str],
        *,
        kinds: bool = False,
    ) -> Sequence[Cell]:
        """Return the net change of each metric in each of *slots*, in order and apart."""
        scope, words = self._scope(tenant, legacy), self._word_codes(metrics)
        if not words:
            return []
        codes = listed(words.values())
        counted = self._counted_apart(tenant, zone)
        if counted is None:
            whole = Range(slots[0].start, slots[-1].end)
            counts = self._counted(scope, whole, slots, codes, kinds=kinds)
        else:
            zones = zone, counted
            counts = self._counted_elsewhere(scope, slots, zones, codes, kinds=kinds)
        names = {code: name for name, code in words.items()}
        kind_names = self._names(dim for _, _, dim, _ in counts) if kinds else {}
        found: Counter[tuple[int, int, int]] = Counter()
        for place, (_, metric, dim, value) in _placed(slots, counts):
            found[place, metric, dim if kinds else 0] += value
        return [
            Cell(place, names[metric], kind_names.get(dim, ""), value)
            for (place, metric, dim), value in found.items()
        ]

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""
        scope = self._scope(tenant, legacy)
        codes = listed(self._word_codes(COUNTED).values())
        first = _date(self._rows(_FIRST_DAY.format(metrics=codes), scope)[0][0])
        if first is None or self._counted_apart(tenant, zone) is None:
            return first
        near = ordinals(widened(Range(first, first)))
        at = self._rows(_FIRST_FACT, (*scope, *near))[0][0]
        return first if at is None else local_date(at, zone)

    def freshness(self, tenant: str, legacy: str) -> Freshness:
        """Tell how far the counts are behind."""
        scope, progress = self._scope(tenant, legacy), self.progress(tenant)
        seen = progress.seq if progress else 0
        behind = self._rows(_UNSEEN_DAYS, (scope[0], seen))[0][0]
        rebuilding = progress is not None and progress.rebuild is not None
        days = self._rows(_COUNTED_DAYS if rebuilding else _DIRTY_DAYS, scope)[0][0]
        return Freshness(progress.watermark if progress else None, behind + days)

    def health(self, tenant: str, span: Range) -> Health:
        """Return how what came in on the days of *span* (UTC) has ended."""
        values = self._tenant_code(tenant), *ordinals(span)
        rows = self._rows(_INTAKE, values)
        names = self._names(part for row in rows for part in row[:4])
        endings = [
            Ending(
                names[source].removeprefix(SOURCE),
                names[kind].removeprefix(STRANGER),
                names[outcome],
                names[reason],
                int(number),
            )
            for source, kind, outcome, reason, number in rows
        ]
        return Health(endings, [Late(*row) for row in self._rows(_LATENESS, values)])

    # --- counted ahead

    def _counted(
        self, scope: _Scope, span: Range, slots: Sequence[Range], codes: str, *, kinds: bool
    ) -> list[_Count]:
        """Return what was counted ahead: months where they fit."""
        borders = {day for slot in slots for day in slot if span.start < day < span.end}
        statement = (_KINDS if kinds else _SUMS).format(metrics=codes)
        found: list[_Count] = []
        for piece in _pieces(span) if _fit_months(borders) else [_Piece(Grain.DAY, span)]:
            found += self._rows(statement, (*scope, piece.grain, *ordinals(piece.span)))
        return found

    # --- counted on the spot

    def _counted_elsewhere(
        self, scope: _Scope, slots: Sequence[Range], zones: _Zones, codes: str, *, kinds: bool
    ) -> list[_Count]:
        """Count in the days of one zone what is counted ahead in those of another.

        Most days of the counts lie in one slot whole. What is left is told apart by the day that
        it was counted on: a day of the zone would take in again what lies across the border.
        """
        cuts = [cut(slot, *zones) for slot in slots]
        ahead = [span for span in map(common, slots, cuts) if span.start < span.end]
        around = Range(
            min(slots[0].start, cuts[0].outer.start), max(slots[-1].end, cuts[-1].outer.end)
        )
        whole, rest = Range(slots[0].start, slots[-1].end), outside(around, ahead)
        found: list[_Count] = []
        for span in ahead:
            found += self._counted(scope, span, (), codes, kinds=kinds)
        found += self._on_the_spot(scope, rest, whole, zones[0], codes)
        found += self._frozen(scope, rest, whole, codes)
        return found

    def _on_the_spot(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, zone: ZoneInfo, codes: str
    ) -> Iterator[_Count]:
        """Count what was counted on the days of *spans* by the days of *whole* in another zone."""
        if whole.start < PLAIN:
            yield from self._by_minutes(scope, spans, whole, zone, codes)
            return
        statement = _BY_DAYS.format(metrics=codes)
        runs = stretches(whole, zone)
        for span in spans:
            near = widened(span)
            for run in runs:
                if run.days.start < near.end and near.start < run.days.end:
                    day, within = run.days.start.toordinal(), (run.start, run.end)
                    values = (day, run.start, run.length, *scope, *ordinals(span), *within)
                    yield from self._rows(statement, values)

    def _by_minutes(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, zone: ZoneInfo, codes: str
    ) -> Iterator[_Count]:
        """Count by days that may come twice."""
        first, end = ordinals(whole)
        statement = _BY_MINUTES.format(metrics=codes)
        for span in spans:
            for minute, metric, dim, value in self._rows(statement, (*scope, *ordinals(span))):
                day = local_date(minute * MINUTE, zone).toordinal()
                if first <= day < end:
                    yield day, metric, dim, value

    def _frozen(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, codes: str
    ) -> Iterator[_Count]:
        """Return what is left of forgotten subjects; its days stay those of their time."""
        if spans:
            values = (*scope, *ordinals(whole))
            for _, count in _placed(spans, self._rows(_FROZEN.format(metrics=codes), values)):
                yield count


def _placed(slots: Sequence[Range], counts: Iterable[_Count]) -> Iterator[tuple[int, _Count]]:
    """Yield in which of *slots* each count lies, and the count; those between slots are left out."""
    starts, ends = zip(*map(ordinals, slots), strict=True)
    for count in counts:
        place = bisect_right(starts, count[0]) - 1
        if place >= 0 and count[0] < ends[place]:
            yield place, count


def _fit_months(borders: Iterable[date]) -> bool:
    return all(border.day == 1 for border in borders)


def _pieces(span: Range) -> list[_Piece]:
    """Cut *span* into the months that lie in it, and the days that are left."""
    months = Range(_next(span.start, "month"), align(span.end, "month"))
    if months.start >= months.end:
        return [_Piece(Grain.DAY, span)]
    pieces = [
        _Piece(Grain.DAY, Range(span.start, months.start)),
        _Piece(Grain.MONTH, months),
        _Piece(Grain.DAY, Range(months.end, span.end)),
    ]
    return [piece for piece in pieces if piece.span.start < piece.span.end]


def _next(day: date, interval: Interval) -> date:
    """Return the first day of a unit that is not before *day*."""
    first = align(day, interval)
    return first if first == day else following(first, interval)


def _date(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
