"""Values of two speeds: processes, or samples, that are either fast or slow with nothing in between."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST = 6
"""Values."""
LEAST_SHARE = 0.1
"""Of the rarer speed, and two values at least: fewer are outliers."""
APART = 4.0
"""How many standard deviations, of the values around their own speed, the two must be apart."""
SLACK = 0.86
"""See `two_speeds`."""


@dataclass(frozen=True)
class TwoSpeeds:
    """`ratio` is the slow speed's centre over the fast one's, above 1; `slow_share` how many values are slow."""

    ratio: float
    slow_share: float


def two_speeds(values: ArrayLike) -> TwoSpeeds | None:
    """The two speeds among values above 0 in the order they were taken (trial medians, samples); None where none show.

    Logarithms are split in two groups, each value by its size, so that the groups' means explain most of the variance
    (two-means, or Otsu's threshold). Of normal values that is a share of 2/pi and more by luck; the 99 % quantiles by
    simulation lie at 2/pi + `SLACK` / sqrt(n) or just below for 6 to 1,000 values. Two speeds explain more than that,
    are `APART`, and both frequent. n counts less where values resemble their neighbours: n (1 - r) / (1 + r) with r
    their autocorrelation; a step from one level to another within a trial is therefore no second speed.

    By simulation of 4,000 series of 6 to 1,000 log-normal values each, two speeds were seen in 0 to 0.7 % where there
    is one, 0 to 0.2 % with an autocorrelation of 0.6 or 0.9, but up to 3 % of 10 to 30 values that are strongly skewed.
    Half of the values 10 % slower, with noise of 2 %, are found in 7 % of 7 values, 25 % of 10, 74 % of 20 and 94 % of
    30; 20 % slower in 48, 82, 99 and 100 %. Few trials tell little of this.
    Raises ValueError for a value that is not above 0 and finite.
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if not (np.isfinite(array) & (array > 0)).all():
        raise ValueError("speeds must be above 0 and finite")
    logs = np.log(array)
    if logs.size < FEWEST or np.ptp(logs) < 1e-9:
        return None
    count = _independent(logs)
    explained, split = _best_split(np.sort(logs))
    share = 1 - split / logs.size
    apart = math.inf if explained >= 1 else math.sqrt(explained / (1 - explained) / (share * (1 - share)))
    if count < FEWEST or explained < 2 / math.pi + SLACK / math.sqrt(count) or apart < APART:
        return None
    ordered = np.sort(array)
    return TwoSpeeds(float(np.median(ordered[split:]) / np.median(ordered[:split])), share)


def _best_split(ordered: NDArray[np.float64]) -> tuple[float, int]:
    """The largest share of the variance that two groups explain, and how many values the lower group has."""
    centred = ordered - ordered.mean()
    lower = np.arange(1, ordered.size)
    between = np.cumsum(centred)[:-1] ** 2 * (1 / lower + 1 / (ordered.size - lower))
    fewest = max(2, math.ceil(LEAST_SHARE * ordered.size))
    place = fewest - 1 + int(np.argmax(between[fewest - 1 : ordered.size - fewest]))
    return float(between[place] / (centred**2).sum()), place + 1


def _independent(logs: NDArray[np.float64]) -> float:
    """How many independent values tell as much."""
    centred = logs - logs.mean()
    likeness = max(0.0, float((centred[1:] * centred[:-1]).sum() / (centred**2).sum()))
    return logs.size * (1 - likeness) / (1 + likeness)
