"""Describe the tables. Every key begins with the tenant, so that tenants can be spread (design §5).

`seq` counts the arrivals of one tenant. `legacy` is empty for the whole tenant. A day is kept as
its ordinal, an instant as microseconds since 1970.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

REVISION = "0003"  # the newest migration; a test holds it against the folder

metadata = MetaData()

# Events as they came, in order of arrival: appending touches one page, the dedupe key another.
event = Table(
    "event",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("person", LargeBinary),
    Column("body", LargeBinary, nullable=False),
    # Empty in rows of the first release: the class of their type, and no backfill.
    Column("class", SmallInteger),
    Column("backfill", Boolean),
    Index("event_key", "tenant", "key", unique=True),
    sqlite_with_rowid=False,
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("type", String),
    Column("reason", String, nullable=False),
    Column("field", String, nullable=False),
    Column("kept", LargeBinary),
    sqlite_with_rowid=False,
)
# What each legacy has last said: the types that it allows, apart by spaces; empty means every type.
legacy_grant = Table(
    "legacy_grant",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("legacy", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("id", String, nullable=False),
    Column("types", String),
    sqlite_with_rowid=False,
)
# What is known of each story, response, reaction and file: all that was ever done to it.
memory = Table(
    "memory",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("family", String, nullable=False),
    Column("acts", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# The changes of counts that follow from it.
fact = Table(
    "fact",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("legacy", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("metric", String, primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("delta", Integer, primary_key=True, autoincrement=False),
    Column("person", LargeBinary),
    Column("until", BigInteger),
    Column("until_day", Integer),
    sqlite_with_rowid=False,
)
dirty_day = Table(
    "dirty_day",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("legacy", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
rollup_day = Table(
    "rollup_day",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("legacy", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("metric", String, primary_key=True),
    Column("value", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# Who told something on a day, and until when the longest-lived of it stood: enough to count
# people over any range.
teller_day = Table(
    "teller_day",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("legacy", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("person", LargeBinary, primary_key=True),
    Column("until_day", Integer),
    sqlite_with_rowid=False,
)
progress = Table(
    "progress",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("watermark", BigInteger),
    Column("zone", String, nullable=False),
    Column("definition", String, nullable=False),
    sqlite_with_rowid=False,
)
# The instance's own: the check value of the pseudonym key.
setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
