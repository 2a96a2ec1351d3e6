"""Create the tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; written out, so that a later schema cannot change the past."""
    _events()
    _counts()
    _household()


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("person", sa.LargeBinary),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("event_key", "event", ["tenant", "key"], unique=True)
    op.create_table(
        "quarantine",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("kept", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "memory",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("family", sa.String, nullable=False),
        sa.Column("acts", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _counts() -> None:
    op.create_table(
        "fact",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("legacy", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("metric", sa.String, primary_key=True),
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delta", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.LargeBinary),
        sa.Column("until", sa.BigInteger),
        sa.Column("until_day", sa.Integer),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty_day",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("legacy", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_day",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("legacy", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("metric", sa.String, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "teller_day",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("legacy", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.LargeBinary, primary_key=True),
        sa.Column("until_day", sa.Integer),
        sqlite_with_rowid=False,
    )


def _household() -> None:
    op.create_table(
        "progress",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("watermark", sa.BigInteger),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("definition", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
