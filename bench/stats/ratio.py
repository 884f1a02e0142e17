"""The ratio of two sets of trial medians, with its standard error: on logarithms, by Student's t.

Of trials taken in turn, `LEAST_TURNS` or more, it is turns that are compared: what the device does meanwhile (a drift,
other work) meets both trials of a turn, and says nothing of their difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.stats.drawing_in import Side, draw_in
from bench.stats.student import chi_square_quantile, t_quantile, two_sided

UNLIKELY = 0.05
"""The interval takes the trials' variance as it is unless less than this share of samples from the noise floor had as
little."""
LEAST_TURNS = 8
"""Of fewer, the differences of turns know their own variance too badly: half the degrees of freedom of two sides. A
fixed number, as the smaller of two errors would be too small too often."""


@dataclass(frozen=True)
class Spread:
    """What the error of a log ratio comes from: the variance of either side's logarithms, of how many trials, and the
    variance between two runs beyond that, known with `run_df` degrees of freedom.

    `paired`: it is the differences of turns that have the sum of both variances, and `counts` are turns."""

    before: float
    after: float
    counts: tuple[int, int]
    run: float = 0.0
    run_df: float = math.inf
    paired: bool = False

    @property
    def pooled(self) -> float:
        """The variance between trials, either side weighing the same."""
        return (self.before + self.after) / 2

    def raised(self, least: float) -> Spread:
        """With a variance of `least` on both sides where the pooled one is below that."""
        return self if self.pooled >= least else replace(self, before=least, after=least)

    def with_more(self, trials: int) -> Spread:
        """With so many further trials on each side."""
        return replace(self, counts=(self.counts[0] + trials, self.counts[1] + trials))

    def error(self) -> tuple[float, float]:
        """Standard error of the log ratio and its degrees of freedom, by Welch and Satterthwaite; where paired one less
        than there are turns.

        Two trials or more on each side.
        """
        a, b = self.before / self.counts[0], self.after / self.counts[1]
        if self.paired:
            return math.sqrt(a + b), self.counts[0] - 1
        variance = a + b + self.run
        if variance == 0:
            return 0.0, sum(self.counts) - 2
        # As shares, so that the squares of tiny variances do not vanish.
        share = (a / variance) ** 2 / (self.counts[0] - 1) + (b / variance) ** 2 / (self.counts[1] - 1)
        share += (self.run / variance) ** 2 / self.run_df
        return math.sqrt(variance), 1 / share if share else math.inf


@dataclass(frozen=True)
class Ratio:
    """After over before, as a natural logarithm. `low` to `high` is its 95 % interval, `p` the two-sided probability of
    one so far from 0 between equal cells, `sd` the standard deviation between trials, all of logarithms.

    `spread` is what the interval is made from, `strict` what `p` is. `drawn` trials were far off all others.
    """

    log: float
    low: float
    high: float
    p: float
    sd: float
    spread: Spread
    strict: Spread
    drawn: int = 0


def sides_of(before: Sequence[float], after: Sequence[float]) -> tuple[Side, Side]:
    """The logarithms of both sides' values, those far off all others drawn in.

    Raises ValueError for no values, or one that is not above 0.
    """
    for values in (before, after):
        if not values or not all(0 < value < math.inf for value in values):
            raise ValueError("a ratio needs values on both sides, all of them above 0 and finite")
    return draw_in(tuple(map(math.log, before)), tuple(map(math.log, after)))


def log_ratio(before: Sequence[float], after: Sequence[float]) -> float:
    """The difference of the means of logarithms, as `sides_of` has them. Raises ValueError as that does.

    Not of medians: among trials of two speeds a median leaps from one to the other, and at log-normal noise it needs
    1.6 times as many trials for the same error.
    """
    sides = sides_of(before, after)
    return sides[1].mean - sides[0].mean


def compare_medians(before: Sequence[float], after: Sequence[float], *, floor_sd: float = 0.0, run_sd: float = 0.0,
                    run_df: float = math.inf, in_turn: bool = False) -> Ratio:
    """The ratio of two sets of trial medians, two or more each: Welch's t on their logarithms, of those far off all
    others (`bench.stats.drawing_in`) with Yuen's error: squares and counts are of the trials that were not.

    `in_turn`: trial i of either side was taken in turn i of one run (`run_sd` 0). Of as many on both sides,
    `LEAST_TURNS` or more, it is Student's t of the turns' differences, once trials far off are drawn in; turns with one
    of them are not counted. `floor_sd` is left out then: it holds what turns share too, and 7 degrees of freedom or
    more tell enough of their own. Of 2,000 simulated pairs of each kind of noise and 8, 10 and 20 turns, at most 0.8 %
    of equal cells came below p = 0.005 and beyond 3 %. Where the device wanders by 5 % or drifts by 10 % the interval
    is 0.65 to 0.8 times as wide as Welch's and covers 93 to 96 % instead of 99 %, and 10 turns find 5 % more in 54 and
    78 % instead of 30 and 43 % (with a known floor 6 and 21 %). Where turns share nothing it is 1.02 (20 turns) to
    1.07 times (8) as wide.

    `floor_sd` is the known standard deviation between trials of equal cells (0 where it is not known): a few trials may
    by luck all be of one mood, and claim more than they know. `p` takes the variance between trials as at least
    `floor_sd`^2. The interval takes it as at least the `UNLIKELY` quantile of what so many trials of that floor show.
    So its nominal 95 % covered 97.3, 96.6, 96.3 and 95.9 % of simulated log-normal pairs of 2, 3, 5 and 7 trials (99 %
    of cells half as noisy as the floor, 95 to 98 % of those twice as noisy); at least the whole floor, 98 to 100 %.

    `run_sd` is what the centres of equal runs differ by beyond that (known with `run_df` degrees of freedom; 0 where
    both sides were taken in turn in one run). Raises ValueError as `log_ratio` does, and for fewer values.
    """
    if min(len(before), len(after)) < 2:
        raise ValueError("the error of a ratio needs two values on each side")
    first, second = sides_of(before, after)
    log = second.mean - first.mean
    drawn = first.drawn + second.drawn
    if in_turn and len(before) == len(after) >= LEAST_TURNS:
        paired = _paired(before, after, first, second)
        return Ratio(log, *interval(log, paired), probability(log, paired), math.sqrt(paired.pooled), paired, paired,
                     drawn)
    own = Spread(_variance(first), _variance(second), (first.kept, second.kept), 2 * run_sd**2, run_df)
    df = sum(own.counts) - 2
    spread = own.raised(floor_sd**2 * chi_square_quantile(UNLIKELY, df) / df)
    strict = own.raised(floor_sd**2)
    return Ratio(log, *interval(log, spread), probability(log, strict), math.sqrt(spread.pooled), spread, strict, drawn)


def interval(log: float, spread: Spread) -> tuple[float, float]:
    """The 95 % interval of a log ratio."""
    error, df = spread.error()
    half = t_quantile(0.975, df) * error
    return log - half, log + half


def probability(log: float, spread: Spread) -> float:
    """The two-sided probability of a log ratio so far from 0 between equal cells."""
    error, df = spread.error()
    if error == 0:
        return 0.0 if log else 1.0
    return two_sided(log / error, df)


def _variance(side: Side) -> float:
    return side.squares / (side.kept - 1)


def _paired(before: Sequence[float], after: Sequence[float], first: Side, second: Side) -> Spread:
    """The variance of the differences of turns, half of it to either side; counts are turns with no trial drawn in."""
    differences = [b - a for a, b in zip(first.logs, second.logs, strict=True)]
    mean = math.fsum(differences) / len(differences)
    kept = sum(math.log(old) == a and math.log(new) == b
               for old, new, a, b in zip(before, after, first.logs, second.logs, strict=True))
    half = math.fsum((difference - mean) ** 2 for difference in differences) / (kept - 1) / 2
    return Spread(half, half, (kept, kept), paired=True)
