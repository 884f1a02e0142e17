"""How often the 95 % interval of a cell's p50 holds the true one: simulated cells."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import product

import numpy as np

from bench import stats
from benchmarks.figures import Aim, Figure, Rate, rate
from benchmarks.noise_models import MODELS, Noise, centre_of, draw

COVERED = Aim(93.0, 97.0)
TRIALS = (3, 5, 7, 10, 20)

Setting = tuple[Noise, int, int]
"""Noise, trials, cells."""


def measure_coverage(cells: int) -> tuple[Figure, ...]:
    """A figure for each number of trials and for each noise, over so many cells of either."""
    settings: list[Setting] = [(noise, trials, cells) for noise, trials in product(MODELS, TRIALS)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        held = dict(zip(settings, pool.map(covered, settings), strict=True))
    steady = [setting for setting in settings if not setting[0].wander_sd]
    return (*(Figure(f"interval of p50: {trials} trials", _pooled([held[one] for one in steady if one[1] == trials]),
                     " %", 1, COVERED) for trials in TRIALS),
            *(Figure(f"interval of p50: {noise.name}", _pooled([held[one] for one in settings if one[0] == noise]),
                     " %", 1, None if noise.wander_sd else COVERED,
                     "by trials: " + ", ".join(f"{one[1]}: {100 * np.mean(held[one]):.1f}" for one in settings
                                               if one[0] == noise)) for noise in MODELS))


def covered(setting: Setting) -> list[bool]:
    """Of so many cells, each in a run of its own, whether the interval holds the true p50."""
    noise, trials, cells = setting
    truth = _truth(noise)
    rng = np.random.default_rng([trials, MODELS.index(noise)])
    taken = draw(noise, rng, cells, 1, trials, same_run=False)[:, 0, 0]
    centres = [stats.cell_centre(list(cell)) for cell in taken]
    return [centre.low is not None and centre.high is not None and centre.low <= truth <= centre.high
            for centre in centres]


@lru_cache
def _truth(noise: Noise) -> float:
    return centre_of(noise, np.random.default_rng(0))


def _pooled(held: list[list[bool]]) -> Rate:
    return rate(np.concatenate([np.asarray(one) for one in held]))
