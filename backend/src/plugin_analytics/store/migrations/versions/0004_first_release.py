"""Create the tables of the first release; what was written before it was never released."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; written out, so that a later schema cannot change the past."""
    _names()
    _arrivals()
    _knowledge()
    _counts()


def _names() -> None:
    op.create_table(
        "tenant",
        sa.Column("code", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "legacy",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("code", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("legacy_name", "legacy", ["tenant", "name"], unique=True)
    op.create_table(
        "word",
        sa.Column("code", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
    )


def _arrivals() -> None:
    op.create_table(
        "event",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("type", sa.Integer, nullable=False),
        sa.Column("source", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("person", sa.LargeBinary),
        sa.Column("class", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("event_key", "event", ["tenant", "key"], unique=True)
    op.create_table(
        "quarantine",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("kept", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "intake",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("type", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lateness",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worst", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "legacy_grant",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("types", sa.String),
        sqlite_with_rowid=False,
    )


def _knowledge() -> None:
    op.create_table(
        "memory",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("family", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("acts", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fact",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("metric", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delta", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("person", sa.LargeBinary),
        sa.Column("until", sa.BigInteger),
        sa.Column("until_day", sa.Integer),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "frozen",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("metric", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("dim", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _counts() -> None:
    op.create_table(
        "dirty_day",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("grain", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("metric", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("dim", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "teller",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("grain", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("start", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.LargeBinary, primary_key=True),
        sa.Column("until_day", sa.Integer),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "progress",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("watermark", sa.BigInteger),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("definition", sa.String, nullable=False),
        sa.Column("rebuild", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
