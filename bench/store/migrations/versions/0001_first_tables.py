"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create runs, cells, sessions and trials."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        *_columns("suite:s suite_text:t suite_path:s devices_text:t devices_path:s started:s finished:s? state:s "
                  "settings:j host:j notes:j"),
    )
    op.create_table(
        "cells",
        sa.Column("run", sa.String, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("cell", sa.String, primary_key=True),
        *_columns("position:i device:s model:s format:s precision:s runtime:s delegate:s threads:i batch:i? status:s "
                  "reason:t? fault:s? artifact:j? log:t?"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String, sa.ForeignKey("runs.id"), nullable=False),
        *_columns("device:s opened:s boot_id:s? agent:s facts:j runtimes:j pushed_bytes:i"),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer, primary_key=True),
        *_columns("run:s cell:s"),
        sa.Column("session", sa.Integer, sa.ForeignKey("sessions.id")),
        *_columns("kind:s number:i attempt:i started:s seconds:f state:s fault:s? reason:t? artifact:s source:s "
                  "settings:j versions:j conditions:j phases:j memory:j warm_up:j? cpu_ns:j? samples:b? sample_count:i "
                  "outputs:j? accuracy:j? log:t?"),
        sa.ForeignKeyConstraint(["run", "cell"], ["cells.run", "cells.cell"]),
    )
    op.create_index("trials_of_cell", "trials", ["run", "cell"])


_TYPES = {"s": sa.String, "t": sa.Text, "i": sa.Integer, "f": sa.Float, "j": sa.JSON, "b": sa.LargeBinary}


def _columns(words: str) -> list[sa.Column[Any]]:
    """Columns from words like `name:s` (a type's letter) or `name:s?` (may be null)."""
    columns: list[sa.Column[Any]] = []
    for word in words.split():
        name, _, kind = word.partition(":")
        columns.append(sa.Column(name, _TYPES[kind[0]], nullable=kind.endswith("?")))
    return columns
