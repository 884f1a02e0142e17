"""How many trials a difference needs to be told, and how large one must be for the trials there are."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from bench.stats.ratio import LEAST_TURNS, Ratio, Spread
from bench.stats.student import NORMAL, chi_square_quantile, t_quantile

MOST_TRIALS = 10_000
"""Of each side. What needs more is said to be out of reach."""
STEPS = 20
"""Equally likely values of the estimated variance, over which the chance of a call is averaged."""


def power(trials: int, log: float, *, sd: float, bound: float, threshold: float, run_sd: float = 0.0) -> float:
    """The chance that a true log ratio `log` above 0 is called, with `trials` (2 or more) on each side.

    Called: the estimate is above `bound` and its two-sided p (`bench.stats.ratio`, with `sd` for the noise floor) at
    most `threshold`. `sd` is between trials and `run_sd` between equal runs, of logarithms, `run_sd` known exactly.
    With 0 both sides are taken in turn in one run; that turns share nothing is the worst case.
    """
    paired = run_sd == 0 and trials >= LEAST_TURNS
    spread = Spread(sd**2, sd**2, (trials, trials), 2 * run_sd**2, paired=paired)
    error, df = spread.error()
    if error == 0:
        return 1.0 if log > bound else 0.0
    # Estimated variances are never quite equal: Welch's df is n / (n + 1) of that on average (a ratio of chi-squares).
    critical = t_quantile(1 - threshold / 2, df if paired else _whole(df * trials / (trials + 1)))
    chances = []
    for scale in _scales(trials - 1, 0.0) if paired else _scales(2 * trials - 2, 1.0):
        estimated = math.sqrt(2 * sd**2 * scale / trials + 2 * run_sd**2)
        chances.append(NORMAL.cdf((log - max(bound, critical * estimated)) / error))
    return math.fsum(chances) / len(chances)


def trials_for(log: float, *, sd: float, bound: float, threshold: float, power_wanted: float,
               run_sd: float = 0.0) -> int | None:
    """The fewest trials of each side (2 or more) with which `power` is at least `power_wanted`.

    None where `MOST_TRIALS` do not suffice: the ratio lies within the bound, or `run_sd` alone hides it.
    """
    def enough(trials: int) -> bool:
        return power(trials, log, sd=sd, bound=bound, threshold=threshold, run_sd=run_sd) >= power_wanted

    needed = NORMAL.inv_cdf(power_wanted)
    reach = min((log - bound) / max(needed, 1e-9), log / (needed + NORMAL.inv_cdf(1 - threshold / 2)))
    variance = reach**2 - 2 * run_sd**2
    if reach <= 0 or variance <= 0:
        return None
    # With a known variance it would be this many; an estimated one needs a few more.
    start = max(2, math.floor(2 * sd**2 / variance))
    # Turns have fewer degrees of freedom: the power falls a little where they begin.
    few = _first(enough, start, LEAST_TURNS - 1) if start < LEAST_TURNS else None
    return few or _first(enough, max(start, LEAST_TURNS))


def log_for(trials: int, *, sd: float, bound: float, threshold: float, power_wanted: float,
            run_sd: float = 0.0) -> float:
    """The smallest true log ratio that `trials` (2 or more) on each side call with a chance of `power_wanted`."""
    low, high = bound, bound + 1e-6
    while power(trials, high, sd=sd, bound=bound, threshold=threshold, run_sd=run_sd) < power_wanted:
        low, high = high, bound + 2 * (high - bound)
    for _ in range(30):
        middle = (low + high) / 2
        if power(trials, middle, sd=sd, bound=bound, threshold=threshold, run_sd=run_sd) < power_wanted:
            low = middle
        else:
            high = middle
    return high


def further_trials(ratio: Ratio, *, bound: float, threshold: float, fewest: int = 0) -> int | None:
    """How many further trials of each side (`fewest` or more) settle what `ratio` leaves open, if its estimate and its
    variances stay as they are: p falls to `threshold` where the estimate is beyond `bound`, or its 95 % interval fits
    within `bound`. None where `MOST_TRIALS` do not.

    What fewer than `LEAST_TURNS` turns share is not known yet: of them it is planned as if sides stayed unpaired.
    """
    distance = abs(ratio.log)

    def settled(more: int) -> bool:
        if distance > bound:
            return _below(distance, ratio.strict.with_more(more), threshold)
        return _below(bound - distance, ratio.spread.with_more(more), 0.05)

    return _first(settled, max(1, fewest))


def _below(distance: float, spread: Spread, threshold: float) -> bool:
    """Whether `distance` is at least as many standard errors as `threshold` asks for."""
    error, df = spread.error()
    if distance < error * NORMAL.inv_cdf(1 - threshold / 2):
        return False
    return distance >= error * t_quantile(1 - threshold / 2, _whole(df))


def _whole(df: float) -> float:
    """Rounded down, so that quantiles are found again; inf from where that makes no difference."""
    return max(1, math.floor(df)) if df < MOST_TRIALS else math.inf


def _first(holds: Callable[[int], bool], start: int, most: int = MOST_TRIALS) -> int | None:
    """The first number from `start` to `most` for which `holds`, that being so of all above it."""
    low, high = start - 1, start
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(most, high + 2 * (high - low))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


@lru_cache(maxsize=1024)
def _scales(df: int, least: float) -> tuple[float, ...]:
    """Equally likely values of an estimated variance over the true one, at least `least`: 1 with a noise floor."""
    return tuple(max(least, chi_square_quantile((step + 0.5) / STEPS, df) / df) for step in range(STEPS))
