"""Write what a fold changes, and count the touched days again; each step in one transaction."""

import sqlite3
from datetime import date
from typing import Any

from plugin_analytics.model.rollup import DatedFact, Folded
from plugin_analytics.store.arrivals import MARK_DAY
from plugin_analytics.store.base import LegacyDay, Progress

_REMEMBER = (
    "INSERT INTO memory (tenant, subject, family, acts) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (tenant, subject) DO UPDATE SET acts = excluded.acts"
)
_DROP_FACT = (
    "DELETE FROM fact WHERE (tenant, legacy, day, metric, subject, at, delta)"
    " = (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_FACT = (
    "INSERT INTO fact"
    " (tenant, legacy, day, metric, subject, at, delta, person, until, until_day)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MOVE_ON = (
    "INSERT INTO progress (tenant, seq, watermark, zone, definition) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, watermark = excluded.watermark,"
    " zone = excluded.zone, definition = excluded.definition"
)
_COUNT_DAY = (
    "INSERT INTO rollup_day (tenant, legacy, day, metric, value)"
    " SELECT tenant, legacy, day, metric, SUM(delta) FROM fact"
    " WHERE tenant = ? AND legacy = ? AND day = ? GROUP BY metric"
)
COUNT_TELLERS = (
    "INSERT INTO teller_day (tenant, legacy, day, person, until_day)"
    " SELECT tenant, legacy, day, person,"
    " CASE WHEN COUNT(until_day) = COUNT(*) THEN MAX(until_day) END FROM fact"
    " WHERE tenant = ? AND legacy = ? AND day = ? AND delta = 1 AND person IS NOT NULL"
    " AND metric IN ('stories', 'responses', 'media') GROUP BY person"
)
_COUNTABLE = (
    "SELECT tenant, legacy, day FROM dirty_day WHERE tenant = ? AND seq <="
    " (SELECT seq FROM progress WHERE progress.tenant = dirty_day.tenant) LIMIT ?"
)


def drop_counts(connection: sqlite3.Connection, tenant: str, start: Progress) -> None:
    """Forget every count of a tenant, to be made again from its first event."""
    for table in ("memory", "fact", "rollup_day", "teller_day", "dirty_day"):
        connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))  # noqa: S608  # names from the line above
    connection.execute(_MOVE_ON, (tenant, *start))


def save_fold(
    connection: sqlite3.Connection, tenant: str, folded: Folded, progress: Progress
) -> None:
    """Apply a fold, mark the days that it changes and move on."""
    connection.executemany(_REMEMBER, [(tenant, *memory) for memory in folded.memories])
    connection.executemany(_DROP_FACT, [_fact_key(tenant, fact) for fact in folded.dropped])
    connection.executemany(_ADD_FACT, [_fact_row(tenant, fact) for fact in folded.added])
    marks = [(tenant, legacy, day.toordinal(), progress.seq) for legacy, day in folded.days()]
    connection.executemany(MARK_DAY, marks)
    connection.execute(_MOVE_ON, (tenant, *progress))


def recount(connection: sqlite3.Connection, tenant: str, limit: int) -> list[LegacyDay]:
    """Count dirty days again from the facts, and return which.

    A day stays dirty while an event that touches it has not been folded yet.
    """
    days = connection.execute(_COUNTABLE, (tenant, limit)).fetchall()
    for table in ("rollup_day", "teller_day", "dirty_day"):
        drop = f"DELETE FROM {table} WHERE tenant = ? AND legacy = ? AND day = ?"  # noqa: S608  # names from the line above
        connection.executemany(drop, days)
    connection.executemany(_COUNT_DAY, days)
    connection.executemany(COUNT_TELLERS, days)
    return [(legacy, date.fromordinal(day)) for _, legacy, day in days]


def _fact_key(tenant: str, dated: DatedFact) -> tuple[Any, ...]:
    fact = dated.fact
    day = dated.day.toordinal()
    return (tenant, fact.legacy, day, fact.metric, dated.subject, fact.at, fact.delta)


def _fact_row(tenant: str, dated: DatedFact) -> tuple[Any, ...]:
    until = None if dated.until_day is None else dated.until_day.toordinal()
    return (*_fact_key(tenant, dated), dated.fact.person, dated.fact.until, until)
