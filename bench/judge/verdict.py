"""Whether one set of trials is better or worse than another, the same, or whether one cannot tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.judge.types import Call, Pair, Verdict
from bench.judge.wording import Finding, reason
from bench.stats.multiple import benjamini_hochberg, next_threshold
from bench.stats.planning import further_trials, trials_for
from bench.stats.ratio import Ratio, compare_medians, sides_of

MARGIN = 0.03
"""The share by which one side must be beyond the other to be called better or worse."""
LEVEL = 0.005
"""The false discovery rate. Where nothing changed it is the chance of any false call in the whole comparison. Half of
the 1 % that is promised: of a single cell's test the nominal rate is the true one, and nothing of it would be left."""
ORDER_LEVEL = 0.01
"""How unlikely the order of the trials alone must be able to be, where no noise floor is known: 5 of each side can."""
RUN_SD_UNKNOWN = 0.02
"""Taken for `NoiseFloor.run_sd` where it is not known. Of pairs of real runs of 5 to 10 trials of equal cells, on a
shared machine whose speed wanders over tens of seconds, 8 to 10 % were called different with 0.005, 1.2 to 2.3 % with
0.01, none with 0.015 and with 0.02 (0.9 to 1.3 % once one of the runs had met other work). A guess, and said to be one
in every verdict that rests on it."""
METHOD = (
    "the ratio is that of the geometric means of the trials' medians, those far off all others drawn in, with a 95 % "
    "interval by Welch's t on their logarithms that counts what equal trials and equal runs are known to differ by "
    "(of 8 or more trials of each side taken in turn: by Student's t on the differences of turns); "
    "better and worse are beyond the margin with p at most the level, adjusted by Benjamini and Hochberg over all "
    "cells compared; same has its whole interval within the margin; all else cannot be told")


@dataclass(frozen=True)
class _Found:
    """What is known of a pair before it is called. `ratio` is None where one side has a single trial."""

    pair: Pair
    log: float
    bound: float
    ratio: Ratio | None


def judge(pairs: Sequence[Pair], *, margin: float = MARGIN, least: float = 0.0,
          level: float = LEVEL) -> tuple[Verdict, ...]:
    """What can be said of each pair's after against its before, all pairs judged together, in their order.

    - worse: p, adjusted by Benjamini and Hochberg over all pairs of the call, is at most `level`, and the ratio is
      above 1 + `margin`, and the centres differ by more than `least` (in the values' unit). better: its mirror image.
    - same: the whole 95 % interval lies within the margin, or its centres within `least`: also where the difference,
      small as it is, is certain. Intervals are of each pair alone, not adjusted.
    - else cannot tell, and `more_trials` says what would settle it.

    Where no noise floor is known, so few trials that their order alone cannot be as unlikely as `ORDER_LEVEL` (4 of
    each side) are never called better or worse: processes of two speeds would look like a change. Swapping the sides
    mirrors the verdict; the order of trials does not matter, but for turns: those that both
    sides share stay together. The estimate and its error are those of
    `bench.stats.ratio`. Raises ValueError for a pair without values, or with one that is not above 0.
    """
    found = [_find(pair, margin, least) for pair in pairs]
    tested = [one.ratio.p for one in found if one.ratio]
    adjusted = iter(benjamini_hochberg(tested))
    threshold = next_threshold(tested, level)
    return tuple(_verdict(one, next(adjusted) if one.ratio else None, threshold, level, margin, len(tested))
                 for one in found)


def trials_needed(sd: float, *, effect: float, margin: float = MARGIN, cells: int = 1, power: float = 0.9,
                  level: float = LEVEL, run_sd: float = 0.0) -> int | None:
    """How many trials of each side find a true `effect` (0.05: 5 % more) with a chance of at least `power`.

    Found: called worse by `judge`, by p and by the margin both. `sd` is between trials (`NoiseFloor.trial_sd`),
    `run_sd` between equal runs, taken as known exactly (0: both sides are taken in turn within one run; that turns
    share nothing is the worst case). Among `cells` judged together it is taken to be the only one that changed: its p
    must stay below `level` / `cells`, Benjamini and Hochberg's first threshold.
    None where no number of trials would do: `effect` lies within the margin, or `run_sd` hides it.
    """
    return trials_for(math.log1p(effect), sd=sd, bound=math.log1p(margin), threshold=level / max(1, cells),
                      power_wanted=power, run_sd=run_sd)


