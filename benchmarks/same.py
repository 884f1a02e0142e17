"""Real trials of equal cells: the embedded network by every runtime, measured on this machine in two runs.

Whatever is found different between two halves of a run's trials is a false alarm. Halves are drawn many times, and so
share trials: only as many comparisons are independent as there are cells in disjoint stretches of trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.judge.types import NoiseFloor, Pair
from bench.judge.verdict import judge
from bench.store.packing import unpack
from bench.store.records import StoredRun
from benchmarks.figures import Rate, rate
from benchmarks.learning import learn_from
from benchmarks.noise_models import Array
from benchmarks.rivals import RULES
from benchmarks.runs import run_suite
from benchmarks.setting import Setting

SUITE = """version: 1
name: same
models:
  fashion:
    source: {torch: "bench.zoo.mobilenet:fashion"}
    inputs: {image: {shape: [1, 1, 28, 28], dtype: float32}}
precisions: [fp32]
runtimes: RUNTIMES
measure: {trials: TRIALS, min_samples: 30, min_time: 200ms, warmup: {min_runs: 5, min_time: 100ms, max_time: 1s}}
"""
RUNS = 2

Trials = Mapping[str, Sequence[Array]]
"""By runtime, the samples in ms of each of its trials, in the order they were taken."""


@dataclass(frozen=True)
class Stretch:
    """What each rule said of the splits of one stretch of trials, that share them; of so many cells."""

    calls: Mapping[str, Sequence[str]]
    cells: int


@dataclass(frozen=True)
class Split:
    """Two sides of equal cells: by runtime the samples of each trial, before and after."""

    before: Trials
    after: Trials


def measure_same(setting: Setting) -> list[Trials]:
    """The trials of each of RUNS equal runs. Raises RunFailed."""
    text = SUITE.replace("RUNTIMES", "[onnxruntime, tflite]" if setting.quick else
                         "[onnxruntime, tflite, torch, executorch]")
    text = text.replace("TRIALS", "10" if setting.quick else "24")
    found = []
    for number in range(RUNS):
        setting.tell(f"real trials of equal cells, run {number + 1} of {RUNS}")
        found.append(trials_of(run_suite(text, setting.folder).stored))
    return found


def trials_of(stored: StoredRun) -> Trials:
    """The latency trials that ended well."""
    runtimes = {cell.cell: cell.runtime for cell in stored.cells}
    found: dict[str, list[Array]] = {}
    for trial in stored.trials:
        if trial.kind == "latency" and trial.state == "ok" and trial.samples:
            found.setdefault(runtimes[trial.cell], []).append(np.asarray(unpack(trial.samples)) / 1e6)
    return found


def in_turn(trials: Trials, count: int, times: int, rng: np.random.Generator) -> Iterator[list[Split]]:
    """Sides of `count` trials each from one run, taken in turn: for each disjoint stretch of the run, so many splits,
    in which of each two successive trials one goes to either side by lot."""
    for begin in range(0, _least(trials) - 2 * count + 1, 2 * count):
        firsts = begin + 2 * np.arange(count) + rng.integers(2, size=(times, count))
        both = 2 * begin + 4 * np.arange(count) + 1
        yield [Split(_picked(trials, first), _picked(trials, both - first)) for first in firsts]


def apart(before: Trials, after: Trials, count: int) -> Iterator[list[Split]]:
    """Sides of `count` successive trials each, one from either run: of each two stretches at the same place."""
    for begin in range(0, min(_least(before), _least(after)) - count + 1, count):
        numbers = begin + np.arange(count)
        yield [Split(_picked(before, numbers), _picked(after, numbers))]


def judged(stretches: Iterable[list[Split]], *, same_run: bool, floors: Mapping[str, NoiseFloor],
           factor: float = 1.0) -> list[Stretch]:
    """Every split of every stretch, all runtimes judged together, with `after` taking `factor` times as long."""
    found = []
    for splits in stretches:
        calls: dict[str, list[str]] = {}
        for split in splits:
            after = {runtime: [values * factor for values in taken] for runtime, taken in split.after.items()}
            before_ms, after_ms = medians_of(split.before), medians_of(after)
            verdicts = judge([Pair(runtime, before_ms[runtime], after_ms[runtime], same_run, floors.get(runtime),
                                   in_turn=same_run) for runtime in before_ms])
            calls.setdefault("bench", []).extend(verdict.call for verdict in verdicts)
            for name, rule in RULES.items():
                calls.setdefault(name, []).extend(rule(_stacked(split.before[runtime]), _stacked(after[runtime]))
                                                  for runtime in after)
        found.append(Stretch(calls, len(splits[0].before)))
    return found


def shares(stretches: Sequence[Stretch], rule: str, *calls: str) -> Rate:
    """How often a rule said so: worth as many cases as there are cells in disjoint stretches."""
    said = [[call in calls for call in stretch.calls[rule]] for stretch in stretches]
    return rate([sum(one) for one in said], [len(one) for one in said], worth=sum(one.cells for one in stretches))


def floors_of(runs: Sequence[Trials]) -> dict[str, NoiseFloor]:
    """What a noise run would teach: of the first run, by runtime."""
    return {runtime: learn_from(np.array(values)) for runtime, values in medians_of(runs[0]).items()}


def _least(trials: Trials) -> int:
    return min(map(len, trials.values()))


def _stacked(taken: Sequence[Array]) -> Array:
    """Trials as one table, as long as the shortest."""
    least = min(map(len, taken))
    return np.stack([values[:least] for values in taken])


def _picked(trials: Trials, numbers: NDArray[np.intp]) -> Trials:
    """Only the trials of these numbers (from 0), of every runtime."""
    return {runtime: [values[number] for number in numbers] for runtime, values in trials.items()}


def medians_of(trials: Trials) -> dict[str, tuple[float, ...]]:
    """Trial medians in ms, by runtime."""
    return {runtime: tuple(float(np.median(values)) for values in taken) for runtime, taken in trials.items()}
