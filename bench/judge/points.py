"""The series of cells over runs, as the store has them: each point with what may have moved it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.types import Point
from bench.stats.centre import median_interval
from bench.store.records import RunRecord, SessionRecord, TrialMedian
from bench.store.store import Store

Array = NDArray[np.float64]

MEDIAN_SE: Final = math.sqrt(math.pi / 2)
"""Standard error of the median of many normal values in units of the mean's."""
HASH: Final = 8
"""Characters of a hash or revision that are shown."""


@dataclass
class Line:
    """One cell's points, oldest first, with their trial medians in ms; of the medians' logarithms `spreads` are the
    standard deviations within a run and `errors` the standard errors of p50, NaN of one trial."""

    cell: str
    device: str
    model: str
    runtime: str
    emulated: bool = False
    points: list[Point] = field(default_factory=list)
    trials: list[Array] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)


def read_lines(store: Store, runs: Sequence[RunRecord], device: str | None) -> list[Line]:
    """The series of all cells of the runs (oldest first), of one device where it is named; by device, model and cell.

    A point's p50 and interval are those of the report, which needs no samples for them but where there is one trial.
    """
    place = {run.id: number for number, run in enumerate(runs)}
    medians = store.medians(device=device, runs=place)
    if not medians:
        return []
    sessions = {(session.run, session.device): session for session in store.sessions(place)}
    lines: dict[str, Line] = {}
    for trial in medians:
        lines.setdefault(trial.cell, Line(trial.cell, trial.device, trial.model, trial.runtime))
    _fill(lines, runs, place, medians, sessions)
    return sorted(lines.values(), key=lambda line: (line.device, line.model, line.cell))


def _fill(lines: Mapping[str, Line], runs: Sequence[RunRecord], place: Mapping[str, int],
          medians: Sequence[TrialMedian], sessions: Mapping[tuple[str, str], SessionRecord]) -> None:
    """Give each line its points."""
    number = {cell: at for at, cell in enumerate(lines)}
    names = list(lines)
    groups = np.array([number[trial.cell] * len(runs) + place[trial.run] for trial in medians])
    values = np.maximum([trial.median_ns for trial in medians], 1.0) / 1e6  # a coarse clock's 0 counts as 1 ns
    order = np.lexsort((values, groups))
    values = values[order]
    keys, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    p50, spreads = _centres(values, first, counts)
    artifacts = {(trial.run, trial.cell): trial.artifact for trial in medians}
    known: dict[tuple[str, str, str], dict[str, str]] = {}
    for at, key in enumerate(keys):
        line, run = lines[names[key // len(runs)]], runs[key % len(runs)]
        session = sessions.get((run.id, line.device))
        circumstances = (run.id, line.device, line.runtime)
        if circumstances not in known:
            known[circumstances] = _versions(run, session, line.runtime)
        trials = values[first[at]:first[at] + counts[at]]
        low, high = median_interval(trials) if len(trials) > 1 else (None, None)
        line.points.append(Point(run.id, run.started, float(p50[at]), low, high, len(trials),
                                 {**known[circumstances], "artifact": artifacts[run.id, line.cell][:HASH]}))
        line.trials.append(trials)
        line.spreads.append(float(spreads[at]))
        line.errors.append(MEDIAN_SE * float(spreads[at]) / math.sqrt(len(trials)))
        line.emulated = bool(session and session.facts.get("emulated"))


def _centres(values: Array, first: NDArray[np.intp], counts: NDArray[np.intp]) -> tuple[Array, Array]:
    """Of groups of sorted values: the medians, and the standard deviations of the logarithms, NaN of one value."""
    p50 = (values[first + (counts - 1) // 2] + values[first + counts // 2]) / 2
    logs = np.log(values)
    means = np.add.reduceat(logs, first) / counts
    squares = np.add.reduceat((logs - np.repeat(means, counts)) ** 2, first)
    return p50, np.sqrt(squares / np.where(counts > 1, counts - 1, np.nan))


def _versions(run: RunRecord, session: SessionRecord | None, runtime: str) -> dict[str, str]:
    """What may move a cell, by name, but for its artifact; what is not known is left out."""
    facts = session.facts if session else {}
    told = {
        "os": facts.get("os"), "kernel": facts.get("kernel"),
        "runtime": session.runtimes.get(runtime) if session else None,
        "agent": session.agent[:HASH] if session else None,
        "git": (run.host.get("git") or "")[:HASH],
        "suite": run.suite, "measure": "quick" if run.settings.get("quick") else "in full",
        "suite file": _hash(run.suite_text), "devices file": _hash(run.devices_text),
    }
    return {name: str(value) for name, value in told.items() if value}


def _hash(text: str) -> str:
    """The beginning of the text's sha256; empty of none."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH] if text else ""


def changed_versions(before: Point, after: Point) -> tuple[str, ...]:
    """What is not the same at both points: `runtime onnxruntime 1.22 -> 1.23`."""
    names = [name for name in after.versions if before.versions.get(name, after.versions[name]) != after.versions[name]]
    return tuple(f"{name} {_arrow(before.versions[name], after.versions[name])}" for name in names)


def _arrow(before: str, after: str) -> str:
    """`onnxruntime 1.22 -> 1.23`: what both begin with is said once."""
    old, new = before.split(" "), after.split(" ")
    same = 0
    while same < min(len(old), len(new)) - 1 and old[same] == new[same]:
        same += 1
    return f"{before} -> {' '.join(new[same:])}"
