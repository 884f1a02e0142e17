"""What a trial found of its model's behaviour."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of trials that are there nothing of the kind is known."""
    op.add_column("trials", sa.Column("findings", sa.JSON))
