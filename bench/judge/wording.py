"""Why a pair was called what it was, in a sentence for readers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.judge.types import Call, Pair
from bench.stats.ratio import Ratio
from bench.units import duration, percent


@dataclass(frozen=True)
class Finding:
    """What a verdict rests on. `log` is the log ratio and `bound` what it must be beyond; `p` is adjusted, over
    `cells`; `missing` trials are lacking for any call, `more` would settle it; `assumed` is the standard deviation
    between runs where it is not known."""

    pair: Pair
    call: Call
    log: float
    bound: float
    ratio: Ratio | None
    p: float | None
    level: float
    margin: float
    cells: int
    missing: int
    more: int | None
    more_seconds: float | None
    assumed: float


def reason(found: Finding) -> str:
    """The sentence: how much, what that is held against, and what would settle a "cannot tell"."""
    if found.ratio is None:
        return _single(found)
    return _plain(found, found.ratio) + _drawn(found, found.ratio) + _assumed(found)


def _drawn(found: Finding, ratio: Ratio) -> str:
    if not ratio.drawn:
        return ""
    trials, verb = len(found.pair.before) + len(found.pair.after), "is" if ratio.drawn == 1 else "are"
    return f"; {ratio.drawn} of {trials} trials {verb} far off the others and {verb} drawn in"


def _assumed(found: Finding) -> str:
    floor = found.pair.floor
    if found.pair.same_run or (floor and floor.run_sd is not None):
        return ""
    return (f"; how far two runs differ by chance is not known here and taken as {percent(found.assumed)}: "
            "`bench noise` and more nights will tell")


def _single(found: Finding) -> str:
    return f"one trial says nothing of the variation between processes; {_open(found)}"


def _plain(found: Finding, ratio: Ratio) -> str:
    size, limit = _size(ratio), _limit(found)
    if found.call in ("better", "worse"):
        return f"{size}, beyond {limit}"
    if found.call == "same":
        return f"{size}, all within {limit}"
    if abs(ratio.log) <= found.bound:
        return f"{size}, which may be beyond {limit} or not; {_open(found)}"
    if found.missing:
        before, after = len(found.pair.before), len(found.pair.after)
        return (f"{size}, but {before} against {after} trials without a known noise floor could differ so by chance; "
                f"{_open(found)}")
    if found.p is not None and ratio.p <= found.level < found.p:
        return (f"{size}, but among {found.cells} cells a difference like this arises by chance; "
                f"{_open(found)}")
    if ratio.spread != ratio.strict and not ratio.low <= 0 <= ratio.high:
        usual = percent(math.sqrt(ratio.strict.pooled))
        return f"{size}, but equal trials are known to differ more here, by {usual}; {_open(found)}"
    return f"{size}, which may be chance; {_open(found)}"


def _open(found: Finding) -> str:
    """What would settle it, or why nothing would."""
    if found.more is not None:
        time = "" if found.more_seconds is None else f", {duration(found.more_seconds)}"
        return f"about {found.more} more trial{'' if found.more == 1 else 's'} each would tell{time}"
    if found.ratio is not None and found.ratio.spread.run > 0:
        runs = percent(math.sqrt(found.ratio.spread.run))
        return f"no number of trials would tell: two runs differ by {runs} by chance"
    return "no number of trials within reach would tell: the estimate lies at the margin"


def _limit(found: Finding) -> str:
    if found.bound > math.log1p(found.margin) * (1 + 1e-9):
        return "the smallest difference that counts"
    return f"the margin of {100 * found.margin:.3g} %"


def _size(ratio: Ratio) -> str:
    """5.0 % more (3.8 to 6.2 % more); from twice as much on in times."""
    if ratio.log >= math.log(2):
        low, middle, high = (f"{math.exp(log):.2f}" for log in (ratio.low, ratio.log, ratio.high))
        return f"{middle} times as much ({low} to {high} times)"
    low, high = _share(ratio.low), _share(ratio.high)
    if ratio.low >= 0:
        low = low.removesuffix(" % more")
    elif ratio.high <= 0:
        low, high = high.removesuffix(" % less"), low
    return f"{_share(ratio.log)} ({low} to {high})"


def _share(log: float) -> str:
    """1.052 -> 5.2 % more, 0.95 -> 5.0 % less."""
    return f"{percent(abs(math.expm1(log)))} {'less' if log < 0 else 'more'}"
