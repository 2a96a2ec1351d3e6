"""Keep the class of each event, and whether it was filled in later.

Expand only: the columns may be empty, and the release before writes rows without them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns."""
    op.add_column("event", sa.Column("class", sa.SmallInteger))
    op.add_column("event", sa.Column("backfill", sa.Boolean))
