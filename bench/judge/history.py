"""Each cell's series over runs, where it went to another level, and how it stands now."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.device_wide import with_shifts
from bench.judge.points import Line, changed_versions, read_lines
from bench.judge.states import LEAST_POINTS, MARGIN, RECENT, state_of
from bench.judge.types import Change, History, NoiseFloor, Pair, Series, Verdict
from bench.judge.verdict import judge
from bench.stats.changes import find_levels, night_noise
from bench.store.records import RunRecord
from bench.store.store import Store

MOST_RUNS: Final = 60


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
                 until: RunRecord | None = None, most_runs: int = MOST_RUNS) -> History:
    """The series of the cells over the newest `most_runs` runs, up to `until`; no noise run is among them.

    Only of one model, one device, the runs of one suite where those are named. Change points are those of
    bench.stats.changes; a step at the newest run alone is judged by its trials, all cells together, against those of
    the level before. Device-wide shifts are found over all models of a device, also where one is named.
    """
    runs = _runs(store, model, device, suite, until)[:most_runs][::-1]
    judged = _with_newest(_with_levels(read_lines(store, runs, device)))
    series = [_series(item) for item in judged]
    found = with_shifts(series, [run.id for run in runs])
    if model is None:
        return found
    kept = tuple(item for item in found.series if item.model == model)
    devices = {item.device for item in kept}
    return History(kept, tuple(shift for shift in found.shifts if shift.device in devices))


def _runs(store: Store, model: str | None, device: str | None, suite: str | None,
          until: RunRecord | None) -> list[RunRecord]:
    """Those with the wanted cells, the newest first."""
    holding = {run for run, of_device, of_model in store.planned()
               if device in (None, of_device) and model in (None, of_model)}
    last = (until.started, until.id) if until else None
    return [run for run in store.runs() if run.id in holding and suite in (None, run.suite)
            and (last is None or (run.started, run.id) <= last)]


def _with_levels(lines: Sequence[Line]) -> list[_Judged]:
    logs = [np.log([point.p50_ms for point in line.points]) for line in lines]
    noise = [night_noise(values, np.array(line.errors)) for values, line in zip(logs, lines, strict=True)]
    levels = find_levels(logs, noise, MARGIN)
    return [_Judged(*parts) for parts in zip(lines, logs, noise, levels, strict=True)]


def _with_newest(judged: Sequence[_Judged]) -> list[_Judged]:
    """With the verdicts on the newest runs, where there are enough runs to know what is usual."""
    known = [place for place, item in enumerate(judged) if len(item.logs) >= LEAST_POINTS]
    verdicts = dict(zip(known, judge([_pair(judged[place]) for place in known]), strict=True))
    return [replace(item, newest=verdicts.get(place)) for place, item in enumerate(judged)]


def _pair(item: _Judged) -> Pair:
    """The newest run's trials and those of its level before it, with the noise of the series itself."""
    last = len(item.logs) - 1
    first = max(item.starts[-1] if item.starts else 0, last - RECENT)
    before = item.line.trials[first:last]
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
    state, reason = state_of(item.logs, item.starts, item.newest)
    line, edges = item.line, [0, *item.starts, len(item.logs)]
    changes = [_change(line, start, float(np.median(item.logs[start:end]) - np.median(item.logs[before:start])))
               for before, start, end in zip(edges, edges[1:], edges[2:], strict=False)]
    moved = item.newest is not None and item.newest.call in ("better", "worse")
    if moved and item.newest and state != "flaky":
        changes.append(_change(line, len(item.logs) - 1, math.log(item.newest.ratio)))
    return Series(line.cell, line.device, line.model, tuple(line.points), tuple(changes), state, reason, line.emulated)


def _change(line: Line, start: int, step: float) -> Change:
    point = line.points[start]
    return Change(point.run, point.started, math.exp(step), "worse" if step > 0 else "better",
                  changed_versions(line.points[start - 1], point))
