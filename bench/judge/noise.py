"""How far equal cells differ by chance on each device, from what is stored."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from bench.collect.circumstances import of_settings
from bench.judge.identity import histories
from bench.judge.types import NoiseFloor
from bench.judge.verdict import LEVEL
from bench.stats.drawing_in import Side, draw_in
from bench.stats.planning import log_for
from bench.stats.student import chi_square_quantile
from bench.store.records import CellConditions, RunRecord, SessionRecord, TrialMedian
from bench.store.store import ENDED, Store

Floors: TypeAlias = Mapping[tuple[str, str], NoiseFloor]
"""By device and runtime."""
LEAST_RUNS = 4
"""Equal runs, from which on it is said what they differ by."""
MOST_RUNS = 16
"""Of a device, from which it is learnt what runs differ by: what more would add is little, and older."""
LOOKED_AT = 200
"""The newest runs, among which those of a device are looked for."""
STRETCH = 5
"""Trials in turn, as many as a run takes by default: a device's mood wanders over some of them, and a longer run has
averaged out of its centre what a run of so many meets in full."""
CONFIDENCE = 0.8
"""A standard deviation learnt from few trials is as often too small as too large: of `trial_sd` the upper limit of this
confidence is taken, so that a plan made by it has enough trials. By simulation it found a true slowdown of 5 % in 91 to
99 % of cases, where 90 % was asked for, with floors learnt from 40 trials of 0.5 to 13 % or of two speeds, and in 84 %
where 5 % of processes met bursts of other work."""

@dataclass(frozen=True)
class _Cell:
    """One cell's latency trials in one run: those far off the others drawn in, as odd-numbered and even-numbered sides
    and all in turn. `circumstances` tell equal runs from those with another artifact, suite, runtime or system."""

    run: str
    cell: str
    circumstances: tuple[object, ...]
    sides: tuple[Side, Side]
    whole: Side


def find_floors(store: Store, judged: RunRecord | None = None) -> Floors:
    """`floors_of` what is stored: of all noise runs, and of each device's newest other runs.

    With `judged`, of those before that run only: what is held against the noise must not be taken for noise itself.
    """
    noisy = store.runs("noise")
    nights = [run for run in store.runs("measure") if run.state in ENDED
              and (judged is None or run.order < judged.order)][:LOOKED_AT]
    medians = store.medians(runs=[run.id for run in noisy])
    sessions = store.sessions([run.id for run in (*noisy, *nights)]) if medians else ()
    seen = {(session.run, session.device) for session in sessions}
    floors: dict[tuple[str, str], NoiseFloor] = {}
    known = histories(store.runs(None)) if medians else {}
    for device in sorted({trial.device for trial in medians}):
        newest = [run for run in nights if (run.id, device) in seen][:MOST_RUNS]
        taken = [*(trial for trial in medians if trial.device == device),
                 *store.medians(device=device, runs=[run.id for run in newest])]
        runs = [*noisy, *newest]
        floors |= floors_of(runs, taken, sessions, store.cell_conditions([run.id for run in runs], device), known)
    return floors


def floors_of(runs: Iterable[RunRecord], medians: Iterable[TrialMedian], sessions: Iterable[SessionRecord],
              conditions: Iterable[CellConditions] = (), known: Mapping[str, str] | None = None) -> Floors:
    """What is known of the noise of each device and runtime that had a noise run; `runs` the newest first of a purpose,
    `conditions` those of their cells, `known` the histories of runs where there are more than these.

    `trial_sd`: of noise runs, in which a cell's odd-numbered trials are one side and its even-numbered the other, the
    variance of logarithms of trial medians around their side's mean, pooled over cells and runs. `run_sd`: of all runs
    of the same cell of one suite, and what the guard of comparisons asks for: the same artifact, suite file, devices
    file, options, cores, runtime, libraries, agent, system and inputs; noise runs among them;
    the variance of the runs' means beyond what their trials explain, pooled over cells; None below `LEAST_RUNS` equal
    runs. A cell whose latency was found to break an expectation counts for nothing in that run. Of a device's
    runs the newest `MOST_RUNS` count, and all its noise runs. Trials far off the others are drawn in before,
    as verdicts do (`bench.stats.drawing_in`): else 1 to 3 odd ones of 40 would ask for thousands of trials.

    `wander_sd`: the same of the means of each `STRETCH` trials in turn, within runs of twice as many or more. `run_sd`
    is at least that; a verdict takes it, or its own guess where that is larger, while too few runs are known. On a
    shared machine where successive trials' medians had a correlation of 0.3 to 0.7, no stretches of 5 to 20 trials of
    equal cells in two of four runs were then called different; with a fifth run, in which the machine was truly slower
    for a while, 0.3 to 0.6 % of those of 5 to 10 trials by a noise run alone, and none by all five runs.

    By the chi-square distribution of a variance, `trial_sd` is the upper limit of `CONFIDENCE`, and of `run_sd` the
    runs' variance is that which is as likely too large as too small: that it is known from few runs, a verdict counts
    by its degrees of freedom (`run_df`). Those are of one cell's runs, or of its stretches where `wander_sd` is the
    larger: whatever befalls a run befalls all its cells. By simulation (runs that differ by 1 %, of 5 trials of 0.5 and
    3 %) equal cells of two runs were then called better or worse in at most 0.7 % of cases with 4 and 6 nights known,
    0.3 % with 16.
    """
    runs, medians = tuple(runs), tuple(medians)
    noisy = {run.id: run for run in runs if run.purpose == "noise"}
    broken = {(run.id, cell) for run in runs for cell in _broken(run)}
    medians = tuple(trial for trial in medians if (trial.run, trial.cell) not in broken)
    counted = _counted([run.id for run in runs], noisy, medians)
    floors = {}
    suites = histories(runs) if known is None else known
    setups = {run.id: (_setup(run), suites[run.id]) for run in runs}
    measured = {(each.run, each.cell): alike(each) for each in conditions}
    for key, cells in sorted(_cells((trial for trial in medians if trial.run in counted[trial.device]),
                                    sessions, setups, measured).items()):
        floor = _floor(*key, cells, noisy)
        if floor is not None:
            floors[key] = floor
    return floors


def alike(seen: CellConditions) -> tuple[object, ...]:
    """What two cells must share to be noise of one another, of what is not known by run, device or artifact."""
    return _asked(seen.settings), _libraries(seen.versions), seen.governor, seen.charging, seen.inputs


def settings_of(seen: CellConditions) -> dict[str, str]:
    """The agent's revision, cores, options and how it was measured, as `bench.collect.circumstances.of_settings` words
    them."""
    return dict(_asked(seen.settings))


@lru_cache(maxsize=1024)
def _asked(settings: str) -> tuple[tuple[str, str], ...]:
    told = json.loads(settings)
    return tuple(of_settings(told if isinstance(told, dict) else {}).items())


@lru_cache(maxsize=1024)
def _libraries(versions: str) -> tuple[str | None, ...]:
    told = json.loads(versions)
    known: dict[str, Any] = told if isinstance(told, dict) else {}
    texts = (known.get(name) for name in ("python", "numpy", "runtime"))
    return tuple(text if isinstance(text, str) else None for text in texts)


def smallest_difference(floor: NoiseFloor, trials: int, *, cells: int = 1, margin: float = 0.0, power: float = 0.9,
                        level: float = LEVEL) -> float:
    """The smallest true difference (0.05: 5 %) that `trials` (2 or more) of each side, taken in one run, tell from
    chance with probability `power`, as one change among `cells` judged together at a false discovery rate of `level`.

    With a `margin` it must also be found beyond that, as `bench.judge.verdict.judge` asks.
    """
    return math.expm1(log_for(trials, sd=floor.trial_sd, bound=math.log1p(margin), threshold=level / max(1, cells),
                              power_wanted=power))


def _broken(run: RunRecord) -> list[str]:
    """The cells whose latency was judged to break an expectation."""
    outcomes = (run.judgement or {}).get("outcomes", [])
    return [outcome["cell"] for outcome in outcomes
            if outcome["state"] == "broken" and outcome["expectation"].startswith("latency")]


def _setup(run: RunRecord) -> str:
    """What was asked for: options, threads, cores and how it was measured are in these."""
    asked = (run.suite_text, run.devices_text, bool(run.settings.get("quick")))
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).hexdigest()


def _counted(runs: Sequence[str], noisy: Container[str], medians: Iterable[TrialMedian]) -> dict[str, list[str]]:
    """By device: its noise runs and its newest `MOST_RUNS` others."""
    seen = defaultdict(set)
    for trial in medians:
        seen[trial.device].add(trial.run)
    return {device: [run for run in runs if run in of and run in noisy]
            + [run for run in runs if run in of and run not in noisy][:MOST_RUNS] for device, of in seen.items()}


def _floor(device: str, runtime: str, cells: list[_Cell], noisy: Mapping[str, RunRecord]) -> NoiseFloor | None:
    measured = [cell for cell in cells if cell.run in noisy]
    sides = [side for cell in measured for side in cell.sides if side.logs]
    squares, df = _around_means(sides)
    if not df:
        return None
    trial_sd = math.sqrt(_limit(squares / df, df, CONFIDENCE))
    wander_sd, wander_df = _beyond_trials((cell.cell, _stretches(cell.whole)) for cell in cells)
    equal = defaultdict(list)
    for cell in cells:
        if cell.whole.kept > 1:
            equal[cell.cell, cell.circumstances].append(cell.whole)
    run_sd, run_df = _beyond_trials((name, runs) for (name, _), runs in equal.items())
    runs = run_df + 1 if run_df else 0
    floor = NoiseFloor(device, runtime, trial_sd, sum(len(side.logs) for side in sides), None, runs,
                       max(noisy[cell.run].started for cell in measured), wander_sd)
    if runs < LEAST_RUNS:
        return floor
    sd, df = max((run_sd, run_df), (wander_sd, max(run_df, wander_df)))
    return replace(floor, run_sd=sd, run_df=df)


def _stretches(whole: Side) -> list[Side]:
    """Each `STRETCH` trials in turn; what is left over at the end tells nothing."""
    ends = range(STRETCH, len(whole.logs) + 1, STRETCH)
    return [Side(whole.logs[end - STRETCH:end]) for end in ends]


def _beyond_trials(groups: Iterable[tuple[str, Sequence[Side]]]) -> tuple[float, int]:
    """The standard deviation between the means of equal sets of trials beyond what their trials explain, pooled over
    groups of such (one-way analysis of variance), and the degrees of freedom it is known with: the most of one cell."""
    between = explained = 0.0
    freedom: dict[str, int] = defaultdict(int)
    for cell, equal in groups:
        if len(equal) < 2:
            continue
        squares, df = _around_means(equal)
        between += float(np.var([one.mean for one in equal], ddof=1)) * (len(equal) - 1)
        explained += squares / df * float(np.mean([1 / one.kept for one in equal])) * (len(equal) - 1)
        freedom[cell] += len(equal) - 1
    df, pooled = max(freedom.values(), default=0), sum(freedom.values())
    if not df:
        return 0.0, 0
    return math.sqrt(max(0.0, _limit(between / pooled, df, 0.5) - explained / pooled)), df


def _around_means(sides: Iterable[Side]) -> tuple[float, int]:
    """The sum of squares of values around their side's mean, and its degrees of freedom."""
    used = [side for side in sides if side.kept > 1]
    return math.fsum(side.squares for side in used), sum(side.kept - 1 for side in used)


