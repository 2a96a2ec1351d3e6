"""Describe the tables. Every key begins with the tenant, so that tenants can be spread (design §5).

What repeats is kept as a number: tenants, the legacies of a tenant, and words (types, metrics,
sources); three small tables say what the numbers stand for. `seq` counts the arrivals of one
tenant. Legacy 0 is the whole tenant. A day is kept as its ordinal, an instant as microseconds since
1970.
"""

from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

BASELINE = "0004"  # the first migration: what was written before it was never released
REVISION = "0007"  # the newest migration; a test holds it against the folder
WHOLE = 0


class Grain(IntEnum):
    """How long the span is that a count belongs to; the store keeps the number."""

    DAY = 0
    MONTH = 1


metadata = MetaData()

# --- what the numbers stand for
tenant = Table(
    "tenant",
    metadata,
    Column("code", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
legacy = Table(
    "legacy",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Index("legacy_name", "tenant", "name", unique=True),
    sqlite_with_rowid=False,
)
word = Table(
    "word",
    metadata,
    Column("code", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)

# --- what came in
# Events as they came, in order of arrival: appending touches one page, the dedupe key another.
event = Table(
    "event",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("id", String, nullable=False),
    Column("type", Integer, nullable=False),
    Column("source", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("person", LargeBinary),
    Column("class", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("seal", LargeBinary),
    Index("event_key", "tenant", "key", unique=True),
    sqlite_with_rowid=False,
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("type", String),
    Column("reason", String, nullable=False),
    Column("field", String, nullable=False),
    Column("kept", LargeBinary),
    sqlite_with_rowid=False,
)
# How many events of a day of arrival (UTC) ended how, and how late the accepted ones were: in
# bucket b are those that came less than 2^b seconds after they happened.
intake = Table(
    "intake",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("type", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Integer, primary_key=True, autoincrement=False),
    Column("reason", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)
lateness = Table(
    "lateness",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("worst", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# What each legacy has last said: the types that it allows, apart by spaces; empty means every type.
legacy_grant = Table(
    "legacy_grant",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("id", String, nullable=False),
    Column("types", String),
    sqlite_with_rowid=False,
)

# --- what must be forgotten
# Who has asked for what, under keyed hashes; `target` says of whom until that is done.
erasure = Table(
    "erasure",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("target", LargeBinary),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    Column("digest", String),
    sqlite_with_rowid=False,
)
# What the door refuses, under keyed hashes; an opt-out has no end until it is taken back. Rows of
# the kind `mark` name subjects in which a mark lies, so that it is found when its time is over.
tombstone = Table(
    "tombstone",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)
# Days that an erasure has changed, until its receipt has counted them.
erased_day = Table(
    "erased_day",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("erasure", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# --- what is known
# All that was ever done to each story, response, reaction and file, and when last.
memory = Table(
    "memory",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary, primary_key=True),
    Column("family", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("acts", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# The changes of counts that follow from it. `dim` is the word that says of what kind.
fact = Table(
    "fact",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("delta", Integer, primary_key=True, autoincrement=False),
    Column("dim", Integer, nullable=False),
    Column("person", LargeBinary),
    Column("until", BigInteger),
    Column("until_day", Integer),
    sqlite_with_rowid=False,
)
# Day counts whose subjects have been forgotten: plain numbers, in the days of their time.
frozen = Table(
    "frozen",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("dim", Integer, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Before which moment the subjects of a family have been forgotten: what comes later from before it
# is not counted any more.
horizon = Table(
    "horizon",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("family", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# --- what is counted
dirty_day = Table(
    "dirty_day",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# Counts of a day and of a month: whatever adds up.
rollup = Table(
    "rollup",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("metric", Integer, primary_key=True, autoincrement=False),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("dim", Integer, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# Who told something on a day, a bit for each person's number. What still stands has the end 0, and
# of what is gone each end has a row of its own: enough to count people over any range of any zone.
told = Table(
    "told",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("people", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# The number of each person who told something in a legacy.
voice = Table(
    "voice",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("person", LargeBinary, primary_key=True),
    Column("number", Integer, nullable=False),
    Index("voice_number", "tenant", "legacy", "number", unique=True),
    sqlite_with_rowid=False,
)
# Who told something, as the release before kept it; this one empties it when it counts anew.
teller = Table(
    "teller",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("person", LargeBinary, primary_key=True),
    Column("until_day", Integer),
    sqlite_with_rowid=False,
)
# How far the counts have followed the events, by which rules; and, while they are made anew, where
# that has got to.
progress = Table(
    "progress",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("watermark", BigInteger),
    Column("zone", String, nullable=False),
    Column("definition", String, nullable=False),
    Column("rebuild", LargeBinary),
    sqlite_with_rowid=False,
)
# What the last look at the counts has found, and the days on which they differed from the events.
verification = Table(
    "verification",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("days", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("drift", Integer, nullable=False),
    sqlite_with_rowid=False,
)
drift = Table(
    "drift",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("legacy", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# The instance's own: the check value of the pseudonym key, and the zone that a tenant has set.
setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