def _find(pair: Pair, margin: float, least: float) -> _Found:
    centres = [side.mean for side in sides_of(pair.before, pair.after)]
    # The difference of centres is 2 c sinh(log / 2), c their geometric mean: one bound for margin and `least`.
    log, middle = centres[1] - centres[0], math.exp(math.fsum(centres) / 2)
    bound = max(math.log1p(margin), 2 * math.asinh(least / (2 * middle)))
    if min(len(pair.before), len(pair.after)) < 2:
        return _Found(pair, log, bound, None)
    run_sd, run_df = _between_runs(pair)
    floor_sd = pair.floor.trial_sd if pair.floor else 0.0
    return _Found(pair, log, bound, compare_medians(pair.before, pair.after, floor_sd=floor_sd, run_sd=run_sd,
                                                    run_df=run_df, in_turn=pair.in_turn))


def _between_runs(pair: Pair) -> tuple[float, float]:
    """The standard deviation between equal runs that lies between the sides, and its degrees of freedom."""
    if pair.same_run:
        return 0.0, math.inf
    if pair.floor is None or pair.floor.run_sd is None:
        return _assumed(pair), math.inf
    return pair.floor.run_sd, max(1, pair.floor.run_df or pair.floor.runs - 1)


def _assumed(pair: Pair) -> float:
    """The standard deviation between equal runs where too few are known."""
    return RUN_SD_UNKNOWN if pair.floor is None else max(RUN_SD_UNKNOWN, pair.floor.wander_sd)


def _verdict(found: _Found, p: float | None, threshold: float, level: float, margin: float, cells: int) -> Verdict:
    pair, ratio = found.pair, found.ratio
    fewest = _missing(pair)
    call = _call(found, p, level, fewest)
    more = _more(found, threshold, fewest) if call == "cannot tell" else None
    seconds = None if more is None or pair.trial_seconds is None else 2 * more * pair.trial_seconds
    words = reason(Finding(pair, call, found.log, found.bound, ratio, p, level, margin, cells, fewest, more, seconds,
                           _assumed(pair)))
    if ratio is None:
        return Verdict(call, math.exp(found.log), None, None, None, None, words, more, seconds)
    effect = ratio.log / ratio.sd if ratio.sd else None
    return Verdict(call, math.exp(ratio.log), math.exp(ratio.low), math.exp(ratio.high), p, effect, words, more,
                   seconds)


def _call(found: _Found, p: float | None, level: float, missing: int) -> Call:
    ratio, bound = found.ratio, found.bound
    if ratio is None or p is None:
        return "cannot tell"
    if p <= level and abs(ratio.log) > bound and not missing:
        return "worse" if ratio.log > 0 else "better"
    return "same" if -bound <= ratio.low and ratio.high <= bound else "cannot tell"


def _missing(pair: Pair) -> int:
    """How many trials each side lacks for its order to be unlikely enough by itself; 0 where a floor is known.

    Of n and m equal trials all of one side lie above the other's, either way, once in C(n + m, n) / 2.
    """
    before, after = len(pair.before), len(pair.after)
    missing = 0
    known = pair.floor is not None and pair.floor.known
    while not known and ORDER_LEVEL * math.comb(before + after + 2 * missing, before + missing) < 2:
        missing += 1
    return missing


def _more(found: _Found, threshold: float, missing: int) -> int | None:
    """How many further trials of each side would settle it, None where none would."""
    pair = found.pair
    if found.ratio is not None:
        return further_trials(found.ratio, bound=found.bound, threshold=threshold, fewest=missing)
    return max(missing, 2 - min(len(pair.before), len(pair.after)))
