"""Checksums of rows, and the order in which runs began."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns. Runs that are there keep the order of their times; `bench.store.connect` fills in checksums."""
    op.add_column("runs", sa.Column("number", sa.Integer))
    for table in ("runs", "cells", "sessions", "trials"):
        op.add_column(table, sa.Column("checksum", sa.Integer))
    op.add_column("trials", sa.Column("median_checksum", sa.Integer))
    connection = op.get_bind()
    ordered = connection.execute(sa.text("SELECT rowid FROM runs ORDER BY CAST(started AS BLOB), CAST(id AS BLOB)"))
    for number, row in enumerate(ordered.scalars().all(), 1):
        connection.execute(sa.text("UPDATE runs SET number = :number WHERE rowid = :row"),
                           {"number": number, "row": row})
