"""What a run is for and how it was judged, each trial's median, and digests of cells."""

import json
import statistics
import zlib
from array import array

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

AT_ONCE = 500


def upgrade() -> None:
    """Add the columns and the table, and fill in the medians of trials that are there, but those of wrong outputs."""
    op.add_column("runs", sa.Column("purpose", sa.String, nullable=False, server_default="measure"))
    op.add_column("runs", sa.Column("judgement", sa.JSON))
    op.add_column("trials", sa.Column("median_ns", sa.Float))
    op.create_table(
        "digests",
        sa.Column("run", sa.String, primary_key=True),
        sa.Column("cell", sa.String, primary_key=True),
        sa.Column("rules", sa.String, nullable=False),
        sa.Column("trials", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    _fill_medians(op.get_bind())


def _fill_medians(connection: sa.Connection) -> None:
    last = 0
    while True:
        wanted = sa.text("SELECT id, samples, outputs FROM trials WHERE id > :last AND samples IS NOT NULL "
                         "ORDER BY id LIMIT :most")
        rows = connection.execute(wanted, {"last": last, "most": AT_ONCE}).all()
        if not rows:
            return
        connection.execute(sa.text("UPDATE trials SET median_ns = :median WHERE id = :id"),
                           [{"id": row.id, "median": _median(row.samples) if _right(row.outputs) else None}
                            for row in rows])
        last = rows[-1].id


def _right(outputs: str | None) -> bool:
    return not outputs or (json.loads(outputs) or {}).get("ok") is not False


def _median(packed: bytes) -> float:
    """Of samples as the first version packed them: little-endian int64, deflated."""
    samples = array("q")
    samples.frombytes(zlib.decompress(packed))
    return float(statistics.median(samples))
