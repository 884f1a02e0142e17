"""What a run records of itself: the host, its notes, how it ended."""

from __future__ import annotations

import platform
from collections.abc import Sequence, Set
from typing import Any

import bench
from bench.config.load import LoadedSuite
from bench.config.quantities import format_duration
from bench.config.suite import MeasureConfig, SuiteConfig
from bench.judge.identity import Origin, find_continuation
from bench.run.repository import find_changes, find_repository
from bench.store.records import RunRecord, StoredRun
from bench.units import percent
from bench.words import PRECISIONS


def host(suite: LoadedSuite, runs: Sequence[RunRecord]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The machine that controls the run, the tool's version, where the suite comes from and of which commit (None: not
    known) with what changes; and notes on the history that it goes on with, among `runs`."""
    repository, path = find_repository(suite.root), suite.path.resolve()
    inside = repository is not None and bool(repository.names) and path.is_relative_to(repository.folder)
    origin = (Origin(suite.config.id, repository.names, str(path.relative_to(repository.folder)))
              if repository and inside else Origin(suite.config.id, (), str(path)))
    found = find_continuation(origin, suite.config.name, suite.text, path, runs,
                              repository.folder if repository else None, repository.holds if repository else never)
    told: dict[str, Any] = {
        "bench": bench.__version__, "python": platform.python_version(), "system": platform.platform(),
        "name": platform.node(), "git": repository.commit if repository else None,
        "suite": {"id": origin.id, "repository": list(origin.repository), "path": origin.path,
                  "continues": found.run, **({"notes": list(found.notes)} if found.notes else {})}}
    if repository and repository.commit:
        told["changes"] = find_changes(suite, repository)
    return told, found.notes


def never(_commit: str) -> bool:
    """Of a folder that is in no repository: it holds no commit."""
    return False


def notes(suite: SuiteConfig, quick: bool) -> list[str]:
    """What a reader of the report must know: short trials, how many where that depends, fewer precisions."""
    measure, usual = suite.measure, MeasureConfig()
    found = ["--quick: few and short trials; a look, not a result to act on"] if quick else []
    if not quick and (measure.trials, measure.min_samples, measure.min_time) != (
            usual.trials, usual.min_samples, usual.min_time):
        found.append(f"measured by {_trials(measure.trials)} of at least {measure.min_samples} samples and "
                     f"{format_duration(measure.min_time)} each; the defaults are {usual.trials}, "
                     f"{usual.min_samples} and {format_duration(usual.min_time)}")
    if measure.until is not None:
        most = "" if measure.budget is None else f", within {format_duration(measure.budget)}"
        found.append(f"cells were measured until p50 was known within {percent(measure.until)}, by {measure.trials} "
                     f"to {measure.max_trials} trials{most}")
    left_out = [precision for precision in PRECISIONS if precision not in (*suite.precisions, "bf16")]
    if left_out:
        found.append(f"precisions that the suite does not ask for: {', '.join(left_out)}")
    return found


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"


def state_of(run: StoredRun, wanted: Set[tuple[str, str]]) -> str:
    """`finished` when every planned cell has its trials and none ended badly or with wrong outputs, else `incomplete`.

    A cell that no converter can make is no lack; a (device, model) pair of `wanted` without any cell left is one, and
    so is a cell that this host lost, or whose device somebody else used.
    """
    last = {(trial.cell, trial.kind, trial.number): trial for trial in run.trials}
    own = [trial for trial in last.values() if trial.kind != "baseline"]
    bad = any(trial.state == "failed" or (trial.outputs or {}).get("ok") is False for trial in own)
    measured = {cell for cell, _, _ in last}
    planned = [cell for cell in run.cells if cell.status == "planned"]
    lost = any(cell.status == "skipped" and cell.fault in ("infrastructure", "busy") for cell in run.cells)
    complete = (not lost and not bad and {cell.cell for cell in planned} <= measured
                and wanted <= {(cell.device, cell.model) for cell in planned})
    return "finished" if complete else "incomplete"
