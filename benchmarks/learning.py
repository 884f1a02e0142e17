"""Noise floors learnt from simulated noise runs, as `bench noise` and the nights before would have taught them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bench.judge.noise import floors_of
from bench.judge.types import NoiseFloor
from bench.store.records import RunRecord, SessionRecord, TrialMedian
from benchmarks.noise_models import Array, Noise, medians

DEVICE, RUNTIME = "board", "tflite"
NOISE_TRIALS = 20
"""Of each side: the default of `bench noise`."""
NIGHT_TRIALS = 5
"""The default of `bench run`."""


def learn(noise: Noise, rng: np.random.Generator, *, nights: int = 0, run_sd: float = 0.0) -> NoiseFloor:
    """The floor known after a noise run of one cell, and so many equal nightly runs that differ by `run_sd`."""
    both = medians(noise, rng, 1, 1, NOISE_TRIALS)[0, 0]
    equal = medians(noise, rng, nights, 1, NIGHT_TRIALS, same_run=False, run_sd=run_sd)[:, 0, 0] if nights else ()
    return learn_from(both.T.ravel(), equal)


def learn_from(noise_run: Array, nights: Iterable[Array] = ()) -> NoiseFloor:
    """The floor known from the trial medians (in any unit) of a noise run of one cell, the two sides in turn, and of
    later runs of that cell."""
    runs, taken = [_run(0, "noise")], _trials(0, noise_run)
    for night, values in enumerate(nights, start=1):
        runs.append(_run(night, "measure"))
        taken += _trials(night, values)
    sessions = [SessionRecord(0, run.id, DEVICE, "", None, "agent", {}, {RUNTIME: "1"}) for run in runs]
    return floors_of(reversed(runs), taken, sessions)[DEVICE, RUNTIME]


def _run(number: int, purpose: str) -> RunRecord:
    started = f"2026-01-{number + 1:02}T03:00:00Z"
    return RunRecord(str(number), "suite", "", "", "", "", started, started, "finished", {}, {}, [], purpose)


def _trials(run: int, values: Array) -> list[TrialMedian]:
    return [TrialMedian(run=str(run), cell="cell", device=DEVICE, model="net", runtime=RUNTIME, number=number,
                        artifact="artifact", median_ns=value * 1e6, seconds=1.0)
            for number, value in enumerate(values.tolist(), start=1)]
