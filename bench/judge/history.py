"""Each cell's series over runs, where it went to another level, and how it stands now."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.device_wide import with_shifts
from bench.judge.identity import same_history
from bench.judge.points import Line, changed_versions, read_lines
from bench.judge.states import LEAST_POINTS, MARGIN, RECENT, find_outliers, state_of
from bench.judge.types import Change, History, NoiseFloor, Outlier, Pair, Point, Series, Verdict
from bench.judge.verdict import judge
from bench.stats.changes import find_levels, night_noise
from bench.store.records import RunRecord
from bench.store.store import ENDED, Store

MOST_RUNS: Final = 60
LEAST_STEPS: Final = 4
"""Differences of equal runs from which on they tell what runs differ by; with fewer all successive runs do."""


@dataclass(frozen=True)
class _Judged:
    """A line with its levels: `logs` of p50, `starts` of levels but the first, `noise` of runs about their level, and
    the verdict on the newest run, None where that is not to be told from its level by its trials."""

    line: Line
    logs: NDArray[np.float64]
    noise: float
    starts: list[int]
    newest: Verdict | None = None


def read_history(store: Store, *, model: str | None = None, device: str | None = None, suite: str | None = None,
                 of: RunRecord | None = None, until: RunRecord | None = None, most_runs: int = MOST_RUNS) -> History:
    """The series of the cells over the newest `most_runs` runs that came to their end, up to `until`; no noise run is
    among them.

    Only of one model, one device, the suites of one name, the very suite of the run `of` where those are given. Change
    points are those of bench.stats.changes; a step at the newest run alone is judged by its trials, all cells together,
    against those of the level before. Device-wide shifts are found over all models of a device, also where one is
    named.
    """
    runs = _runs(store, _names(store, model), device, suite, of, until)[:most_runs][::-1]
    judged = _with_newest(_with_levels(read_lines(store, runs, device)))
    series = [_series(item) for item in judged]
    found = with_shifts(series, [run.id for run in runs])
    found = replace(found, remarks=seem_renamed(found.series, [run.id for run in runs]))
    if model is None:
        return found
    kept = tuple(item for item in found.series if item.model == model)
    devices = {item.device for item in kept}
    return History(kept, tuple(shift for shift in found.shifts if shift.device in devices),
                   tuple(remark for remark in found.remarks if f" {model} " in remark))


def seem_renamed(series: Sequence[Series], runs: Sequence[str]) -> tuple[str, ...]:
    """For each model that went on under another name with the same file, as it seems: how to say so. `runs` oldest
    first."""
    place = {run: number for number, run in enumerate(runs)}
    ended: dict[tuple[object, ...], list[Series]] = {}
    for item in series:
        ended.setdefault(_but_model(item, item.points[-1]), []).append(item)
    found = []
    for new in series:
        for old in ended.get(_but_model(new, new.points[0]), ()):
            if old.model == new.model or place[old.points[-1].run] >= place[new.points[0].run]:
                continue
            found.append(f"model {new.model} has the same file as {old.model} had until run {old.points[-1].run}: "
                         f"renamed? `was: {old.model}` under models.{new.model} in the suite makes them one history")
    return tuple(dict.fromkeys(found))


def _but_model(series: Series, point: Point) -> tuple[object, ...]:
    """What a series shares with that of a renamed model: all but the model's name, and the file at a point."""
    return series.suite, series.device, series.cell.removeprefix(series.model), point.versions.get("artifact")


def _names(store: Store, model: str | None) -> set[str] | None:
    """The model's name and those that it had, as any run says; None for any model."""
    if model is None:
        return None
    olds = {old for run in store.runs() for old in (run.settings.get("was") or {}).get(model, ())}
    return {model, *olds}


def _runs(store: Store, models: set[str] | None, device: str | None, suite: str | None, of: RunRecord | None,
          until: RunRecord | None) -> list[RunRecord]:
    """Those with the wanted cells that came to their end, the newest first."""
    holding = {run for run, of_device, of_model in store.planned()
               if device in (None, of_device) and (models is None or of_model in models)}
    last = until.order if until else None
    every = store.runs()
    mine = same_history(every, of) if of else every
    return [run for run in mine if run.id in holding and suite in (None, run.suite) and run.state in ENDED
            and (last is None or run.order <= last)]


