"""Read the counts, in the zone that they follow or in any other (design §5).

Reports are asked often, and each asks a handful of statements: those are written out here once, for
to build them anew would take longer than to run them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import (
    EVEN,
    MINUTE,
    Interval,
    Range,
    WeekStart,
    align,
    find_zone,
    first_instant,
    following,
    local_date,
    stretches,
)
from plugin_analytics.model.reports import COUNTED, STORYTELLERS, TELLINGS, Cell
from plugin_analytics.store import schema
from plugin_analytics.store.base import Ending, Freshness, Health, Late
from plugin_analytics.store.codes import SOURCE, STRANGER
from plugin_analytics.store.reading import Reading, listed
from plugin_analytics.store.schema import Grain

_DAYS_OF_GRACE = 2  # no two zones are further apart than this
_MANY = 50  # more days than these are looked at as one span: a statement has only so many parts
_UNITS: dict[Grain, Interval] = {Grain.DAY: "day", Grain.MONTH: "month", Grain.YEAR: "year"}

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
# Between which days anybody told anything.
_TOLD = (
    "SELECT (SELECT MIN(start) FROM teller WHERE tenant = ?1 AND legacy = ?2 AND grain = 0),"
    " (SELECT MAX(start) FROM teller WHERE tenant = ?1 AND legacy = ?2 AND grain = 0)"
)
_NOTED = (
    "SELECT person FROM teller"
    " WHERE tenant = ? AND legacy = ? AND grain = ? AND start >= ? AND start < ?"
    " AND (until_day IS NULL OR until_day >= ?)"
)
_NOTED_BY_DAY = (
    "SELECT start, COUNT(*) FROM teller"
    " WHERE tenant = ? AND legacy = ? AND grain = 0 AND start >= ? AND start < ?"
    " AND (until_day IS NULL OR until_day > start) GROUP BY start"
)
_ENDED_ON = (
    "SELECT DISTINCT start FROM teller"
    " WHERE tenant = ? AND legacy = ? AND grain = ? AND start >= ? AND start < ? AND until_day = ?"
)
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
_TELLERS = (
    "SELECT person FROM fact WHERE tenant = ? AND legacy = ? AND day >= ? AND day < ?"
    " AND metric IN ({metrics}) AND delta = 1 AND at >= ? AND at < ?"
    " AND (until IS NULL OR until >= ?)"
)
_TELLINGS = (
    "SELECT at, person, until FROM fact WHERE tenant = ? AND legacy = ? AND day >= ? AND day < ?"
    " AND metric IN ({metrics}) AND delta = 1 AND person IS NOT NULL"
)
_PLAIN = date.fromordinal(EVEN.toordinal() + _DAYS_OF_GRACE)  # from here on also in other zones
_Scope = tuple[int, int]
_Zones = tuple[ZoneInfo, ZoneInfo]  # that is asked for, and that the counts are in
_Count = tuple[int, int, int, int]  # day, metric, kind, value
_Part = tuple[str, tuple[Any, ...]]  # of a statement, with the values in it


class _Piece(NamedTuple):
    """Spans of one grain whose first days lie in a range."""

    grain: Grain
    span: Range


class _Telling(NamedTuple):
    """That a person told something on a day, and until when any of it stood."""

    day: date
    person: bytes
    until: date | None


class _Cut(NamedTuple):
    """The days of the counts that lie in a range of another zone: whole, and at least in part."""

    inner: Range
    outer: Range


class _Border(NamedTuple):
    """When a day of another zone begins: within which day of the counts, and before which."""

    instant: int
    within: date
    following: date  # the same where both begin at once


class Counts(Reading):
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

    def storytellers(
        self, tenant: str, legacy: str, slots: Sequence[Range], zone: ZoneInfo
    ) -> Sequence[int]:
        """Count, for each slot, the people with a telling in it that still stood at its end."""
        scope = self._scope(tenant, legacy)
        counted = self._counted_apart(tenant, zone)
        if counted is not None:
            if slots[0].start < _PLAIN:
                return _people(slots, self._tellings_on_the_spot(scope, slots, zone))
            return [self._people_on_the_spot(scope, slot, zone, counted) for slot in slots]
        numbers = self._people_ahead(scope, slots)
        told = self._told(scope)
        return [
            numbers[slot] if slot in numbers else self._people_within(scope, slot, told)
            for slot in slots
        ]

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""
        scope = self._scope(tenant, legacy)
        codes = listed(self._word_codes(COUNTED).values())
        first = _date(self._rows(_FIRST_DAY.format(metrics=codes), scope)[0][0])
        if first is None or self._counted_apart(tenant, zone) is None:
            return first
        near = _ordinals(_widened(Range(first, first)))
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
        values = self._tenant_code(tenant), *_ordinals(span)
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
            found += self._rows(statement, (*scope, piece.grain, *_ordinals(piece.span)))
        return found

    def _people_ahead(self, scope: _Scope, slots: Sequence[Range]) -> dict[Range, int]:
        """Return the people of spans of the calendar, all of which the whole tenant has counted."""
        if scope[1] != schema.WHOLE:
            return self._people_of_days(scope, [slot for slot in slots if slot.days == 1])
        wanted: dict[Grain, list[Range]] = {}
        for slot in slots:
            if (grain := _grain_of(slot)) is not None:
                wanted.setdefault(grain, []).append(slot)
        statement = _SUMS.format(metrics=listed(self._word_codes((STORYTELLERS,)).values()))
        found: dict[Range, int] = {}
        for grain, spans in wanted.items():
            around = _ordinals(Range(spans[0].start, spans[-1].end))
            rows = self._rows(statement, (*scope, grain, *around))
            counts = {start: int(value) for start, _, _, value in rows}
            found.update({span: counts.get(span.start.toordinal(), 0) for span in spans})
        return found

    def _people_of_days(self, scope: _Scope, days: Sequence[Range]) -> dict[Range, int]:
        """Return the people of single days, who are all noted apart."""
        if not days:
            return {}
        around = _ordinals(Range(days[0].start, days[-1].end))
        numbers = dict(self._rows(_NOTED_BY_DAY, (*scope, *around)))
        return {day: numbers.get(day.start.toordinal(), 0) for day in days}

    def _told(self, scope: _Scope) -> Range | None:
        """Return the days from the first on which anybody told anything to the last."""
        first, last = self._rows(_TOLD, scope)[0]
        return None if first is None else Range(date.fromordinal(first), date.fromordinal(last + 1))

    def _people_within(self, scope: _Scope, span: Range, told: Range | None) -> int:
        """Count the people of any range, from the years, months and days that it is made of."""
        if told is None:
            return 0
        stretched = _stretched(span, told, "year" if scope[1] == schema.WHOLE else "month")
        return self._distinct(self._noted(scope, stretched, span.end))

    # --- counted on the spot

    def _counted_elsewhere(
        self, scope: _Scope, slots: Sequence[Range], zones: _Zones, codes: str, *, kinds: bool
    ) -> list[_Count]:
        """Count in the days of one zone what is counted ahead in those of another.

        Most days of the counts lie in one slot whole. What is left is told apart by the day that
        it was counted on: a day of the zone would take in again what lies across the border.
        """
        cuts = [_cut(slot, *zones) for slot in slots]
        ahead = [span for span in map(_common, slots, cuts) if span.start < span.end]
        around = Range(
            min(slots[0].start, cuts[0].outer.start), max(slots[-1].end, cuts[-1].outer.end)
        )
        whole, rest = Range(slots[0].start, slots[-1].end), _outside(around, ahead)
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
        if whole.start < _PLAIN:
            yield from self._by_minutes(scope, spans, whole, zone, codes)
            return
        statement = _BY_DAYS.format(metrics=codes)
        runs = stretches(whole, zone)
        for span in spans:
            near = _widened(span)
            for run in runs:
                if run.days.start < near.end and near.start < run.days.end:
                    day, within = run.days.start.toordinal(), (run.start, run.end)
                    values = (day, run.start, run.length, *scope, *_ordinals(span), *within)
                    yield from self._rows(statement, values)

    def _by_minutes(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, zone: ZoneInfo, codes: str
    ) -> Iterator[_Count]:
        """Count by days that may come twice."""
        first, end = _ordinals(whole)
        statement = _BY_MINUTES.format(metrics=codes)
        for span in spans:
            for minute, metric, dim, value in self._rows(statement, (*scope, *_ordinals(span))):
                day = local_date(minute * MINUTE, zone).toordinal()
                if first <= day < end:
                    yield day, metric, dim, value

    def _frozen(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, codes: str
    ) -> Iterator[_Count]:
        """Return what is left of forgotten subjects; its days stay those of their time."""
        if spans:
            values = (*scope, *_ordinals(whole))
            for _, count in _placed(spans, self._rows(_FROZEN.format(metrics=codes), values)):
                yield count

    def _people_on_the_spot(
        self, scope: _Scope, slot: Range, zone: ZoneInfo, counted: ZoneInfo
    ) -> int:
        """Count the people of a range by the instants at which it begins and ends in *zone*.

        Whoever told something on a day that lies in the range whole has been noted ahead. What
        was told on the others is looked at, and what ended on the day in which the range does.
        """
        cut = _cut(slot, zone, counted)
        looked_at = _outside(cut.outer, [cut.inner]) if cut.inner.days > 0 else [cut.outer]
        parts: list[_Part] = []
        if cut.inner.days > 0:
            parts = self._noted(scope, cut.inner, cut.outer.end)
            if cut.outer.end > cut.inner.end:
                looked_at += self._ended_on(scope, cut.inner, cut.inner.end)
        instants = (_border(day, zone, counted).instant for day in slot)
        return self._distinct([*parts, *self._tellers_between(scope, looked_at, *instants)])

    def _ended_on(self, scope: _Scope, span: Range, last: date) -> list[Range]:
        """Return the days of *span* on which somebody told what stood until the day *last*."""
        days: set[date] = set()
        for piece in _pieces(span, years=scope[1] == schema.WHOLE):
            for start in self._starts(scope, piece, last):
                unit = Range(start, following(start, _UNITS[piece.grain]))
                days.update(self._starts(scope, _Piece(Grain.DAY, unit), last))
        if len(days) > _MANY:
            return [Range(min(days), _moved(max(days), 1))]
        return [Range(day, _moved(day, 1)) for day in sorted(days)]

    def _starts(self, scope: _Scope, piece: _Piece, last: date) -> list[date]:
        values = (*scope, piece.grain, *_ordinals(piece.span), last.toordinal())
        return [date.fromordinal(start) for (start,) in self._rows(_ENDED_ON, values)]

    def _noted(self, scope: _Scope, span: Range, end: date) -> list[_Part]:
        """Ask who was noted ahead in the pieces of *span* with what still stood on the day *end*."""
        return [
            (_NOTED, (*scope, piece.grain, *_ordinals(piece.span), end.toordinal()))
            for piece in _pieces(span, years=scope[1] == schema.WHOLE)
        ]

    def _tellers_between(
        self, scope: _Scope, days: Sequence[Range], start: int, end: int
    ) -> list[_Part]:
        """Ask who told something on *days* of the counts from one instant to another."""
        statement = self._of_tellings(_TELLERS)
        return [(statement, (*scope, *_ordinals(span), start, end, end)) for span in days]

    def _distinct(self, parts: Sequence[_Part]) -> int:
        people, values = _united(parts)
        counted = f"SELECT COUNT(DISTINCT person) FROM ({people})"  # noqa: S608  # statements of this module
        return int(self._rows(counted, values)[0][0])

    def _tellings_on_the_spot(
        self, scope: _Scope, slots: Sequence[Range], zone: ZoneInfo
    ) -> Iterator[_Telling]:
        span = Range(slots[0].start, slots[-1].end)
        values = (*scope, *_ordinals(_widened(span)))
        for at, person, until in self._rows(self._of_tellings(_TELLINGS), values):
            day = local_date(at, zone)
            if span.start <= day < span.end:
                yield _Telling(day, person, None if until is None else local_date(until, zone))

    # --- the rest

    def _of_tellings(self, statement: str) -> str:
        return statement.format(metrics=listed(self._word_codes(TELLINGS).values()))

    def _counted_apart(self, tenant: str, zone: ZoneInfo) -> ZoneInfo | None:
        """Return the zone in whose days the counts are, where that is not *zone*.

        While they are made anew, what was counted before is the best there is for every zone.
        """
        progress = self.progress(tenant)
        if progress is None or progress.rebuild is not None or progress.zone == zone.key:
            return None
        return find_zone(progress.zone)


def _placed(slots: Sequence[Range], counts: Iterable[_Count]) -> Iterator[tuple[int, _Count]]:
    """Yield in which of *slots* each count lies, and the count; those between slots are left out."""
    starts, ends = zip(*map(_ordinals, slots), strict=True)
    for count in counts:
        place = bisect_right(starts, count[0]) - 1
        if place >= 0 and count[0] < ends[place]:
            yield place, count


def _united(parts: Sequence[_Part]) -> _Part:
    """Return one statement for the rows of all *parts*."""
    statements = (statement for statement, _ in parts)
    return " UNION ALL ".join(statements), tuple(value for _, own in parts for value in own)


def _ordinals(span: Range) -> tuple[int, int]:
    return span.start.toordinal(), span.end.toordinal()


def _stretched(span: Range, told: Range, interval: Interval) -> Range:
    """Stretch a range to borders of the calendar over days on which nobody told anything.

    It holds the same tellings, but is made of fewer pieces.
    """
    start = align(span.start, interval) if span.start <= told.start else span.start
    end = _next(span.end, interval) if told.end <= span.end else span.end
    return Range(start, end)


def _widened(span: Range) -> Range:
    """Return the days of any zone that hold every instant of *span* in another."""
    return Range(_moved(span.start, -_DAYS_OF_GRACE), _moved(span.end, _DAYS_OF_GRACE))


def _cut(slot: Range, zone: ZoneInfo, counted: ZoneInfo) -> _Cut:
    """Say which days of the zone *counted* lie in *slot*, whole or in part."""
    if slot.start < _PLAIN:
        inner = Range(_moved(slot.start, _DAYS_OF_GRACE), _moved(slot.end, -_DAYS_OF_GRACE))
        return _Cut(inner, _widened(slot))
    first, last = (_border(day, zone, counted) for day in slot)
    return _Cut(Range(first.following, last.within), Range(first.within, last.following))


@lru_cache(maxsize=16_384)
def _border(day: date, zone: ZoneInfo, counted: ZoneInfo) -> _Border:
    """Return when *day* begins in *zone*, by the days of the zone *counted*."""
    instant = first_instant(day, zone)
    within = local_date(instant, counted)
    together = first_instant(within, counted) == instant
    return _Border(instant, within, within if together else _moved(within, 1))


def _common(slot: Range, cut: _Cut) -> Range:
    """Return the days that lie in a slot whole and are called by the same dates."""
    return Range(max(slot.start, cut.inner.start), min(slot.end, cut.inner.end))


def _outside(whole: Range, inner: Sequence[Range]) -> list[Range]:
    """Return what *inner* leaves of *whole*."""
    starts = [whole.start, *(span.end for span in inner)]
    ends = [*(span.start for span in inner), whole.end]
    return [Range(*ends) for ends in zip(starts, ends, strict=True) if ends[0] < ends[1]]


def _fit_months(borders: Iterable[date]) -> bool:
    return all(border.day == 1 for border in borders)


def _pieces(span: Range, *, years: bool = False) -> list[_Piece]:
    """Cut *span* into the months (and *years*) that lie in it, and the days that are left."""
    months = Range(_next(span.start, "month"), align(span.end, "month"))
    if months.start >= months.end:
        return [_Piece(Grain.DAY, span)]
    whole = Range(_next(months.start, "year"), align(months.end, "year")) if years else None
    inner = [_Piece(Grain.MONTH, months)]
    if whole is not None and whole.start < whole.end:
        inner = [
            _Piece(Grain.MONTH, Range(months.start, whole.start)),
            _Piece(Grain.YEAR, whole),
            _Piece(Grain.MONTH, Range(whole.end, months.end)),
        ]
    edges = Range(span.start, months.start), Range(months.end, span.end)
    pieces = [_Piece(Grain.DAY, edges[0]), *inner, _Piece(Grain.DAY, edges[1])]
    return [piece for piece in pieces if piece.span.start < piece.span.end]


def _next(day: date, interval: Interval) -> date:
    """Return the first day of a unit that is not before *day*."""
    first = align(day, interval)
    return first if first == day else following(first, interval)


def _grain_of(slot: Range) -> Grain | None:
    """Return of which grain a slot is, if it is a span of the calendar."""
    for grain, interval, week_start in _GRAINS_BY_DAYS.get(slot.days, ()):
        start = align(slot.start, interval, week_start)
        if start == slot.start and following(start, interval) == slot.end:
            return grain
    return None


_Calendar = tuple[Grain, Interval, WeekStart]
_WEEKS: tuple[_Calendar, ...] = (
    (Grain.WEEK, "week", "mon"),
    (Grain.SUNDAY_WEEK, "week", "sun"),
)
_GRAINS_BY_DAYS: dict[int, tuple[_Calendar, ...]] = {
    1: ((Grain.DAY, "day", "mon"),),
    7: _WEEKS,
    **dict.fromkeys((28, 29, 30, 31), ((Grain.MONTH, "month", "mon"),)),
    **dict.fromkeys((90, 91, 92), ((Grain.QUARTER, "quarter", "mon"),)),
    **dict.fromkeys((365, 366), ((Grain.YEAR, "year", "mon"),)),
}


def _people(slots: Sequence[Range], tellings: Iterable[_Telling]) -> list[int]:
    """Count who told something in each slot that still stood at the slot's end."""
    starts = [slot.start for slot in slots]
    people: list[set[bytes]] = [set() for _ in slots]
    for telling in tellings:
        place = bisect_right(starts, telling.day) - 1
        if place < 0 or telling.day >= slots[place].end:
            continue
        if telling.until is None or telling.until >= slots[place].end:
            people[place].add(telling.person)
    return [len(found) for found in people]


def _moved(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)


def _date(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
