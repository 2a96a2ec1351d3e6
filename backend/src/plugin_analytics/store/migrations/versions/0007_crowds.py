"""Keep people as bits: who told something on a day, and the number of each person.

They come over from what the release before has counted, so that reports go on saying the same until
everything has been counted anew. That is soon: the counts follow another layout from here on.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_VOICES = (
    "INSERT INTO voice (tenant, legacy, person, number)"
    " SELECT tenant, legacy, person,"
    " ROW_NUMBER() OVER (PARTITION BY tenant, legacy ORDER BY person) - 1"
    " FROM (SELECT DISTINCT tenant, legacy, person FROM teller WHERE grain = 0)"
)
# Of an end the day alone is known: this hour lies in it almost everywhere.
_TELLERS = (
    "SELECT tenant, legacy, start, number,"
    " COALESCE((until_day - 719163) * 86400000000 + 39600000000, 0)"
    " FROM teller JOIN voice USING (tenant, legacy, person) WHERE grain = 0"
    " ORDER BY tenant, legacy, start"
)
_TOLD = "INSERT INTO told (tenant, legacy, day, until, people) VALUES (?, ?, ?, ?, ?)"


def upgrade() -> None:
    """Add two tables that the release before does not look at, and fill them."""
    op.create_table(
        "told",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("people", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "voice",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("voice_number", "voice", ["tenant", "legacy", "number"], unique=True)
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(_VOICES)
    driver.executemany(_TOLD, _crowds(driver.execute(_TELLERS)))
    mark = "INSERT INTO setting (name, value) VALUES ('compatible-from', CAST('0007 0004' AS BLOB))"
    op.execute(f"{mark} ON CONFLICT DO UPDATE SET value = excluded.value")


def _crowds(tellers: Any) -> Iterator[tuple[int, int, int, int, bytes]]:
    """Put the people of each day and end together; each is there once, so that bits add up."""
    for day, people in groupby(tellers, key=lambda teller: teller[:3]):
        crowds: Counter[int] = Counter()
        for *_, number, until in people:
            crowds[until] += 1 << number
        for until, crowd in crowds.items():
            yield *day, until, crowd.to_bytes((crowd.bit_length() + 7) // 8, "little")
