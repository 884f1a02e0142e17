"""Verdicts on simulated trials of which the truth is known, and what the rivals' rules say of the same samples."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from bench.judge.types import Call, NoiseFloor, Pair, Verdict
from bench.judge.verdict import judge
from benchmarks.noise_models import Array, Noise, draw
from benchmarks.rivals import RULES

SAMPLES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Case:
    """So many comparisons of `cells` cells, of so many trials a side; the first cell's `after` truly takes `ratio`
    times as long as its before, and nothing else differs.

    Of two runs (not `same_run`), cells differ by `run_sd` and the device as a whole by `device_sd`, in logarithms.
    `floors`: what was known of the noise, each of them for an equal share of the comparisons; none where empty.
    `rivals`: the rivals' rules see the samples of the first cell too.
    """

    noise: Noise
    trials: int
    cells: int = 1
    comparisons: int = 100
    same_run: bool = True
    run_sd: float = 0.0
    device_sd: float = 0.0
    floors: tuple[NoiseFloor, ...] = ()
    ratio: float = 1.0
    rivals: bool = False
    seed: int = 0


@dataclass
class Tally:
    """What was said: by comparison the first cell's call, how many of the other cells were called better or worse, and
    of how many cells the interval holds the true ratio; of the rivals, how often they said what of the first cell."""

    case: Case
    first: list[Call] = field(default_factory=list)
    false_others: list[int] = field(default_factory=list)
    covered: list[int] = field(default_factory=list)
    rivals: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Count the verdicts of one comparison."""
        self.first.append(verdicts[0].call)
        self.false_others.append(sum(verdict.call in ("better", "worse") for verdict in verdicts[1:]))
        truths = [self.case.ratio, *[1.0] * (len(verdicts) - 1)]
        self.covered.append(sum(_holds(verdict, truth) for verdict, truth in zip(verdicts, truths, strict=True)))

    @property
    def false_alarms(self) -> Array:
        """By comparison, how many cells were called better or worse; of equal cells (`ratio` 1)."""
        first = [call in ("better", "worse") for call in self.first]
        return np.asarray(first, dtype=np.float64) + self.false_others


def _holds(verdict: Verdict, truth: float) -> bool:
    return verdict.low is not None and verdict.high is not None and verdict.low <= truth <= verdict.high


def try_all(cases: Sequence[Case]) -> list[Tally]:
    """`try_out` each case, on all cores."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(try_out, cases))


def try_out(case: Case) -> Tally:
    """Draw a case's trials and judge them."""
    tally = Tally(case, rivals={name: Counter() for name in RULES if case.rivals})
    rng = np.random.default_rng(case.seed)
    at_once = max(1, SAMPLES_AT_ONCE // (case.cells * case.trials * 60))
    for begin in range(0, case.comparisons, at_once):
        samples = draw(case.noise, rng, min(at_once, case.comparisons - begin), case.cells, case.trials,
                       same_run=case.same_run, run_sd=case.run_sd, device_sd=case.device_sd)
        samples[:, 0, 1] *= case.ratio
        for number, medians in enumerate(np.median(samples, axis=-1)):
            tally.add(judge(_pairs(medians, case, begin + number)))
            for name, counted in tally.rivals.items():
                counted[RULES[name](samples[number, 0, 0], samples[number, 0, 1])] += 1
    return tally


def _pairs(medians: Array, case: Case, comparison: int) -> list[Pair]:
    """One comparison's pairs, of trial medians in ms of shape (cells, 2, trials)."""
    floor = case.floors[comparison % len(case.floors)] if case.floors else None
    return [Pair(f"cell {number}", tuple(before), tuple(after), case.same_run, floor, in_turn=case.same_run)
            for number, (before, after) in enumerate(medians.tolist())]
