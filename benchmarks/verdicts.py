"""Verdicts: how often they are false, what they find, what their intervals are worth, and what other rules would have
said of the same trials; what adaptive measuring saves; what a report over very many trials costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.judge.types import NoiseFloor
from bench.judge.verdict import METHOD, trials_needed
from benchmarks import alarms, same
from benchmarks.adaptive import measure_adaptive
from benchmarks.coverage import measure_coverage
from benchmarks.figures import Figure, Part
from benchmarks.large import ReportFailed, measure_reports
from benchmarks.rivals import RULES
from benchmarks.runs import RunFailed
from benchmarks.setting import Setting

TITLE = "Verdicts: false alarms, what is found, intervals, and other rules on the same trials"
REAL_TRIALS = 5
SPLITS = 20


@dataclass(frozen=True)
class Effort:
    """How much is simulated: equal cells a case, comparisons with a slower cell a noise, cells a setting of coverage,
    adaptive runs."""

    cells: int
    slower: int
    covered: int
    runs: int


FULL, QUICK = Effort(240, 400, 250, 60), Effort(48, 40, 30, 8)


def measure(setting: Setting) -> Part:
    """All of it; what fails is said, and the rest is measured."""
    figures, remarks = simulated(setting, QUICK if setting.quick else FULL)
    try:
        more, said = real(same.measure_same(setting))
        figures, remarks = (*figures, *more), (*remarks, *said)
        figures = (*figures, *measure_reports(setting))
    except (RunFailed, ReportFailed) as error:
        return Part("verdicts", TITLE, figures, remarks, missing=str(error))
    return Part("verdicts", TITLE, figures, remarks)


def simulated(setting: Setting, effort: Effort) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """What simulated trials show, of which the truth is known."""
    setting.tell("simulated: equal cells in one run")
    one_run, equal = alarms.one_run(effort.cells)
    setting.tell("simulated: equal cells in two runs")
    two_runs, apart = alarms.two_runs(effort.cells)
    setting.tell("simulated: a slower cell")
    found, slower, beyond = alarms.power(effort.slower)
    setting.tell("simulated: intervals of p50")
    covered = measure_coverage(effort.covered)
    setting.tell("simulated: adaptive measuring")
    return ((*one_run, *two_runs, *found, *covered, *alarms.rivals(equal, apart, slower),
             *measure_adaptive(effort.runs)), (f"the verdict: {METHOD}", *beyond))


def real(runs: Sequence[same.Trials]) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """What real trials of equal cells show: judged with what the first run teaches of the noise, and without."""
    figures: list[Figure] = []
    floors = same.floors_of(runs)
    rng = np.random.default_rng(0)
    for known, use in (("no noise floor", {}), ("noise floor known", floors)):
        in_turn = [list(same.in_turn(trials, REAL_TRIALS, SPLITS, rng)) for trials in runs]
        equal = [stretch for splits in in_turn for stretch in same.judged(splits, same_run=True, floors=use)]
        slower = [stretch for splits in in_turn
                  for stretch in same.judged(splits, same_run=True, floors=use, factor=alarms.SLOWER)]
        apart = same.judged(same.apart(runs[0], runs[1], REAL_TRIALS), same_run=False, floors=use)
        # Rivals know of no floor.
        for name in ("bench", *(() if use else RULES)):
            label = f"{name}, {known}" if name == "bench" else name
            aim = alarms.FALSE if name == "bench" else None
            figures += [
                Figure(f"real trials, one run, false alarms: {label}", same.shares(equal, name, "better", "worse"),
                       " %", 1, aim, _worth(equal)),
                Figure(f"real trials, two runs, false alarms: {label}", same.shares(apart, name, "better", "worse"),
                       " %", 1, aim, _worth(apart)),
                Figure(f"real trials, one run, 5 % slower found: {label}", same.shares(slower, name, "worse"), " %", 1,
                       None, _worth(slower))]
    return tuple(sorted(figures, key=lambda figure: figure.name.split(":")[0])), (
        *(_described(runtime, floors, runs) for runtime in floors),
        f"real trials were judged {REAL_TRIALS} against {REAL_TRIALS}, whatever the noise floor asks for")


def _worth(stretches: Sequence[same.Stretch]) -> str:
    return f"{sum(stretch.cells for stretch in stretches)} independent"


def _described(runtime: str, floors: dict[str, NoiseFloor], runs: Sequence[same.Trials]) -> str:
    """What the noise of a runtime's real trials is like, and how many trials it asks for."""
    needed = trials_needed(floors[runtime].trial_sd, effect=alarms.SLOWER - 1, cells=len(floors))
    logs = [np.log(same.medians_of(trials)[runtime]) for trials in runs]
    follow = np.mean([np.corrcoef(series[1:], series[:-1])[0, 1] for series in logs])
    apart = abs(np.expm1(logs[1].mean() - logs[0].mean()))
    return (f"real trials of {runtime}: standard deviation {100 * floors[runtime].trial_sd:.1f} % as learnt, "
            f"{', '.join(f'{100 * series.std(ddof=1):.1f} %' for series in logs)} in the runs; successive trials "
            f"correlated by {follow:.2f}; the runs {100 * apart:.1f} % apart; a change of 5 % asks for "
            f"{needed or 'too many'} trials")
