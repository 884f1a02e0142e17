"""What a report is made from: a run's result with what it is set against."""

from __future__ import annotations

from dataclasses import dataclass

from bench.judge.types import Comparison, History
from bench.results import RunResult


@dataclass(frozen=True)
class Morning:
    """A run, judged: its result (cells with their checks), how it stands to the baseline (the newest green run of the
    suite before it, else the one before it; None for the first), and each cell's history up to it."""

    result: RunResult
    comparison: Comparison | None = None
    history: History = History(())
