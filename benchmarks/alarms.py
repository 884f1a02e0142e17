"""Simulated verdicts: how often they are false on equal cells, find a true slowdown, and hold the truth within their
interval; and how often the rivals' rules do, on the same trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from bench.judge.types import NoiseFloor
from bench.judge.verdict import trials_needed
from benchmarks.figures import Aim, Figure, Rate, rate
from benchmarks.learning import learn
from benchmarks.noise_models import MODELS, Noise
from benchmarks.rivals import RULES
from benchmarks.trying import Case, Tally, try_all

TRIALS, CELLS = (5, 7, 10, 20), (1, 12, 48)
FALSE, FOUND, COVERED = Aim(most=1.0), Aim(least=90.0), Aim(93.0, 97.0)
"""In %, as all rates."""
SLOWER = 1.05
RUN_SD = 0.01
FLOORS = 20
"""Each is learnt anew: floors too are a matter of chance."""
MOST_TRIALS = 400
"""Of a side. Where more are asked for, the simulated slowdown is not looked for."""


def one_run(cells: int) -> tuple[tuple[Figure, ...], list[Tally]]:
    """Equal cells in one run, taken in turn, of about so many cells a case: false alarms and the interval's truth."""
    cases = [Case(noise, trials, width, max(1, cells // width), floors=floors, rivals=width == 1, seed=seed)
             for seed, ((noise, known), trials, width, use) in enumerate(product(
                 [(noise, floors_of(noise, 0, 0.0)) for noise in MODELS], TRIALS, CELLS, (False, True)))
             for floors in [known if use else ()]]
    tallies = try_all(cases)
    return (*_by("false alarms, one run", tallies, lambda case: case.noise.name, _false, FALSE),
            *_by("false alarms, one run, together", tallies, lambda case: _counted(case.cells), _false, FALSE),
            *_by("interval of the ratio, one run", tallies, _known, _covered, COVERED),
            *_by("interval of the ratio, no noise floor", [tally for tally in tallies if not tally.case.floors],
                 lambda case: case.noise.name, _covered, COVERED)), tallies


def two_runs(cells: int) -> tuple[tuple[Figure, ...], list[Tally]]:
    """Equal cells in two runs that differ by RUN_SD, of which nothing, or a noise run and so many nights, is known."""
    ways = [("nothing known", None), ("6 nights known", 6), ("16 nights known", 16)]
    cases, names = [], {}
    for seed, (noise, (name, nights), trials, width) in enumerate(product(MODELS, ways, (5, 10), (1, 12))):
        floors = () if nights is None else floors_of(noise, nights, RUN_SD)
        case = Case(noise, trials, width, max(1, cells // width), False, RUN_SD, floors=floors, rivals=width == 1,
                    seed=1000 + seed)
        names[case.seed] = name
        cases.append(case)
    tallies = try_all(cases)
    return tuple(figure for name, _ in ways
                 for figure in _by(f"false alarms, two runs, {name}",
                                   [tally for tally in tallies if names[tally.case.seed] == name],
                                   lambda case: "wandering" if case.noise.wander_sd else "all other noise", _false,
                                   FALSE)), tallies


def power(comparisons: int) -> tuple[tuple[Figure, ...], list[Tally], tuple[str, ...]]:
    """One cell truly slower by 5 % in one run, alone or among 12, with the trials that a learnt floor asks for."""
    cases, beyond = [], []
    for seed, (noise, width) in enumerate(product(MODELS, (1, 12))):
        asked = []
        for number, floor in enumerate(floors_of(noise, 0, 0.0)):
            needed = trials_needed(floor.trial_sd, effect=SLOWER - 1, cells=width)
            asked.append(needed)
            if needed is not None and needed <= MOST_TRIALS:
                cases.append(Case(noise, max(2, needed), width, max(1, comparisons // FLOORS), floors=(floor,),
                                  ratio=SLOWER, rivals=width == 1, seed=2000 + seed * FLOORS + number))
        if any(needed is None or needed > MOST_TRIALS for needed in asked):
            beyond.append(f"{noise.name}, {_counted(width)}: {sum(n is None or n > MOST_TRIALS for n in asked)} of "
                          f"{FLOORS} floors ask for more than {MOST_TRIALS} trials")
    tallies = try_all(cases)
    return (*_by("5 % slower found", tallies, lambda case: case.noise.name, _found, FOUND),), tallies, tuple(beyond)


def rivals(equal: Sequence[Tally], apart: Sequence[Tally], slower: Sequence[Tally]) -> tuple[Figure, ...]:
    """The rivals' rules beside the verdicts on the same trials, over all noise: the first cell of each comparison."""
    figures = []
    for title, calls, tallies in (("false alarms of single cells, one run", ("better", "worse"), equal),
                                  ("false alarms of single cells, two runs", ("better", "worse"), apart),
                                  ("5 % slower found, single cells", ("worse",), slower)):
        seen = [tally for tally in tallies if tally.rivals]
        figures.append(Figure(f"{title}: bench", rate([call in calls for tally in seen for call in tally.first]), " %",
                              1))
        for name in RULES:
            hits = [sum(tally.rivals[name][call] for call in calls) for tally in seen]
            figures.append(Figure(f"{title}: {name}", rate(hits, [tally.case.comparisons for tally in seen]), " %", 1))
    return tuple(figures)


def floors_of(noise: Noise, nights: int, run_sd: float) -> tuple[NoiseFloor, ...]:
    """FLOORS floors, each learnt from a noise run of its own."""
    rng = np.random.default_rng(nights)
    return tuple(learn(noise, rng, nights=nights, run_sd=run_sd) for _ in range(FLOORS))


def _by(title: str, tallies: Sequence[Tally], key: Callable[[Case], str], of: Callable[[Sequence[Tally]], Rate],
        aim: Aim) -> list[Figure]:
    """A figure for each kind of case, with its worst single case."""
    kinds: dict[str, list[Tally]] = {}
    for tally in tallies:
        kinds.setdefault(key(tally.case), []).append(tally)
    return [Figure(f"{title}: {kind}", of(group), " %", 2, aim, _extremes(group, of, aim))
            for kind, group in kinds.items()]


def _extremes(group: Sequence[Tally], of: Callable[[Sequence[Tally]], Rate], aim: Aim) -> str:
    """Of a kind's cases, those with the lowest and the highest share, as far as the aim asks for one."""
    ordered = sorted(group, key=lambda tally: of([tally]).median)
    ends = ([("lowest", ordered[0])] if aim.least > 0 else []) + ([("highest", ordered[-1])] if aim.most < 100 else [])
    return "; ".join(f"{end} {of([tally]).median:.1f} %: {_described(tally.case)}" for end, tally in ends)


def _described(case: Case) -> str:
    return f"{case.noise.name}, {case.trials} trials, {_counted(case.cells)}, {_known(case)}"


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _known(case: Case) -> str:
    return "noise floor known" if case.floors else "no noise floor"


def _false(tallies: Sequence[Tally]) -> Rate:
    return _pooled([tally.false_alarms for tally in tallies], tallies)


def _covered(tallies: Sequence[Tally]) -> Rate:
    return _pooled([tally.covered for tally in tallies], tallies)


def _found(tallies: Sequence[Tally]) -> Rate:
    return rate([call == "worse" for tally in tallies for call in tally.first])


def _pooled(hits: Sequence[ArrayLike], tallies: Sequence[Tally]) -> Rate:
    sizes = [np.full(len(tally.first), tally.case.cells) for tally in tallies]
    return rate(np.concatenate([np.asarray(found) for found in hits]), np.concatenate(sizes))
