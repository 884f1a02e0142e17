"""The series of cells over runs, as the store has them: each point with what may have moved it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.collect.privacy import without_homes
from bench.judge.identity import histories, revision
from bench.judge.noise import alike, settings_of
from bench.judge.types import Point
from bench.stats.centre import median_interval
from bench.store.records import CellConditions, RunRecord, SessionRecord, TrialMedian
from bench.store.store import Store

Array = NDArray[np.float64]

MEDIAN_SE: Final = math.sqrt(math.pi / 2)
"""Standard error of the median of many normal values in units of the mean's."""
HASH: Final = 8
"""Characters of a hash or revision that are shown."""


@dataclass
class Line:
    """One cell's points, oldest first, with their trial medians in ms; of the medians' logarithms `spreads` are the
    standard deviations within a run and `errors` the standard errors of p50, NaN of one trial. `conditions` are what a
    point's run must share with another's for their difference to be noise: by options, runtime and system alone, and
    with the artifact and the suite's and devices' files."""

    cell: str
    device: str
    model: str
    runtime: str
    suite: str = ""
    emulated: bool = False
    points: list[Point] = field(default_factory=list)
    trials: list[Array] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    conditions: list[tuple[tuple[object, ...], tuple[object, ...]]] = field(default_factory=list)


def read_lines(store: Store, runs: Sequence[RunRecord], device: str | None) -> list[Line]:
    """The series of all cells of the runs (oldest first), of one device where it is named; by device, model and cell.

    Each suite's cells are series of their own, a renamed model's one under its newest name. A point's p50 and interval
    are those of the report, which needs no samples for them but where there is one trial.
    """
    medians = store.medians(device=device, runs=[run.id for run in runs])
    if not medians:
        return []
    known = histories(store.runs())
    titles = _titles(known, runs)
    renamed = _renamed(runs, known, medians)
    sessions = {(session.run, session.device): session for session in store.sessions([run.id for run in runs])}
    seen = {(each.run, each.cell): each for each in store.cell_conditions([run.id for run in runs], device)}
    lines: dict[tuple[str, str], Line] = {}
    keys = []
    for trial in medians:
        model = renamed.get((trial.run, trial.model), trial.model)
        cell = trial.cell if model == trial.model else model + trial.cell.removeprefix(trial.model)
        keys.append((known[trial.run], cell))
        lines.setdefault(keys[-1], Line(cell, trial.device, model, trial.runtime, titles[known[trial.run]]))
    _fill(lines, runs, keys, medians, sessions, seen)
    return sorted(lines.values(), key=lambda line: (line.device, line.model, line.cell, line.suite))


def _titles(known: Mapping[str, str], shown: Sequence[RunRecord]) -> dict[str, str]:
    """By history, what its suite is called: the name, with its file where another history shown has that name."""
    newest = {known[run.id]: run for run in shown}
    names = [run.suite for run in newest.values()]
    return {key: run.suite if names.count(run.suite) == 1 else f"{run.suite} ({without_homes(run.suite_path)})"
            for key, run in newest.items()}


def _renamed(runs: Sequence[RunRecord], known: Mapping[str, str],
             medians: Sequence[TrialMedian]) -> dict[tuple[str, str], str]:
    """By run and model, the newest name of a model that its suite says was called so; `runs` oldest first."""
    models: dict[str, set[str]] = {}
    for trial in medians:
        models.setdefault(trial.run, set()).add(trial.model)
    found: dict[tuple[str, str], str] = {}
    was: dict[str, dict[str, str]] = {}
    for run in reversed(runs):
        now = was.setdefault(known[run.id], {})
        for model in models.get(run.id, ()):
            if now.get(model, model) != model and now[model] not in models[run.id]:
                found[run.id, model] = now[model]
        for new, olds in (run.settings.get("was") or {}).items():
            now.update({old: now.get(new, new) for old in olds if old not in now})
    return found


def _fill(lines: Mapping[tuple[str, str], Line], runs: Sequence[RunRecord], keys: Sequence[tuple[str, str]],
          medians: Sequence[TrialMedian], sessions: Mapping[tuple[str, str], SessionRecord],
          seen: Mapping[tuple[str, str], CellConditions]) -> None:
    """Give each line its points; `keys` are the medians' lines."""
    place = {run.id: number for number, run in enumerate(runs)}
    number = {key: at for at, key in enumerate(lines)}
    listed = list(lines.values())
    groups = np.array([number[key] * len(runs) + place[trial.run] for key, trial in zip(keys, medians, strict=True)])
    values = np.maximum([trial.median_ns for trial in medians], 1.0) / 1e6  # a coarse clock's 0 counts as 1 ns
    order = np.lexsort((values, groups))
    values = values[order]
    places, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    p50, spreads = _centres(values, first, counts)
    of_group = dict(zip(groups.tolist(), medians, strict=True))
    known: dict[tuple[str, str, str], dict[str, str]] = {}
    for at, group in enumerate(places.tolist()):
        line, run, trial = listed[group // len(runs)], runs[group % len(runs)], of_group[group]
        session = sessions.get((run.id, line.device))
        circumstances = (run.id, line.device, line.runtime)
        if circumstances not in known:
            known[circumstances] = _versions(run, session, line.runtime)
        trials = values[first[at]:first[at] + counts[at]]
        low, high = median_interval(trials) if len(trials) > 1 else (None, None)
        conditions = seen.get((run.id, trial.cell))
        versions = {**known[circumstances], **_options(conditions), "artifact": trial.artifact[:HASH]}
        line.points.append(Point(run.id, run.started, float(p50[at]), low, high, len(trials), versions,
                                 run.number or 0))
        line.conditions.append(_conditions(versions, conditions))
        line.trials.append(trials)
        line.spreads.append(float(spreads[at]))
        line.errors.append(MEDIAN_SE * float(spreads[at]) / math.sqrt(len(trials)))
        line.emulated = bool(session and session.facts.get("emulated"))


def _options(seen: CellConditions | None) -> dict[str, str]:
    """The runtime's options, where it was given any."""
    text = settings_of(seen).get("options", "") if seen else ""
    return {"options": without_homes(text)} if text else {}


def _conditions(versions: Mapping[str, str], seen: CellConditions | None) -> tuple[tuple[object, ...],
                                                                                 tuple[object, ...]]:
    """Of `Line.conditions`."""
    system = (*(versions.get(name) for name in ("os", "kernel", "runtime", "measure")), alike(seen) if seen else None)
    return system, (*system, *(versions.get(name) for name in ("artifact", "suite file", "devices file")))


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
        "git": revision(run.host, HASH),
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
