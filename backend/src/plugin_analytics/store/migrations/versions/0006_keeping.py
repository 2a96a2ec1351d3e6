"""Keep what retention has forgotten up to when, and what the last verification found."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three tables that the release before does not read, and say that it may start."""
    op.create_table(
        "horizon",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("family", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verification",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("drift", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "drift",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("legacy", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    mark = "INSERT INTO setting (name, value) VALUES ('compatible-from', CAST('0006 0004' AS BLOB))"
    op.execute(f"{mark} ON CONFLICT DO UPDATE SET value = excluded.value")
