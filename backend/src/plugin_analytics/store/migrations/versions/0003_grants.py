"""Keep what each legacy lets the plugin count.

Expand only: a new table, of which the release before knows nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "legacy_grant",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("legacy", sa.String, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("types", sa.String),
        sqlite_with_rowid=False,
    )
