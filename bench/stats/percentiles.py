"""Percentiles: one definition everywhere.

Linear interpolation between the two nearest order statistics, at position q / 100 * (n - 1) of the sorted values
(Hyndman and Fan's type 7, numpy's default), medians included.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike


def percentile(values: ArrayLike, q: float) -> float:
    """The q-th percentile (0 to 100) of `values`, by linear interpolation. Raises ValueError for none or for NaN."""
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError("a percentile needs at least one value, all of them finite")
    return float(np.percentile(array, q))


@lru_cache(maxsize=32)
def minimum_count(q: float) -> int:
    """How many samples the q-th percentile (50 < q < 100) needs: 64 for p90, 662 for p99.

    The bound of MLPerf loadgen's early stopping: with fewer, even if at most one sample lies above a limit, one cannot
    be 99 % sure that the true percentile is below it. The smallest n with P(Binomial(n, 1 - q/100) <= 1) <= 0.01.
    """
    if not 50 < q < 100:
        raise ValueError(f"no minimum count for percentile {q}: it must be above 50 and below 100")
    below = q / 100
    count = 2
    while below**count + count * (1 - below) * below ** (count - 1) > 0.01:
        count += 1
    return count


def percentile_or_none(values: ArrayLike, q: float) -> float | None:
    """The q-th percentile, or None where `values` are fewer than `minimum_count(q)`."""
    array = np.asarray(values, dtype=np.float64).ravel()
    return percentile(array, q) if array.size >= minimum_count(q) else None
