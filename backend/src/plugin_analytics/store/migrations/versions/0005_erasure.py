"""Keep who asked for what to be forgotten, and what the door refuses since."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and a column that a release before this one does not look at."""
    op.add_column("event", sa.Column("seal", sa.LargeBinary))
    op.create_table(
        "erasure",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("target", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("digest", sa.String),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstone",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("expires_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erased_day",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("erasure", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
