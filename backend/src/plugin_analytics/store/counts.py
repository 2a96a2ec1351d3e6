"""Read the counts, in the zone that they follow or in any other (design §5)."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Table,
    and_,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    values,
)

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
from plugin_analytics.store.reading import Reading
from plugin_analytics.store.schema import Grain

_DAYS_OF_GRACE = 2  # no two zones are further apart than this
_LOOKS_AHEAD = 10_000
_DAY = 86_400 * 1_000_000
_MANY, _SHORT = 4, timedelta(days=95)
_NOTED = 28  # in fewer days than these, people are counted by instants alone
_FEW = 16  # so many slots are counted one by one where another zone asks
_IRREGULAR = 8  # more slots than this that no count was made for are counted from the days


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
        whole = Range(slots[0].start, slots[-1].end)
        starts = [slot.start for slot in slots]
        followed = self._counted_in(tenant, zone)
        ahead = [whole] if followed else _inner(slots)
        inner, borders = [span.start for span in ahead], slots if followed else ahead
        # What is left is told apart by the day it was counted on: a day of the zone would take in
        # again what lies across the border, or leave it out.
        rest = [] if followed else _outside(_widened(whole), ahead)
        counts = [
            *(
                count
                for span in _together(ahead)
                for count in self._counted(scope, span, borders, words, kinds=kinds)
                if (place := bisect_right(inner, count[0])) and count[0] < ahead[place - 1].end
            ),
            *self._on_the_spot(scope, rest, whole, zone, words),
        ]
        names = {code: name for name, code in words.items()}
        kind_names = self._names(dim for _, _, dim, _ in counts) if kinds else {}
        cells: Counter[tuple[int, str, str]] = Counter()
        for day, metric, dim, value in counts:
            place = bisect_right(starts, day) - 1
            if place >= 0 and day < slots[place].end:
                cells[place, names[metric], kind_names.get(dim, "")] += value
        return [Cell(*key, value) for key, value in cells.items()]

    def storytellers(
        self, tenant: str, legacy: str, slots: Sequence[Range], zone: ZoneInfo
    ) -> Sequence[int]:
        """Count, for each slot, the people with a telling in it that still stood at its end."""
        scope = self._scope(tenant, legacy)
        if not self._counted_in(tenant, zone):
            if len(slots) <= _FEW and slots[0].start >= EVEN:
                return [self._people_on_the_spot(scope, slot, zone) for slot in slots]
            return _people(slots, self._tellings_on_the_spot(scope, slots, zone))
        numbers: dict[Range, int] = {}
        for look in (self._people_ahead, self._people_by_month, self._people_one_by_one):
            numbers.update(look(scope, [slot for slot in slots if slot not in numbers]))
        return [numbers[slot] for slot in slots]

    def first_day(self, tenant: str, legacy: str, zone: ZoneInfo) -> date | None:
        """Return the first day on which anything counts."""
        scope, columns = self._scope(tenant, legacy), schema.rollup.c
        starts = (
            select(func.min(columns.start).label("start")).where(
                *_in(schema.rollup, scope), columns.grain == Grain.DAY, columns.metric == metric
            )
            for metric in self._word_codes(COUNTED).values()
        )
        found = union_all(*starts).subquery()
        first = _date(self._all(select(func.min(found.c.start)))[0][0])
        if first is None or self._counted_in(tenant, zone):
            return first
        near = _days(schema.fact, scope, _widened(Range(first, first)))
        at = self._all(select(func.min(schema.fact.c.at)).where(*near))[0][0]
        return first if at is None else local_date(at, zone)

    def freshness(self, tenant: str, legacy: str) -> Freshness:
        """Tell how far the counts are behind."""
        scope, progress = self._scope(tenant, legacy), self.progress(tenant)
        behind = self._unseen_days(scope[0], progress.seq if progress else 0)
        if progress is not None and progress.rebuild is not None:
            days = schema.rollup.c.start, schema.rollup, schema.rollup.c.grain == Grain.DAY
        else:
            days = schema.dirty_day.c.day, schema.dirty_day, true()
        day, table, which = days
        query = select(func.count(day.distinct())).where(*_in(table, scope), which)
        watermark = progress.watermark if progress else None
        return Freshness(watermark, behind + self._all(query)[0][0])

    def health(self, tenant: str, span: Range) -> Health:
        """Return how what came in on the days of *span* (UTC) has ended."""
        code, table = self._tenant_code(tenant), schema.intake
        parts = (table.c.source, table.c.type, table.c.outcome, table.c.reason)
        query = select(*parts, func.sum(table.c.number)).group_by(*parts)
        rows = self._all(query.where(*_arrived(table, code, span)))
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
        return Health(endings, self._lateness(code, span))

    def _lateness(self, tenant: int, span: Range) -> list[Late]:
        columns = schema.lateness.c
        query = select(columns.bucket, func.sum(columns.number), func.max(columns.worst))
        rows = self._all(
            query.where(*_arrived(schema.lateness, tenant, span)).group_by(columns.bucket)
        )
        return [Late(bucket, int(number), worst) for bucket, number, worst in rows]

    # --- counted ahead

    def _counted(
        self,
        scope: tuple[int, int],
        span: Range,
        slots: Sequence[Range],
        words: dict[str, int],
        *,
        kinds: bool,
    ) -> list[tuple[date, int, int, int]]:
        """Return (day, metric, kind, value) of what was counted ahead: months where they fit."""
        table = schema.rollup
        columns = table.c
        borders = {day for slot in slots for day in slot if span.start < day < span.end}
        parts = (columns.start, columns.metric)
        query = select(*parts, literal(0), func.sum(columns.value)).group_by(*parts)
        if kinds:
            query = select(*parts, columns.dim, columns.value)
        found: list[tuple[date, int, int, int]] = []
        for piece in _pieces(span) if _fit_months(borders) else [_Piece(Grain.DAY, span)]:
            there = query.where(
                *_in(table, scope),
                columns.grain == piece.grain,
                columns.metric.in_(list(words.values())),
                *_starting(table, piece.span),
            )
            found.extend(
                (date.fromordinal(start), metric, dim, int(value))
                for start, metric, dim, value in self._all(there)
            )
        return found

    def _people_ahead(self, scope: tuple[int, int], slots: Sequence[Range]) -> dict[Range, int]:
        """Return the people of spans of the calendar, which are counted for the whole tenant."""
        if scope[1] != schema.WHOLE:
            return {}
        wanted: dict[Grain, list[Range]] = {}
        for slot in slots:
            if (grain := _grain_of(slot)) is not None:
                wanted.setdefault(grain, []).append(slot)
        found: dict[Range, int] = {}
        for grain, spans in wanted.items():
            starts = [span.start.toordinal() for span in spans]
            counts = dict(self._people_of(scope, grain, min(starts), max(starts)))
            found.update({span: counts.get(span.start.toordinal(), 0) for span in spans})
        return found

    def _people_by_month(self, scope: tuple[int, int], slots: Sequence[Range]) -> dict[Range, int]:
        """Count the people of slots that are made of whole months."""
        whole = [slot for slot in slots if slot.start.day == slot.end.day == 1]
        return self._people_in(scope, whole, Grain.MONTH) if len(whole) > 1 else {}

    def _people_one_by_one(
        self, scope: tuple[int, int], slots: Sequence[Range]
    ) -> dict[Range, int]:
        """Count the people of any slots; of many together, from their days."""
        if len(slots) > _IRREGULAR:
            return self._people_in(scope, slots, Grain.DAY)
        return {slot: self._people_within(scope, slot) for slot in slots}

    def _people_in(
        self, scope: tuple[int, int], slots: Sequence[Range], grain: Grain
    ) -> dict[Range, int]:
        """Count the people of slots that are made of spans of *grain*, all in one statement."""
        teller = schema.teller.c
        places = values(
            column("place", Integer), column("first", Integer), column("last", Integer), name="slot"
        ).data(
            [
                (place, slot.start.toordinal(), slot.end.toordinal())
                for place, slot in enumerate(slots)
            ]
        )
        slot = places.cte("slot").c
        within = and_(
            *_in(schema.teller, scope),
            teller.grain == grain,
            teller.start >= slot.first,
            teller.start < slot.last,
            or_(teller.until_day.is_(None), teller.until_day >= slot.last),
        )
        query = select(slot.place, func.count(teller.person.distinct())).where(within)
        found = dict(self._all(query.group_by(slot.place)))
        return {slot: found.get(place, 0) for place, slot in enumerate(slots)}

    def _people_of(
        self, scope: tuple[int, int], grain: Grain, first: int, last: int
    ) -> Sequence[Any]:
        columns = schema.rollup.c
        return self._all(
            select(columns.start, columns.value).where(
                *_in(schema.rollup, scope),
                columns.grain == grain,
                columns.metric == self._word_codes((STORYTELLERS,)).get(STORYTELLERS, -1),
                columns.start.between(first, last),
            )
        )

    def _people_within(self, scope: tuple[int, int], span: Range) -> int:
        """Count the people of any range, from the years, months and days that it is made of."""
        noted = self._noted(scope, span)
        stood = or_(noted.c.until_day.is_(None), noted.c.until_day >= span.end.toordinal())
        return self._distinct([select(noted.c.person).where(stood)])

    # --- counted on the spot

    def _on_the_spot(
        self,
        scope: tuple[int, int],
        spans: Sequence[Range],
        whole: Range,
        zone: ZoneInfo,
        words: dict[str, int],
    ) -> Iterator[tuple[date, int, int, int]]:
        """Count what was counted on the days of *spans* by the days of *whole* in another zone."""
        columns, codes = schema.fact.c, list(words.values())
        parts = (columns.at // MINUTE, columns.metric, columns.dim)
        query = select(*parts, func.sum(columns.delta)).group_by(*parts)
        for span in spans:
            there = (*_days(schema.fact, scope, span), columns.metric.in_(codes))
            for minute, metric, dim, value in self._all(query.where(*there)):
                day = local_date(minute * MINUTE, zone)
                if whole.start <= day < whole.end:
                    yield day, metric, dim, int(value)
        outside = [Range(max(span.start, whole.start), min(span.end, whole.end)) for span in spans]
        for count in self._frozen(scope, whole, codes) if spans else ():
            if any(span.start <= count[0] < span.end for span in outside):
                yield count

    def _frozen(
        self, scope: tuple[int, int], span: Range, metrics: Sequence[int]
    ) -> Iterator[tuple[date, int, int, int]]:
        """Return what is left of forgotten subjects; its days stay those of their time."""
        columns = schema.frozen.c
        query = select(columns.day, columns.metric, columns.dim, columns.value).where(
            *_days(schema.frozen, scope, span), columns.metric.in_(metrics)
        )
        for day, *count in self._all(query):
            yield date.fromordinal(day), *count

    def _people_on_the_spot(self, scope: tuple[int, int], slot: Range, zone: ZoneInfo) -> int:
        """Count the people of a range by the instants at which it begins and ends in *zone*.

        Whoever told something on a day that lies in the range in every zone has been noted ahead;
        that is enough, unless some of it ended so near to the range's end that zones differ.
        """
        (inner,) = _inner([slot]) or (None,)
        if inner is None or inner.days < _NOTED:
            return self._distinct(self._tellers_between(scope, [_widened(slot)], slot, zone))
        noted = self._noted(scope, inner)
        end = _widened(Range(slot.end, slot.end))
        near = noted.c.until_day.between(end.start.toordinal(), end.end.toordinal() - 1)
        if self._all(select(noted.c.person).where(near).limit(1)):
            return self._distinct(self._tellers_between(scope, [_widened(slot)], slot, zone))
        stood = or_(noted.c.until_day.is_(None), noted.c.until_day >= end.end.toordinal())
        rest = self._tellers_between(scope, _outside(_widened(slot), [inner]), slot, zone)
        return self._distinct([select(noted.c.person).where(stood), *rest])

    def _noted(self, scope: tuple[int, int], span: Range) -> Subquery:
        """Return who was noted ahead in the pieces of *span*, and until when it stood."""
        columns = schema.teller.c
        parts = [
            select(columns.person, columns.until_day).where(
                *_in(schema.teller, scope),
                columns.grain == piece.grain,
                *_starting(schema.teller, piece.span),
            )
            for piece in _pieces(span, years=scope[1] == schema.WHOLE)
        ]
        return union_all(*parts).subquery()

    def _tellers_between(
        self, scope: tuple[int, int], days: Sequence[Range], slot: Range, zone: ZoneInfo
    ) -> list[Select[Any]]:
        """Ask who told something on *days* of the counts that lies in *slot* by its instants."""
        columns = schema.fact.c
        start, end = (first_instant(day, zone) for day in slot)
        tellings = columns.metric.in_(list(self._word_codes(TELLINGS).values()))
        stood = or_(columns.until.is_(None), columns.until >= end)
        lies = (columns.at >= start, columns.at < end, columns.delta == 1, tellings, stood)
        return [
            select(columns.person).where(*_days(schema.fact, scope, span), *lies) for span in days
        ]

    def _distinct(self, parts: Sequence[Select[Any]]) -> int:
        people = union_all(*parts).subquery()
        return int(self._all(select(func.count(people.c.person.distinct())))[0][0])

    def _tellings_on_the_spot(
        self, scope: tuple[int, int], slots: Sequence[Range], zone: ZoneInfo
    ) -> Iterator[_Telling]:
        columns, span = schema.fact.c, Range(slots[0].start, slots[-1].end)
        query = select(columns.at, columns.person, columns.until).where(
            *_days(schema.fact, scope, _widened(span)),
            columns.metric.in_(list(self._word_codes(TELLINGS).values())),
            columns.delta == 1,
            columns.person.is_not(None),
        )
        for at, person, until in self._all(query):
            day = local_date(at, zone)
            if span.start <= day < span.end:
                yield _Telling(day, person, None if until is None else local_date(until, zone))

    # --- the rest

    def _counted_in(self, tenant: str, zone: ZoneInfo) -> bool:
        """Tell whether the counts are in the days of *zone*.

        While they are made anew, what was counted before is the best there is for every zone.
        """
        progress = self.progress(tenant)
        return progress is not None and (progress.rebuild is not None or progress.zone == zone.key)

    def _unseen_days(self, tenant: int, seq: int) -> int:
        """Count the days (UTC) of events that no fold has seen; of very many, of the first."""
        columns = schema.event.c
        ahead = (
            select((columns.at // _DAY).label("day"))
            .where(columns.tenant == tenant, columns.seq > seq)
            .limit(_LOOKS_AHEAD)
            .subquery()
        )
        return int(self._all(select(func.count(ahead.c.day.distinct())))[0][0])


def _in(table: Table, scope: tuple[int, int]) -> tuple[ColumnElement[bool], ...]:
    return table.c.tenant == scope[0], table.c.legacy == scope[1]


def _starting(table: Table, span: Range) -> tuple[ColumnElement[bool], ...]:
    start = table.c.start
    return start >= span.start.toordinal(), start < span.end.toordinal()


def _days(table: Table, scope: tuple[int, int], span: Range) -> tuple[ColumnElement[bool], ...]:
    """Select the days of a span, along the table's key."""
    day = table.c.day
    return *_in(table, scope), day >= span.start.toordinal(), day < span.end.toordinal()


def _arrived(table: Table, tenant: int, span: Range) -> tuple[ColumnElement[bool], ...]:
    day = table.c.day
    return (
        table.c.tenant == tenant,
        day >= span.start.toordinal(),
        day < span.end.toordinal(),
    )


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
    for grain, interval, week_start in _GRAINS:
        start = align(slot.start, interval, week_start)
        if start == slot.start and following(start, interval) == slot.end:
            return grain
    return None


_GRAINS: tuple[tuple[Grain, Interval, WeekStart], ...] = (
    (Grain.DAY, "day", "mon"),
    (Grain.WEEK, "week", "mon"),
    (Grain.SUNDAY_WEEK, "week", "sun"),
    (Grain.MONTH, "month", "mon"),
    (Grain.QUARTER, "quarter", "mon"),
    (Grain.YEAR, "year", "mon"),
)


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