def _limit(variance: float, df: int, confidence: float) -> float:
    """The upper limit of the variance of what a sample's was estimated from."""
    return variance * df / chi_square_quantile(1 - confidence, df)


def _cells(medians: Iterable[TrialMedian], sessions: Iterable[SessionRecord],
           setups: Mapping[str, tuple[str, str]],
           measured: Mapping[tuple[str, str], tuple[object, ...]]) -> dict[tuple[str, str], list[_Cell]]:
    """All cells of all runs, by device and runtime."""
    systems = _systems(sessions)
    found: dict[tuple[str, str], list[_Cell]] = defaultdict(list)
    grouped = defaultdict(list)
    for trial in medians:
        grouped[trial.run, trial.cell].append(trial)
    for (run, cell), trials in grouped.items():
        first = trials[0]
        system, runtimes = systems.get((run, first.device), ("", {}))
        circumstances = (first.artifact, *setups[run], system, str(runtimes.get(first.runtime)),
                         measured.get((run, cell)))
        found[first.device, first.runtime].append(_cell(run, cell, circumstances, trials))
    return found


def _cell(run: str, cell: str, circumstances: tuple[object, ...], trials: Iterable[TrialMedian]) -> _Cell:
    ordered = sorted(trials, key=lambda trial: trial.number)
    odd = [trial.number % 2 == 1 for trial in ordered]
    logs = [math.log(max(trial.median_ns, 1.0)) for trial in ordered]
    sides = draw_in(*([log for log, of in zip(logs, odd, strict=True) if of is side] for side in (True, False)))
    left = {True: iter(sides[0].logs), False: iter(sides[1].logs)}
    whole = Side(tuple(next(left[of]) for of in odd), sides[0].drawn + sides[1].drawn)
    return _Cell(run, cell, circumstances, sides, whole)


def _systems(sessions: Iterable[SessionRecord]) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """Operating system and runtimes of each run's devices, as the last session of each told."""
    told = {}
    for session in sessions:
        phone = session.facts.get("android")
        parts = (*(session.facts.get(name) for name in ("os", "kernel", "power_mode", "soc", "cpu_flags")),
                 phone.get("fingerprint") if isinstance(phone, dict) else None)
        told[session.run, session.device] = (repr(parts), session.runtimes)
    return told
