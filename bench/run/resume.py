"""Going on with an earlier run: what it saved, and what must be as it was then."""

from __future__ import annotations

from collections.abc import Sequence

from bench.errors import ConfigError
from bench.run.quiet import with_trial
from bench.run.schedule import Progress
from bench.run.tasks import Ready
from bench.store.records import CellRecord, StoredRun

Saved = frozenset[tuple[str, str, int]]
"""Trials that ended well, as (cell, kind, number)."""

HINT = "start a new run instead of --resume"


def saved_trials(earlier: StoredRun | None) -> Saved:
    """What need not be measured again."""
    trials = earlier.trials if earlier else ()
    return frozenset((trial.cell, trial.kind, trial.number) for trial in trials if trial.state == "ok")


def saved_progress(earlier: StoredRun | None) -> dict[str, Progress]:
    """What the latency trials that ended well say of their cells so far."""
    found: dict[str, Progress] = {}
    for trial in earlier.trials if earlier else ():
        if trial.kind == "latency" and trial.state == "ok" and trial.samples is not None:
            found[trial.cell] = with_trial(found.get(trial.cell, Progress()), trial)
    return found


def spent_s(earlier: StoredRun | None, device: str) -> float:
    """The time that all trials of a device took, well ended or not."""
    mine = {cell.cell for cell in earlier.cells if cell.device == device} if earlier else set()
    return sum(trial.seconds for trial in earlier.trials if trial.cell in mine) if earlier else 0.0


def refuse_other_cells(earlier: StoredRun, cells: Sequence[CellRecord]) -> None:
    """Raise ConfigError when the suite's models now give other cells than they did in the earlier run."""
    before, after = {cell.cell for cell in earlier.cells}, {cell.cell for cell in cells}
    if before != after:
        raise ConfigError(f"run {earlier.run.id} has other cells than its suite gives now ({_example(before, after)}): "
                          "a model or the version of bench changed since", hint=HINT)


def _example(before: set[str], after: set[str]) -> str:
    gone = sorted(before - after)
    return f"{gone[0]} is gone" if gone else f"{min(after - before)} is new"


def refuse_changes(earlier: StoredRun, ready: Sequence[Ready], left_out: Sequence[CellRecord]) -> None:
    """Raise ConfigError when a cell's file or data are others than it was measured with: both must not meet in one."""
    measured = {trial.cell for trial in earlier.trials if trial.state == "ok"}
    before = {cell.cell: _identity(cell) for cell in earlier.cells}
    for item in ready:
        if item.cell.cell in measured and before[item.cell.cell] != _identity(item.cell):
            raise ConfigError(f"{item.cell.cell} was measured with another file in run {earlier.run.id}: the model, "
                              "its data or a converter changed since", hint=HINT)
    for cell in left_out:
        if cell.cell in measured:
            raise ConfigError(f"{cell.cell} was measured in run {earlier.run.id} and cannot be made again: "
                              f"{cell.reason}", hint=HINT)


def _identity(cell: CellRecord) -> tuple[object, object]:
    artifact = cell.artifact or {}
    return artifact.get("sha256"), artifact.get("data")
