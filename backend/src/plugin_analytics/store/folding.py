"""Write what a fold changes, and let the counts follow; each step in one transaction.

What a fold adds and takes is added and taken there and then. A day of which that is not sure, or
whose facts somebody else has changed, is marked, and counted again from its facts.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from plugin_analytics.model.calendar import align, following
from plugin_analytics.model.crowds import STANDS
from plugin_analytics.model.reports import COUNTED, TELLINGS
from plugin_analytics.model.rollup import DatedFact, Folded
from plugin_analytics.store.base import LegacyDay, Progress
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.crowds import Crowds, Telling
from plugin_analytics.store.many import write_rows
from plugin_analytics.store.schema import Grain

_REMEMBER = (
    "INSERT INTO memory (tenant, subject, family, last_at, acts) VALUES {rows}"
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
    " VALUES {rows} ON CONFLICT DO "
)
_NEW_FACT = _FACT + "NOTHING"
_ADD_FACT = (
    _FACT + "UPDATE SET dim = excluded.dim, person = excluded.person,"
    " until = excluded.until, until_day = excluded.until_day"
)
_COUNT_UP = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " VALUES {rows} ON CONFLICT DO UPDATE SET value = value + excluded.value"
)
# What came and went on one day leaves a nought; what never came leaves nothing.
_DROP_NOUGHT = (
    "DELETE FROM rollup WHERE tenant = ?1 AND legacy = ?2 AND grain = 0 AND metric = ?3"
    " AND start = ?4 AND dim = ?5 AND value = 0 AND NOT EXISTS ("
    "SELECT 1 FROM fact WHERE tenant = ?1 AND legacy = ?2 AND day = ?4 AND metric = ?3 AND dim = ?5"
    ") AND NOT EXISTS ("
    "SELECT 1 FROM frozen WHERE (tenant, legacy, day, metric, dim) = (?1, ?2, ?4, ?3, ?5))"
)
_DROP_NOUGHT_OF_MONTH = (
    "DELETE FROM rollup WHERE tenant = ?1 AND legacy = ?2 AND grain = 1 AND metric = ?3"
    " AND start = ?4 AND dim = ?5 AND value = 0 AND NOT EXISTS ("
    "SELECT 1 FROM rollup WHERE tenant = ?1 AND legacy = ?2 AND grain = 0 AND metric = ?3"
    " AND start >= ?4 AND start < ?6 AND dim = ?5)"
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
_GATHER_COUNTS = (
    "INSERT INTO rollup (tenant, legacy, grain, metric, start, dim, value)"
    " SELECT tenant, legacy, ?, metric, ?, dim, SUM(value) FROM rollup"
    " WHERE tenant = ? AND legacy = ? AND grain = 0 AND metric IN ({metrics})"
    " AND start >= ? AND start < ? GROUP BY metric, dim"
)
_Row = tuple[Any, ...]  # a fact
_KEY = 7  # so many of its columns tell it apart
_DAY, _MONTH = int(Grain.DAY), int(Grain.MONTH)  # an enumeration's hash is Python, and slow


class Folding:
    """Facts in, counts out."""

    def __init__(self, codes: Codes) -> None:
        """Write legacies, metrics and kinds by their *codes*."""
        self._codes = codes
        self._crowds = Crowds(codes)

    def save(
        self, connection: sqlite3.Connection, tenant: str, folded: Folded, progress: Progress
    ) -> None:
        """Apply a fold, let the counts follow or mark the days that must, and move on."""
        code = self._codes.tenant(connection, tenant)
        self._remember(connection, code, folded)
        dropped, added = (
            self._rows(connection, code, facts) for facts in (folded.dropped, folded.added)
        )
        sure = _all_dropped(connection, dropped)
        sure &= write_rows(connection, _NEW_FACT, added) == len(added)
        if sure:
            self._follow(connection, code, dropped, added)
        else:  # some stood already or no longer, and are counted or not: the facts must tell
            write_rows(connection, _ADD_FACT, added)
            _mark(connection, code, {row[1:3] for row in (*dropped, *added)})
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
        write_rows(connection, _ADD_FACT, rows)
        return rows

    def _remember(self, connection: sqlite3.Connection, tenant: int, folded: Folded) -> None:
        word = self._codes.word
        rows = [
            (tenant, subject, word(connection, family), last_at, acts)
            for subject, family, last_at, acts in sorted(folded.memories)  # neighbours together
        ]
        write_rows(connection, _REMEMBER, rows)

    def _follow(
        self,
        connection: sqlite3.Connection,
        tenant: int,
        dropped: Sequence[_Row],
        added: Sequence[_Row],
    ) -> None:
        """Let the counts of days and months, and who told something, follow new and lost facts."""
        values: Counter[tuple[int, int, int, int, int]] = Counter()
        for sign, rows in ((-1, dropped), (1, added)):
            for _, legacy, day, metric, _, _, delta, dim, *_ in rows:
                values[legacy, _DAY, metric, day, dim] += sign * delta
                values[legacy, _MONTH, metric, _month_of(day), dim] += sign * delta
        changes = [(tenant, *key, value) for key, value in sorted(values.items())]
        write_rows(connection, _COUNT_UP, changes)
        _drop_noughts(connection, {(*row[:2], row[3], row[2], row[_KEY]) for row in dropped})
        came, went = (self._tellings(connection, rows) for rows in (added, dropped))
        self._crowds.add(connection, tenant, came)
        left = {key[:2] for key, people in went.items() if not people <= came.get(key, set())}
        self._crowds.recount(connection, tenant, left)

    def _tellings(
        self, connection: sqlite3.Connection, rows: Iterable[_Row]
    ) -> dict[Telling, set[bytes]]:
        """Return who told something, by legacy, day, and until when it stood."""
        tellings = {self._codes.word(connection, metric) for metric in TELLINGS}
        found: defaultdict[Telling, set[bytes]] = defaultdict(set)
        for _, legacy, day, metric, _, _, delta, _, person, until, _ in rows:
            if person is not None and delta == 1 and metric in tellings:
                found[legacy, day, until or STANDS].add(person)
        return found

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
        """Make the counts of *days*, and of the months that they lie in, follow the facts."""
        counted = ", ".join(str(self._codes.word(connection, metric)) for metric in COUNTED)
        where = [(tenant, *day) for day in days]
        spans = [(tenant, legacy, Grain.DAY, day) for legacy, day in days]
        connection.executemany(_DROP_COUNTS.format(metrics=counted), spans)
        connection.executemany(_COUNT_DAY, where)
        for legacy, start in sorted({(legacy, _month_of(day)) for legacy, day in days}):
            _gather_counts(connection, tenant, legacy, start, counted)
        self._codes.voices.clear()  # should somebody's number be lost, they get another
        self._crowds.recount(connection, tenant, days)

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


def _all_dropped(connection: sqlite3.Connection, rows: Sequence[_Row]) -> bool:
    """Drop facts; tell whether all of them were there."""
    keys = [row[:_KEY] for row in rows]
    return not keys or connection.executemany(_DROP_FACT, keys).rowcount == len(keys)


@lru_cache(maxsize=4_096)
def _month_of(day: int) -> int:
    return align(date.fromordinal(day), "month").toordinal()


def _month_after(month: int) -> int:
    return following(date.fromordinal(month), "month").toordinal()


def _drop_noughts(connection: sqlite3.Connection, lost: Iterable[_Row]) -> None:
    """Drop the counts of days and months in which nothing is left."""
    connection.executemany(_DROP_NOUGHT, lost)
    months = {(*row[:3], _month_of(row[3]), row[4]) for row in lost}
    connection.executemany(_DROP_NOUGHT_OF_MONTH, [(*row, _month_after(row[3])) for row in months])


def _gather_counts(
    connection: sqlite3.Connection, tenant: int, legacy: int, start: int, counted: str
) -> None:
    """Add up a month from its days."""
    end = _month_after(start)
    drop, gather = (text.format(metrics=counted) for text in (_DROP_COUNTS, _GATHER_COUNTS))
    connection.execute(drop, (tenant, legacy, Grain.MONTH, start))
    connection.execute(gather, (Grain.MONTH, start, tenant, legacy, start, end))


def _name_of(connection: sqlite3.Connection, tenant: int, legacy: int) -> str:
    query = "SELECT name FROM legacy WHERE tenant = ? AND code = ?"
    found = connection.execute(query, (tenant, legacy)).fetchone()
    return "" if found is None else str(found[0])