def _with_levels(lines: Sequence[Line]) -> list[_Judged]:
    logs = [np.log([point.p50_ms for point in line.points]) for line in lines]
    noise = [night_noise(values, np.array(line.errors), _equal_steps(values, line))
             for values, line in zip(logs, lines, strict=True)]
    levels = find_levels(logs, noise, MARGIN)
    return [_Judged(*parts) for parts in zip(lines, logs, noise, levels, strict=True)]


def _equal_steps(values: NDArray[np.float64], line: Line) -> NDArray[np.float64] | None:
    """The differences of each run from the one before that was equal to it: of the same artifact, options, system ...;
    where there are too few of those, of the same options and system. None where there are too few of those, too."""
    for strict in (True, False):
        before: dict[tuple[object, ...], float] = {}
        steps = []
        for value, conditions in zip(values.tolist(), line.conditions, strict=True):
            key = conditions[strict]
            steps += [value - before[key]] if key in before else []
            before[key] = value
        if len(steps) >= LEAST_STEPS:
            return np.array(steps)
    return None


def _with_newest(judged: Sequence[_Judged]) -> list[_Judged]:
    """With the verdicts on the newest runs, where there are enough runs to know what is usual."""
    known = [place for place, item in enumerate(judged) if len(item.logs) >= LEAST_POINTS]
    verdicts = dict(zip(known, judge([_pair(judged[place]) for place in known]), strict=True))
    return [replace(item, newest=verdicts.get(place)) for place, item in enumerate(judged)]


def _pair(item: _Judged) -> Pair:
    """The newest run's trials and those of its level before it, with the noise of the series itself. Of a level on
    which options or the system changed, the runs with those of the newest."""
    last = len(item.logs) - 1
    first = max(item.starts[-1] if item.starts else 0, last - RECENT)
    now = item.line.conditions[last][0]
    equal = [place for place in range(first, last) if item.line.conditions[place][0] == now]
    before = [item.line.trials[place] for place in equal or range(first, last)]
    spreads, errors = (_typical(values) for values in (item.line.spreads, item.line.errors))
    run_sd = math.sqrt(max(item.noise**2 - (errors or 0.0)**2, 0.0))
    floor = NoiseFloor(item.line.device, item.line.runtime, spreads or item.noise, sum(map(len, item.line.trials)),
                       run_sd, len(item.logs))
    return Pair(item.line.cell, tuple(np.concatenate(before).tolist()), tuple(item.line.trials[last].tolist()),
                same_run=False, floor=floor)


def _typical(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return statistics.median(known) if known else None


def _series(item: _Judged) -> Series:
    outliers = find_outliers(item.logs, item.starts, item.noise)
    state, reason = state_of(item.logs, item.starts, item.newest, outliers)
    line, edges = item.line, [0, *item.starts, len(item.logs)]
    changes = [_change(line, start, float(np.median(item.logs[start:end]) - np.median(item.logs[before:start])))
               for before, start, end in zip(edges, edges[1:], edges[2:], strict=False)]
    moved = item.newest is not None and item.newest.call in ("better", "worse")
    if moved and item.newest and state != "flaky":
        changes.append(_change(line, len(item.logs) - 1, math.log(item.newest.ratio)))
    return Series(line.cell, line.device, line.model, tuple(line.points), tuple(changes), state, reason, line.emulated,
                  line.suite, tuple(_outlier(item, place) for place in outliers))


def _outlier(item: _Judged, place: int) -> Outlier:
    starts = [0, *item.starts, len(item.logs)]
    low, high = next(edges for edges in pairwise(starts) if edges[0] <= place < edges[1])
    point = item.line.points[place]
    return Outlier(point.run, point.started, math.exp(float(item.logs[place] - np.median(item.logs[low:high]))))


def _change(line: Line, start: int, step: float) -> Change:
    point = line.points[start]
    return Change(point.run, point.started, math.exp(step), "worse" if step > 0 else "better",
                  changed_versions(line.points[start - 1], point))
