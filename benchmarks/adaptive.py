"""Adaptive measuring against fixed counts: simulated runs of quiet and noisy cells, in trials."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.run.schedule import Goal, Progress, next_round
from benchmarks.figures import Aim, Figure, rate, spread
from benchmarks.noise_models import CENTRE_MS, Array, Noise, draw

CELL_SDS = (0.005, 0.005, 0.01, 0.01, 0.02, 0.02, 0.03, 0.05)
"""Between processes, of a run's cells: quiet ones and noisy ones, as runtimes on one device differ."""
LEAST, MOST = 5, 40
UNTIL = 0.02
LESS, COVERED = Aim(most=1.0), Aim(93.0, 97.0)


@dataclass(frozen=True)
class Effort:
    """What one run took. `fixed` is the smallest count that, given to all cells alike, makes every interval narrow
    enough that adaptive measuring made so, known only afterwards; both in trials of the whole run.

    `covered` of the `cells` have their true p50 within the interval at which measuring stopped; `narrow` are those
    that became narrow enough.
    """

    adaptive: int
    fixed: int
    cells: int
    narrow: int
    covered: int


def measure_adaptive(runs: int) -> tuple[Figure, ...]:
    """So many simulated runs: trials taken against the fixed count, and what the intervals at the end are worth."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        efforts = list(pool.map(simulate, range(runs), chunksize=4))
    cells = [effort.cells for effort in efforts]
    kinds = ", ".join(f"{100 * sd:g}" for sd in CELL_SDS)
    return (
        Figure("trials of an adaptive run over those of a fixed count",
               spread([effort.adaptive / effort.fixed for effort in efforts]), "", 2, LESS,
               f"until {100 * UNTIL:g} %, {LEAST} to {MOST} trials; cells of {kinds} %"),
        Figure("cells narrow enough when adaptive measuring ended", rate([effort.narrow for effort in efforts], cells),
               " %", 1),
        Figure("interval of p50, measured adaptively", rate([effort.covered for effort in efforts], cells), " %", 1,
               COVERED))


def simulate(seed: int, until: float = UNTIL) -> Effort:
    """One run of cells with CELL_SDS, each within LEAST and MOST trials."""
    rng = np.random.default_rng(seed)
    streams = {f"cell {number}": _medians(sd, rng) for number, sd in enumerate(CELL_SDS)}
    taken = dict.fromkeys(streams, LEAST)
    goal, going = Goal(until, MOST), set(streams)
    while going:
        turn = next_round({name: _progress(streams[name], taken[name]) for name in sorted(going)}, goal, None)
        going -= set(turn.closed)
        for name in turn.cells:
            taken[name] += 1
    found = {name: _centre(streams[name][:count]) for name, count in taken.items()}
    narrow = [name for name, (low, high) in found.items() if (high - low) / 2 <= until * np.median(
        streams[name][:taken[name]])]
    fixed = max(_needed(streams[name], until) for name in streams)
    return Effort(sum(taken.values()), fixed * len(streams), len(streams), len(narrow),
                  sum(low <= CENTRE_MS <= high for low, high in found.values()))


def _medians(sd: float, rng: np.random.Generator) -> Array:
    """Medians in ms of one cell's trials, as many as there may be."""
    return np.asarray(np.median(draw(Noise("", (sd,)), rng, 1, 1, MOST)[0, 0, 0], axis=-1), dtype=np.float64)


def _progress(stream: Array, count: int) -> Progress:
    return Progress(tuple(stream[:count].tolist()), 1.0, count)


def _centre(medians: Array) -> tuple[float, float]:
    centre = stats.cell_centre([[median] for median in medians])
    assert centre.low is not None and centre.high is not None
    return centre.low, centre.high


def _needed(stream: Array, until: float) -> int:
    """The smallest count of trials whose interval is narrow enough, at most MOST."""
    for count in range(LEAST, MOST):
        low, high = _centre(stream[:count])
        if (high - low) / 2 <= until * float(np.median(stream[:count])):
            return count
    return MOST
