"""Read the counts, in the zone that they follow or in any other (design §5).

Reports are asked often, and each asks a handful of statements: those are written out here once, for
to build them anew would take longer than to run them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from plugin_analytics.model.calendar import (
    EVEN,
    MINUTE,
    Interval,
    Range,
    WeekStart,
    align,
    first_instant,
    following,
    local_date,
)
from plugin_analytics.model.reports import COUNTED, STORYTELLERS, TELLINGS, Cell
from plugin_analytics.store import schema
from plugin_analytics.store.base import Ending, Freshness, Health, Late
from plugin_analytics.store.codes import SOURCE, STRANGER
from plugin_analytics.store.reading import Reading, listed
from plugin_analytics.store.schema import Grain

_DAYS_OF_GRACE = 2  # no two zones are further apart than this
_MANY, _SHORT = 4, timedelta(days=95)
_NOTED = 28  # in fewer days than these, people are counted by instants alone
_FEW = 16  # so many slots are counted one by one where another zone asks

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
_NOTED_IN = (
    "SELECT person FROM teller"
    " WHERE tenant = ? AND legacy = ? AND grain = ? AND start >= ? AND start < ?"
)
_STOOD = " AND (until_day IS NULL OR until_day >= ?)"
_ENDED = " AND until_day >= ? AND until_day < ?"
_FIRST_FACT = "SELECT MIN(at) FROM fact WHERE tenant = ? AND legacy = ? AND day >= ? AND day < ?"
_FACTS = (
    "SELECT at / 60000000, metric, dim, SUM(delta) FROM fact WHERE tenant = ? AND legacy = ?"
    " AND day >= ? AND day < ? AND metric IN ({metrics}) GROUP BY 1, 2, 3"  # by minutes
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
_Scope = tuple[int, int]
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
        codes = listed(words.values())
        whole = Range(slots[0].start, slots[-1].end)
        followed = self._counted_in(tenant, zone)
        ahead = [whole] if followed else _inner(slots)
        # What is left is told apart by the day it was counted on: a day of the zone would take in
        # again what lies across the border, or leave it out.
        rest = [] if followed else _outside(_widened(whole), ahead)
        counts = self._ahead(scope, ahead, slots if followed else ahead, codes, kinds=kinds)
        counts += self._on_the_spot(scope, rest, whole, zone, codes)
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
        if not self._counted_in(tenant, zone):
            if len(slots) <= _FEW and slots[0].start >= EVEN:
                return [self._people_on_the_spot(scope, slot, zone) for slot in slots]
            return _people(slots, self._tellings_on_the_spot(scope, slots, zone))
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
        if first is None or self._counted_in(tenant, zone):
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

    def _ahead(
        self,
        scope: _Scope,
        spans: Sequence[Range],
        slots: Sequence[Range],
        codes: str,
        *,
        kinds: bool,
    ) -> list[_Count]:
        """Return what was counted ahead of *spans*, of which no border of *slots* cuts a piece."""
        found: list[_Count] = []
        for span in _together(spans):
            found += self._counted(scope, span, slots, codes, kinds=kinds)
        return [count for _, count in _placed(spans, found)] if len(spans) > 1 else found

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
        """Return the people of spans of the calendar, which are counted for the whole tenant."""
        if scope[1] != schema.WHOLE:
            return {}
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

    def _told(self, scope: _Scope) -> Range | None:
        """Return the days from the first on which anybody told anything to the last."""
        first, last = self._rows(_TOLD, scope)[0]
        return None if first is None else Range(date.fromordinal(first), date.fromordinal(last + 1))

    def _people_within(self, scope: _Scope, span: Range, told: Range | None) -> int:
        """Count the people of any range, from the years, months and days that it is made of."""
        if told is None:
            return 0
        stretched = _stretched(span, told, "year" if scope[1] == schema.WHOLE else "month")
        return self._distinct(self._noted(scope, stretched, _STOOD, span.end.toordinal()))

    # --- counted on the spot

    def _on_the_spot(
        self, scope: _Scope, spans: Sequence[Range], whole: Range, zone: ZoneInfo, codes: str
    ) -> Iterator[_Count]:
        """Count what was counted on the days of *spans* by the days of *whole* in another zone."""
        first, end = _ordinals(whole)
        statement = _FACTS.format(metrics=codes)
        for span in spans:
            for minute, metric, dim, value in self._rows(statement, (*scope, *_ordinals(span))):
                day = local_date(minute * MINUTE, zone).toordinal()
                if first <= day < end:
                    yield day, metric, dim, value
        # What is left of forgotten subjects: its days stay those of their time.
        left = self._rows(_FROZEN.format(metrics=codes), (*scope, first, end)) if spans else ()
        for count in left:
            if any(start <= count[0] < stop for start, stop in map(_ordinals, spans)):
                yield count

    def _people_on_the_spot(self, scope: _Scope, slot: Range, zone: ZoneInfo) -> int:
        """Count the people of a range by the instants at which it begins and ends in *zone*.

        Whoever told something on a day that lies in the range in every zone has been noted ahead;
        that is enough, unless some of it ended so near to the range's end that zones differ.
        """
        (inner,) = _inner([slot]) or (None,)
        near = _ordinals(_widened(Range(slot.end, slot.end)))
        if inner is None or inner.days < _NOTED or self._any_ended(scope, inner, near):
            return self._distinct(self._tellers_between(scope, [_widened(slot)], slot, zone))
        rest = self._tellers_between(scope, _outside(_widened(slot), [inner]), slot, zone)
        return self._distinct([*self._noted(scope, inner, _STOOD, near[1]), *rest])

    def _any_ended(self, scope: _Scope, span: Range, days: tuple[int, int]) -> bool:
        """Tell whether anything that was told in *span* stood until one of *days*."""
        statement, values = _united(self._noted(scope, span, _ENDED, *days))
        return bool(self._rows(f"{statement} LIMIT 1", values))

    def _noted(self, scope: _Scope, span: Range, which: str, *values: int) -> list[_Part]:
        """Ask who was noted ahead in the pieces of *span*, if *which* holds of them."""
        return [
            (_NOTED_IN + which, (*scope, piece.grain, *_ordinals(piece.span), *values))
            for piece in _pieces(span, years=scope[1] == schema.WHOLE)
        ]

    def _tellers_between(
        self, scope: _Scope, days: Sequence[Range], slot: Range, zone: ZoneInfo
    ) -> list[_Part]:
        """Ask who told something on *days* of the counts that lies in *slot* by its instants."""
        start, end = (first_instant(day, zone) for day in slot)
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

    def _counted_in(self, tenant: str, zone: ZoneInfo) -> bool:
        """Tell whether the counts are in the days of *zone*.

        While they are made anew, what was counted before is the best there is for every zone.
        """
        progress = self.progress(tenant)
        return progress is not None and (progress.rebuild is not None or progress.zone == zone.key)


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


def _inner(slots: Iterable[Range]) -> list[Range]:
    """Return the days that lie in their slot whatever the zone."""
    inner = (
        Range(_moved(slot.start, _DAYS_OF_GRACE), _moved(slot.end, -_DAYS_OF_GRACE))
        for slot in slots
    )
    return [span for span in inner if span.start < span.end]


def _together(spans: Sequence[Range]) -> Sequence[Range]:
    """Return one span for many short ones: reading the few days between costs less than asking."""
    if len(spans) < _MANY or spans[-1].end - spans[0].start > len(spans) * _SHORT:
        return spans
    return [Range(spans[0].start, spans[-1].end)]


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
