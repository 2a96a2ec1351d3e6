"""Write what a fold changes, and let the counts follow; each step in one transaction.

What a fold only adds to a legacy's day is added to its counts there and then. A day that loses
something, and every day of the whole tenant, is marked, and counted again from its facts when a
good piece has been folded: many folds touch the same one.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from plugin_analytics.model.calendar import Interval, WeekStart, align, following
from plugin_analytics.model.reports import COUNTED, STORYTELLERS, TELLINGS
from plugin_analytics.model.rollup import DatedFact, Folded
from plugin_analytics.store.base import LegacyDay, Progress
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.schema import WHOLE, Grain

_REMEMBER = (
    "INSERT INTO memory (tenant, subject, family, last_at, acts) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant, subject) DO UPDATE"
    " SET last_at = excluded.last_at, acts = excluded.acts"
)
_DROP_FACT = (
    "DELETE FROM fact WHERE (tenant, legacy, day, metric, subject, at, delta)"
    " = (?, ?, ?, ?, ?, ?, ?)"
)
_TAKE_FACT = _DROP_FACT + " RETURNING dim"
_FACT = (
    "INSERT INTO fact"
    " (tenant, legacy, day, metric, subject, at, delta, dim, person, until, until_day)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO "
)
_NEW_FACT = _FACT + "NOTHING"
_ADD_FACT = (
    _FACT + "UPDATE SET dim = excluded.dim, person = excluded.person,"
    " until = excluded.until, until_day = excluded.until_day"
)
_COUNT_UP = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
)
# `max` of two is nothing where one is nothing: who has told what still stands stands.
_TELL = (
    "INSERT INTO teller (tenant, legacy, grain, start, person, until_day)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
    " SET until_day = max(until_day, excluded.until_day)"
    " WHERE until_day IS NOT max(until_day, excluded.until_day)"
)
_MARK_DAY = "INSERT INTO dirty_day (tenant, legacy, day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_MOVE_ON = (
    "INSERT INTO progress (tenant, seq, watermark, zone, definition, rebuild)"
    " VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, watermark = excluded.watermark,"
    " zone = excluded.zone, definition = excluded.definition, rebuild = excluded.rebuild"
)
_DIRTY = "SELECT legacy, day FROM dirty_day WHERE tenant = ? ORDER BY legacy, day LIMIT ?"
_CLEAN = "DELETE FROM dirty_day WHERE tenant = ? AND legacy = ? AND day = ?"
_DROP_TELLERS = "DELETE FROM teller WHERE tenant = ? AND legacy = ? AND grain = ? AND start = ?"
_DROP_COUNTS = (
    "DELETE FROM rollup WHERE tenant = ? AND legacy = ? AND grain = ? AND start = ?"
    " AND metric IN ({metrics})"
)
_COUNT_DAY = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " SELECT ?1, ?2, 0, metric, ?3, dim, SUM(value) FROM ("
    "SELECT metric, dim, delta AS value FROM fact WHERE tenant = ?1 AND legacy = ?2 AND day = ?3"
    " UNION ALL"
    " SELECT metric, dim, value FROM frozen WHERE tenant = ?1 AND legacy = ?2 AND day = ?3"
    ") GROUP BY metric, dim"
)
_COUNT_TELLERS = (
    "INSERT INTO teller (tenant, legacy, grain, start, person, until_day)"
    " SELECT tenant, legacy, 0, day, person,"
    " CASE WHEN COUNT(until_day) = COUNT(*) THEN MAX(until_day) END FROM fact"
    " WHERE tenant = ? AND legacy = ? AND day = ? AND delta = 1 AND person IS NOT NULL"
    " AND metric IN ({tellings}) GROUP BY person"
)
_GATHER_TELLERS = (
    "INSERT INTO teller (tenant, legacy, grain, start, person, until_day)"
    " SELECT tenant, legacy, ?, ?, person,"
    " CASE WHEN COUNT(until_day) = COUNT(*) THEN MAX(until_day) END FROM teller"
    " WHERE tenant = ? AND legacy = ? AND grain = ? AND start >= ? AND start < ? GROUP BY person"
)
_GATHER_COUNTS = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " SELECT tenant, legacy, ?, metric, ?, dim, SUM(value) FROM rollup"
    " WHERE tenant = ? AND legacy = ? AND grain = 0 AND metric IN ({metrics})"
    " AND start >= ? AND start < ? GROUP BY metric, dim"
)
# People of a span are those of the days and months in it: whichever is coarsest and fits.
_COUNT_PEOPLE = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " SELECT ?1, ?2, ?3, ?4, ?5, 0, COUNT(DISTINCT person) FROM teller"
    " WHERE tenant = ?1 AND legacy = ?2 AND grain = ?7 AND start >= ?5 AND start < ?6"
    " AND (until_day IS NULL OR until_day >= ?6) HAVING COUNT(*) > 0"
)
_SPANS: tuple[tuple[Grain, Interval, WeekStart, Grain], ...] = (
    (Grain.DAY, "day", "mon", Grain.DAY),
    (Grain.WEEK, "week", "mon", Grain.DAY),
    (Grain.SUNDAY_WEEK, "week", "sun", Grain.DAY),
    (Grain.MONTH, "month", "mon", Grain.MONTH),
    (Grain.QUARTER, "quarter", "mon", Grain.MONTH),
    (Grain.YEAR, "year", "mon", Grain.YEAR),
)
_Row = tuple[Any, ...]  # a fact
_KEY = 7  # so many of its columns tell it apart
_DAY, _MONTH = int(Grain.DAY), int(Grain.MONTH)  # an enumeration's hash is Python, and slow


class Folding:
    """Facts in, counts out."""

    def __init__(self, codes: Codes) -> None:
        """Write legacies, metrics and kinds by their *codes*."""
        self._codes = codes

    def save(
        self, connection: sqlite3.Connection, tenant: str, folded: Folded, progress: Progress
    ) -> None:
        """Apply a fold, let the counts follow or mark the days that must, and move on."""
        code = self._codes.tenant(connection, tenant)
        self._remember(connection, code, folded)
        dropped, added = (
            self._rows(connection, code, facts) for facts in (folded.dropped, folded.added)
        )
        connection.executemany(_DROP_FACT, [row[:_KEY] for row in dropped])
        lost = {row[1:3] for row in dropped}
        if not added or connection.executemany(_NEW_FACT, added).rowcount == len(added):
            plain = [row for row in added if row[1] != WHOLE and row[1:3] not in lost]
        else:  # some stood already, and are counted or not: the facts must tell
            connection.executemany(_ADD_FACT, added)
            plain = []
        self._count_up(connection, plain)
        touched = lost.union(row[1:3] for row in added)
        _mark(connection, code, touched.difference(row[1:3] for row in plain))
        connection.execute(_MOVE_ON, (code, *progress))

    def apply(self, connection: sqlite3.Connection, code: int, folded: Folded) -> None:
        """Write what has changed of subjects and facts, and mark the days that this changes."""
        self._remember(connection, code, folded)
        dropped = self._rows(connection, code, folded.dropped)
        connection.executemany(_DROP_FACT, [row[:_KEY] for row in dropped])
        added = self.add(connection, code, folded.added)
        _mark(connection, code, {row[1:3] for row in (*dropped, *added)})

    def add(
        self, connection: sqlite3.Connection, tenant: int, facts: Iterable[DatedFact]
    ) -> Sequence[_Row]:
        """Write facts, and return them as they are kept; one that is there already is replaced."""
        rows = self._rows(connection, tenant, facts)
        connection.executemany(_ADD_FACT, rows)
        return rows

    def _remember(self, connection: sqlite3.Connection, tenant: int, folded: Folded) -> None:
        word = self._codes.word
        rows = [
            (tenant, subject, word(connection, family), last_at, acts)
            for subject, family, last_at, acts in sorted(folded.memories)  # neighbours together
        ]
        connection.executemany(_REMEMBER, rows)

    def _count_up(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        """Add new facts to the counts of their days and months."""
        values: Counter[tuple[Any, ...]] = Counter()
        tellers: dict[tuple[Any, ...], int | None] = {}
        tellings = {self._codes.word(connection, metric) for metric in TELLINGS}
        for tenant, legacy, day, metric, _, _, delta, dim, person, _, until in rows:
            month = _month_of(day)
            values[tenant, legacy, _DAY, metric, day, dim] += delta
            values[tenant, legacy, _MONTH, metric, month, dim] += delta
            if person is None or delta != 1 or metric not in tellings:
                continue
            for grain, start in ((_DAY, day), (_MONTH, month)):
                key = tenant, legacy, grain, start, person
                tellers[key] = _longer(tellers.get(key, until), until)
        connection.executemany(_COUNT_UP, [(*key, value) for key, value in values.items()])
        connection.executemany(_TELL, [(*key, until) for key, until in tellers.items()])

    def remove(
        self, connection: sqlite3.Connection, tenant: int, facts: Iterable[DatedFact]
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """Take facts out; yield legacy, day, metric, kind and change of those that were there."""
        for row in self._rows(connection, tenant, facts):
            found = connection.execute(_TAKE_FACT, row[:_KEY]).fetchone()
            if found is not None:
                yield *row[1:4], found[0], row[_KEY - 1]

    def recount(self, connection: sqlite3.Connection, tenant: str, limit: int) -> list[LegacyDay]:
        """Count dirty days again from the facts, and return which."""
        code = self._codes.tenant(connection, tenant)
        days = connection.execute(_DIRTY, (code, limit)).fetchall()
        self.count(connection, code, days)
        connection.executemany(_CLEAN, [(code, *day) for day in days])
        names = {0: ""}
        for legacy in {legacy for legacy, _ in days} - {0}:
            names[legacy] = _name_of(connection, code, legacy)
        return [(names[legacy], date.fromordinal(day)) for legacy, day in days]

    def count(
        self, connection: sqlite3.Connection, tenant: int, days: Sequence[tuple[int, int]]
    ) -> None:
        """Make the counts of *days*, and of every span that they lie in, follow the facts."""
        counted = self._listed(connection, COUNTED)
        self._count_days(connection, tenant, days, counted)
        for legacy, start in _starts(days, "month"):
            span = start, _end(start, "month")
            _gather_tellers(connection, tenant, legacy, Grain.MONTH, Grain.DAY, span)
            _gather_counts(connection, tenant, legacy, span, counted)
        # A circle is small: only of a whole tenant are there too many people to count on the spot.
        self._count_people(connection, tenant, [day for day in days if day[0] == WHOLE])

    def _count_days(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        days: Sequence[tuple[int, int]],
        counted: str,
    ) -> None:
        where = [(tenant, *day) for day in days]
        spans = [(tenant, legacy, Grain.DAY, day) for legacy, day in days]
        connection.executemany(_DROP_TELLERS, spans)
        connection.executemany(_DROP_COUNTS.format(metrics=counted), spans)
        connection.executemany(_COUNT_DAY, where)
        tellings = self._listed(connection, TELLINGS)
        connection.executemany(_COUNT_TELLERS.format(tellings=tellings), where)

    def _count_people(
        self, connection: sqlite3.Connection, tenant: int, days: Sequence[tuple[int, int]]
    ) -> None:
        """Count the people of each span of the calendar: they do not add up."""
        for legacy, start in _starts(days, "year"):
            span = start, _end(start, "year")
            _gather_tellers(connection, tenant, legacy, Grain.YEAR, Grain.MONTH, span)
        people = self._codes.word(connection, STORYTELLERS)
        drop = _DROP_COUNTS.format(metrics=people)
        for grain, interval, week_start, source in _SPANS:
            starts = _starts(days, interval, week_start)
            connection.executemany(drop, [(tenant, legacy, grain, at) for legacy, at in starts])
            connection.executemany(
                _COUNT_PEOPLE,
                [
                    (tenant, legacy, grain, people, start, _end(start, interval), source)
                    for legacy, start in starts
                ],
            )

    def _listed(self, connection: sqlite3.Connection, words: Iterable[str]) -> str:
        """Return the numbers of *words* as a list within a statement."""
        return ", ".join(str(self._codes.word(connection, word)) for word in words)

    def _rows(
        self, connection: sqlite3.Connection, tenant: int, facts: Iterable[DatedFact]
    ) -> list[_Row]:
        """Return facts as the table keeps them, the key first."""
        legacy_code, word = self._codes.legacy, self._codes.word
        return [
            (
                tenant,
                legacy_code(connection, tenant, legacy),
                day.toordinal(),
                word(connection, metric),
                subject,
                at,
                delta,
                word(connection, dim) if dim else 0,
                person,
                until,
                None if until_day is None else until_day.toordinal(),
            )
            for subject, day, until_day, (legacy, at, metric, delta, person, until, dim) in facts
        ]


def _mark(connection: sqlite3.Connection, tenant: int, days: Iterable[tuple[int, int]]) -> None:
    """Let days be counted again."""
    connection.executemany(_MARK_DAY, [(tenant, *day) for day in days])


def _longer(one: int | None, other: int | None) -> int | None:
    """Return the later of two ends; what has none stands longest."""
    return None if one is None or other is None else max(one, other)


@lru_cache(maxsize=4_096)
def _month_of(day: int) -> int:
    return align(date.fromordinal(day), "month").toordinal()


def _gather_tellers(
    connection: sqlite3.Connection,
    tenant: int,
    legacy: int,
    grain: Grain,
    source: Grain,
    span: tuple[int, int],
) -> None:
    """Make the people of a span those of the finer spans in it."""
    connection.execute(_DROP_TELLERS, (tenant, legacy, grain, span[0]))
    connection.execute(_GATHER_TELLERS, (grain, span[0], tenant, legacy, source, *span))


def _gather_counts(
    connection: sqlite3.Connection, tenant: int, legacy: int, span: tuple[int, int], counted: str
) -> None:
    """Add up a month from its days."""
    drop, gather = (text.format(metrics=counted) for text in (_DROP_COUNTS, _GATHER_COUNTS))
    connection.execute(drop, (tenant, legacy, Grain.MONTH, span[0]))
    connection.execute(gather, (Grain.MONTH, span[0], tenant, legacy, *span))


def _starts(
    days: Iterable[tuple[int, int]], interval: Interval, week_start: WeekStart = "mon"
) -> list[tuple[int, int]]:
    """Return each legacy's spans of the calendar that *days* lie in, by their first day."""
    return sorted(
        {
            (legacy, align(date.fromordinal(day), interval, week_start).toordinal())
            for legacy, day in days
        }
    )


def _name_of(connection: sqlite3.Connection, tenant: int, legacy: int) -> str:
    query = "SELECT name FROM legacy WHERE tenant = ? AND code = ?"
    found = connection.execute(query, (tenant, legacy)).fetchone()
    return "" if found is None else str(found[0])


def _end(start: int, interval: Interval) -> int:
    return following(date.fromordinal(start), interval).toordinal()
