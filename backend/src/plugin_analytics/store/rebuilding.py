"""Make every count of a tenant anew from what is remembered, a piece in each transaction.

The old counts stand until all facts are there again, so that no report shows a half. How far it has
got is kept in `progress.rebuild`: empty while the old facts go, then the last subject done, led by a
byte that tells the two apart; nothing once it is over. A process that dies goes on from there.
"""

import sqlite3

from plugin_analytics.model.reports import STORYTELLERS
from plugin_analytics.model.rollup import Memory
from plugin_analytics.store.base import Refold
from plugin_analytics.store.codes import Codes
from plugin_analytics.store.folding import Folding

_BEGUN, _FOLDING = b"", b"\x01"
FACTS_AT_ONCE = 5_000
_BEGIN = (
    "INSERT INTO progress (tenant, seq, watermark, zone, definition, rebuild)"
    " VALUES (?, 0, NULL, ?, ?, ?) ON CONFLICT (tenant) DO UPDATE"
    " SET zone = excluded.zone, definition = excluded.definition, rebuild = excluded.rebuild"
)
_WHERE_TO = "SELECT rebuild FROM progress WHERE tenant = ?"
_MOVE_TO = "UPDATE progress SET rebuild = ? WHERE tenant = ?"
_DROP_FACTS = (
    "DELETE FROM fact WHERE (tenant, legacy, day, metric, subject, at, delta) IN ("
    "SELECT tenant, legacy, day, metric, subject, at, delta FROM fact WHERE tenant = ? LIMIT ?)"
)
# The release before counted people in other tables: what it has left would be of no time.
_DROP_TELLERS = (
    "DELETE FROM teller WHERE (tenant, legacy, grain, start, person) IN ("
    "SELECT tenant, legacy, grain, start, person FROM teller WHERE tenant = ? LIMIT ?)"
)
_DROP_PEOPLE = "DELETE FROM rollup WHERE tenant = ? AND (metric = ? OR grain NOT IN (0, 1))"
_REMEMBERED = (
    "SELECT subject, name, last_at, acts FROM memory JOIN word ON word.code = family"
    " WHERE tenant = ? AND subject > ? ORDER BY subject LIMIT ?"
)
_MARK_ALL = (
    "INSERT INTO dirty_day (tenant, legacy, day)"
    " SELECT tenant, legacy, start FROM rollup WHERE tenant = ?1 AND grain = 0"
    " UNION SELECT tenant, legacy, day FROM fact WHERE tenant = ?1"
    " UNION SELECT tenant, legacy, day FROM frozen WHERE tenant = ?1"
    " UNION SELECT tenant, legacy, day FROM told WHERE tenant = ?1"
    " ON CONFLICT DO NOTHING"
)


def begin(connection: sqlite3.Connection, tenant: int, zone: str, definition: str) -> None:
    """Note that everything is to be made anew in *zone*, by *definition*."""
    connection.execute(_BEGIN, (tenant, zone, definition, _BEGUN))


def share(reached: bytes) -> float:
    """Return how far a rebuild has come: the keys of subjects are spread evenly."""
    return int.from_bytes(reached[1:5].ljust(4, b"\x00"), "big") / 2**32


def advance(
    connection: sqlite3.Connection,
    codes: Codes,
    tenant: int,
    limit: int,
    refold: Refold,
) -> bool:
    """Do the next piece; return whether there are more."""
    (reached,) = connection.execute(_WHERE_TO, (tenant,)).fetchone() or (None,)
    if reached is None:
        return False
    if reached == _BEGUN:
        dropped = sum(
            connection.execute(drop, (tenant, FACTS_AT_ONCE)).rowcount
            for drop in (_DROP_FACTS, _DROP_TELLERS)
        )
        connection.execute(_MOVE_TO, (_BEGUN if dropped else _FOLDING, tenant))
        return True
    rows = connection.execute(_REMEMBERED, (tenant, reached[1:], limit)).fetchall()
    if not rows:
        people = codes.word(connection, STORYTELLERS)
        connection.execute(_DROP_PEOPLE, (tenant, people))
        connection.execute(_MARK_ALL, (tenant,))
        connection.execute(_MOVE_TO, (None, tenant))
        return False
    memories = [Memory(*row) for row in rows]
    Folding(codes).add(connection, tenant, refold(memories).added)
    connection.execute(_MOVE_TO, (_FOLDING + memories[-1].subject, tenant))
    return True
