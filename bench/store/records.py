"""What is stored, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.errors import Fault

Json = dict[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """A run. `state`: running, finished, incomplete, interrupted. `purpose`: measure, or noise (bench noise).

    `judgement` is a bench.results.Judgement as plain values, None until the run was judged.
    """

    id: str
    suite: str
    suite_text: str
    suite_path: str
    devices_text: str
    devices_path: str
    started: str
    finished: str | None
    state: str
    settings: Json
    host: Json
    notes: list[str]
    purpose: str = "measure"
    judgement: Json | None = None
    number: int | None = field(default=None, compare=False)
    """Of all runs of its store, in the order in which they began; None of one that is not stored yet."""

    @property
    def order(self) -> tuple[float, str, str]:
        """What runs are ordered by: not the clock, which may be set back; after all others what is not stored yet."""
        return math.inf if self.number is None else self.number, self.started, self.id


@dataclass(frozen=True)
class CellRecord:
    """A cell of a run, to be measured (`planned`) or left out (`skipped`, with the reason)."""

    run: str
    cell: str
    position: int
    device: str
    model: str
    format: str
    precision: str
    runtime: str
    delegate: str
    threads: int
    batch: int | None
    status: Literal["planned", "skipped"]
    reason: str | None = None
    fault: Fault | None = None
    artifact: Json | None = None
    log: str | None = None


@dataclass(frozen=True)
class SessionRecord:
    """A device as it introduced itself, once per connection."""

    id: int
    run: str
    device: str
    opened: str
    boot_id: str | None
    agent: str
    facts: Json
    runtimes: dict[str, str]
    pushed_bytes: int = 0


@dataclass(frozen=True)
class TrialRecord:
    """One attempt at one trial. `samples` are packed (packing.py); their median is filled in when it is stored, unless
    its outputs are wrong or it was disturbed. `cpu_ns` says how it shared the processor (bench.contention).

    `kind` is baseline for a trial of the baseline's artifact, taken in turn with the cell's own. `findings` are how
    the model behaved (see `bench.protocol`), with `repeats` as `bench.run.repeat` has it; None of older trials.
    """

    run: str
    cell: str
    session: int | None
    kind: Literal["latency", "accuracy", "baseline"]
    number: int
    attempt: int
    started: str
    seconds: float
    state: Literal["ok", "failed"]
    artifact: str
    source: str
    settings: Json
    versions: dict[str, str]
    conditions: list[Json]
    phases: dict[str, int]
    memory: Json
    samples: bytes | None = None
    sample_count: int = 0
    median_ns: float | None = None
    warm_up: Json | None = None
    cpu_ns: Json | None = None
    outputs: Json | None = None
    accuracy: Json | None = None
    findings: Json | None = None
    fault: Fault | None = None
    reason: str | None = None
    log: str | None = None


@dataclass(frozen=True)
class TrialMedian:
    """What comparing runs needs of a latency trial that ended well."""

    run: str
    cell: str
    device: str
    model: str
    runtime: str
    number: int
    artifact: str
    median_ns: float
    seconds: float


@dataclass(frozen=True)
class CellConditions:
    """Under what a cell was measured in a run, by its first latency trial that ended well: JSON as it is stored."""

    run: str
    cell: str
    settings: str
    versions: str
    governor: str | None
    charging: int | None
    inputs: str
    """Of its artifact: the data, shapes and encodings that it was measured with."""


@dataclass(frozen=True)
class Digest:
    """What was made of a cell (or of what else `cell` names) by some rules from so many trials. Packed, see
    bench.collect.digests."""

    run: str
    cell: str
    rules: str
    trials: int
    content: bytes


@dataclass(frozen=True)
class StoredRun:
    """A run with all that belongs to it, in the order of planning and of recording."""

    run: RunRecord
    cells: tuple[CellRecord, ...]
    sessions: tuple[SessionRecord, ...]
    trials: tuple[TrialRecord, ...]


@dataclass(frozen=True)
class Damage:
    """Rows of a table (by their rowids, first to last) that cannot be read any more, of the run and cell that are known
    to be meant. Without a table: what SQLite says of the file, where all rows can be read."""

    table: str
    first: int = 0
    last: int = 0
    run: str | None = None
    cell: str | None = None
    problem: str = ""

    @property
    def rows(self) -> int:
        """How many."""
        return self.last - self.first + 1
