"""How other tools judge the same trials: thresholds on medians, and rank tests over iterations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Call = Literal["better", "worse", "same"]
Rule = Callable[[Array, Array], Call]
"""From the samples of both sides, each of shape (trials, samples), before and after."""

NO_DIFFERENCE = 0.05
ASV_FACTOR = 1.1
ASV_P = 0.002


def threshold(limit: float) -> Rule:
    """A fixed limit (0.05: 5 %) on the ratio of the medians of all samples, as most scripts and CI actions have it."""
    def judge(before: Array, after: Array) -> Call:
        ratio = float(np.median(after) / np.median(before))
        return _call(ratio) if max(ratio, 1 / ratio) > 1 + limit else "same"
    return judge


def single_process(before: Array, after: Array) -> Call:
    """Mann-Whitney U over the iterations of a single process of each side, p < 0.05."""
    return _ranked(before[0], after[0], NO_DIFFERENCE)


def google_benchmark(before: Array, after: Array) -> Call:
    """google-benchmark's `compare.py`: two-tailed U test, alpha 0.05, over the repetitions, taken as trial medians.

    Its repetitions run in one process; a fresh process for each, as here, treats it kindly.
    """
    return _ranked(np.median(before, axis=1), np.median(after, axis=1), NO_DIFFERENCE)


def velocity(before: Array, after: Array) -> Call:
    """Airspeed Velocity's `compare` over all samples of all processes: the ratio beyond 1.1 either way, and different.

    Different is a U test with p < 0.002; only of too few samples for that (below 6 a side) it asks whether the medians'
    99 % intervals are disjoint (asv/statistics.py, is_different), which no trial here is short enough for.
    """
    one, other = before.ravel(), after.ravel()
    ratio = float(np.median(other) / np.median(one))
    beyond = max(ratio, 1 / ratio) > ASV_FACTOR
    return _call(ratio) if beyond and mann_whitney(one, other) < ASV_P else "same"


RULES: Mapping[str, Rule] = {
    "fixed 5 %": threshold(0.05), "fixed 10 %": threshold(0.1), "Mann-Whitney, single processes": single_process,
    "Airspeed Velocity": velocity, "google-benchmark": google_benchmark}


def mann_whitney(one: Array, other: Array) -> float:
    """Two-sided p of the Mann-Whitney U test: exact for up to 8 values a side without ties, else by the normal
    approximation with corrections for ties and continuity, as scipy.stats.mannwhitneyu does by default."""
    n, m = one.size, other.size
    values, inverse, counts = np.unique(np.concatenate((one, other)), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    largest = max(u, n * m - u)
    if values.size == n + m and min(n, m) <= 8:
        return _exact(n, m, largest)
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    sd = math.sqrt(n * m / 12 * (total + 1 - ties))
    return 1.0 if sd == 0 else min(1.0, math.erfc((largest - n * m / 2 - 0.5) / sd / math.sqrt(2)))


def _exact(n: int, m: int, u: float) -> float:
    """Two-sided p of U (the larger of the two) without ties, by counting all orders (Mann and Whitney 1947)."""
    ways = np.zeros(n * m + 1)
    ways[0] = 1
    for k in range(1, n + 1):
        # The generating function is the Gaussian binomial: times (1 - q^(m + k)), over (1 - q^k).
        ways[m + k:] -= ways[: ways.size - m - k].copy() if m + k < ways.size else 0
        for index in range(k, ways.size):
            ways[index] += ways[index - k]
    return min(1.0, 2 * float(ways[math.ceil(u):].sum() / ways.sum()))


def _ranked(before: Array, after: Array, level: float) -> Call:
    different = mann_whitney(before, after) < level
    return _call(float(np.median(after) / np.median(before))) if different else "same"


def _call(ratio: float) -> Call:
    return "worse" if ratio > 1 else "better" if ratio < 1 else "same"
