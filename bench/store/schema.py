"""The tables. Trials are only ever added; a re-measurement is a new row. Times are UTC, ISO 8601; durations are ns.

`checksum` is of the whole row (bench.store.checksums). A migration that changes what a row holds must write them anew,
but of rows that were damaged before.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

runs = Table(
    "runs", metadata,
    Column("id", String, primary_key=True),
    Column("suite", String, nullable=False),
    Column("suite_text", Text, nullable=False),
    Column("suite_path", String, nullable=False),
    Column("devices_text", Text, nullable=False),
    Column("devices_path", String, nullable=False),
    Column("started", String, nullable=False),
    Column("finished", String),
    Column("state", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("host", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("purpose", String, nullable=False, server_default="measure"),  # measure, noise
    Column("judgement", JSON),
    Column("number", Integer),  # the order in which runs began; clocks are set back
    Column("checksum", Integer),
)

cells = Table(
    "cells", metadata,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("cell", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("device", String, nullable=False),
    Column("model", String, nullable=False),
    Column("format", String, nullable=False),
    Column("precision", String, nullable=False),
    Column("runtime", String, nullable=False),
    Column("delegate", String, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("batch", Integer),
    Column("status", String, nullable=False),  # planned, skipped
    Column("reason", Text),
    Column("fault", String),
    Column("artifact", JSON),  # sha256, bytes, key, source, gate, tools, warnings
    Column("log", Text),
    Column("checksum", Integer),
)

sessions = Table(
    "sessions", metadata,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("runs.id"), nullable=False),
    Column("device", String, nullable=False),
    Column("opened", String, nullable=False),
    Column("boot_id", String),
    Column("agent", String, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("runtimes", JSON, nullable=False),
    Column("pushed_bytes", Integer, nullable=False, default=0),
    Column("checksum", Integer),
)

trials = Table(
    "trials", metadata,
    Column("id", Integer, primary_key=True),
    Column("run", String, nullable=False),
    Column("cell", String, nullable=False),
    Column("session", ForeignKey("sessions.id")),
    Column("kind", String, nullable=False),  # latency, accuracy, baseline
    Column("number", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", String, nullable=False),
    Column("seconds", Float, nullable=False),  # wall time on the host, everything included
    Column("state", String, nullable=False),  # ok, failed
    Column("fault", String),
    Column("reason", Text),
    Column("artifact", String, nullable=False),
    Column("source", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("conditions", JSON, nullable=False),
    Column("phases", JSON, nullable=False),
    Column("memory", JSON, nullable=False),
    Column("warm_up", JSON),
    Column("cpu_ns", JSON),
    Column("samples", LargeBinary),  # see packing.py
    Column("sample_count", Integer, nullable=False),
    Column("outputs", JSON),
    Column("accuracy", JSON),
    Column("log", Text),
    Column("median_ns", Float),
    Column("findings", JSON),  # how the model behaves: times by sample, inputs changed in place, outputs that repeat
    Column("checksum", Integer),
    Column("median_checksum", Integer),  # of the columns that a history reads
    ForeignKeyConstraint(["run", "cell"], ["cells.run", "cells.cell"]),
    Index("trials_of_cell", "run", "cell"),
)

CHECKED = (runs, cells, sessions, trials)
"""Tables whose rows have checksums."""

digests = Table(  # made from the others; the content's own checksum is that of its compression
    "digests", metadata,
    Column("run", String, primary_key=True),
    Column("cell", String, primary_key=True),
    Column("rules", String, nullable=False),  # of which version of the rules; another version computes it anew
    Column("trials", Integer, nullable=False),  # how many it was made from
    Column("content", LargeBinary, nullable=False),
)
