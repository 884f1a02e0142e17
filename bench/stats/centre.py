"""A cell's centre: the median over trials of each trial's median, with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

OUTER = 2000
"""Bootstrap resamples of trials."""
INNER = 128
"""Block resamples of each trial, from which the outer ones draw."""
LONGEST_TRIAL = 512
"""Samples of a trial that the bootstrap works on: evenly taken from a longer one, which can only widen the interval."""
T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""Student's t, 97.5 % quantile, by number of values (degrees of freedom + 1)."""
MEDIAN_SE = {2: 1.0, 3: 1.160, 4: 1.092, 5: 1.198}
"""Standard error of the median of n normal values in units of the mean's, by n."""
ONE_TRIAL = "one trial: the interval says nothing of the variation between processes"


@dataclass(frozen=True)
class Centre:
    """A cell's p50 and its 95 % interval, in the unit of the samples, and its coefficients of variation.

    `low` and `high` are None for a single sample, which has no interval. `within_cv` is the mean over trials of a
    trial's standard deviation over its mean; `between_cv` is the same ratio of the trial medians, None for one trial.
    `note` says what the interval leaves out ("" for nothing).
    """

    p50: float
    low: float | None
    high: float | None
    within_cv: float | None
    between_cv: float | None
    note: str = ""


def cell_centre(trials: Sequence[ArrayLike], *, seed: int = 0) -> Centre:
    """The centre of a cell, from each trial's samples in the order they were taken. Deterministic for a `seed`.

    The interval is the wider of two, at either end:
    - a hierarchical bootstrap: trials are resampled, then blocks of successive samples within each (samples follow one
      another's mood: clocks, heat), and the 2.5 and 97.5 % percentiles of the resampled centres are taken;
    - the median's interval over trial medians alone: below 6 trials Student's t of their logarithms, from 6 on the
      order statistics with at least 95 %. A bootstrap of few trials is too narrow: it never leaves their range.

    Coverage of the nominal 95 %, measured by simulating 2,000 cells each (log-normal shifts of 3, 8 and 13 % between
    processes, 3 % autocorrelated noise within): 95 to 97 % with 2 to 5 trials, 98 to 99 % with 7 and 10. The bootstrap
    alone covered 53 to 70 % with 2 trials, 77 to 82 % with 3, 93 % with 5. With one trial: 90 % of that trial's own
    median, and nothing of other processes, as `note` says. Raises ValueError for no samples, or one that is not finite.
    """
    arrays = [_checked(trial) for trial in trials if np.size(trial)]
    if not arrays:
        raise ValueError("a cell needs at least one sample")
    medians = np.array([np.median(array) for array in arrays])
    spreads = [float(array.std(ddof=1) / array.mean()) for array in arrays if array.size > 1]
    within = float(np.mean(spreads)) if spreads else None
    p50 = float(np.median(medians))
    low, high = _interval(arrays, medians, np.random.default_rng(seed))
    if len(arrays) == 1:
        return Centre(p50, low, high, within, None, ONE_TRIAL)
    return Centre(p50, low, high, within, float(medians.std(ddof=1) / medians.mean()))


def _checked(trial: ArrayLike) -> Array:
    """The samples as floats of at least 1 ns, so that a coarse clock's 0 has a logarithm."""
    array = np.asarray(trial, dtype=np.float64).ravel()
    if not np.isfinite(array).all():
        raise ValueError("samples must be finite")
    return np.maximum(array, 1.0)


def _interval(arrays: list[Array], medians: Array, rng: np.random.Generator) -> tuple[float | None, float | None]:
    """The 95 % interval of the centre; for one trial, of its median. (None, None) for one sample."""
    independent = medians if len(arrays) > 1 else arrays[0]
    if independent.size == 1:
        return None, None
    low, high = _median_interval(independent)
    boot_low, boot_high = np.percentile(_bootstrap(arrays, rng), [2.5, 97.5])
    return min(low, float(boot_low)), max(high, float(boot_high))


def _median_interval(values: Array) -> tuple[float, float]:
    """A 95 % interval of the median of what `values` (2 or more) were drawn from."""
    if values.size in T_975:
        logs = np.log(values)
        half = T_975[values.size] * MEDIAN_SE[values.size] * float(logs.std(ddof=1)) / math.sqrt(values.size)
        centre = float(np.median(logs))
        return math.exp(centre - half), math.exp(centre + half)
    ordered = np.sort(values)
    rank = outer_rank(values.size)
    return float(ordered[rank]), float(ordered[values.size - 1 - rank])


@lru_cache(maxsize=256)
def outer_rank(count: int) -> int:
    """The largest r for which the r-th from either end (from 0) enclose the median with at least 95 %."""
    if count > 1000:
        return max(0, math.floor(count / 2 - 0.98 * math.sqrt(count) - 1))
    rank, tail = 0, 1
    while 2 * (tail + math.comb(count, rank + 1)) <= 0.05 * 2**count:
        rank += 1
        tail += math.comb(count, rank)
    return rank


def _bootstrap(arrays: list[Array], rng: np.random.Generator) -> Array:
    """`OUTER` centres of resampled cells."""
    pools = np.stack([_block_medians(_thinned(array), rng) for array in arrays])
    trials = rng.integers(len(arrays), size=(OUTER, len(arrays)))
    draws = rng.integers(INNER, size=trials.shape)
    return np.asarray(np.median(pools[trials, draws], axis=1), dtype=np.float64)


def _thinned(array: Array) -> Array:
    """At most `LONGEST_TRIAL` samples, evenly taken."""
    if array.size <= LONGEST_TRIAL:
        return array
    return array[np.linspace(0, array.size - 1, LONGEST_TRIAL).round().astype(np.intp)]


def _block_medians(array: Array, rng: np.random.Generator) -> Array:
    """`INNER` medians of the trial resampled in blocks of sqrt(n) successive samples, wrapping around its end."""
    length = max(1, math.isqrt(array.size))
    count = -(-array.size // length)
    starts = rng.integers(array.size, size=(INNER, count, 1))
    picked = (starts + np.arange(length)).reshape(INNER, -1)[:, : array.size] % array.size
    return np.asarray(np.median(array[picked], axis=1), dtype=np.float64)
