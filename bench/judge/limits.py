"""Whether a measured value keeps within a limit: its 95 % interval lies below it, beyond it, or across it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.stats.student import t_quantile

MOST_MORE: Final = 1000
"""Trials; what would need more is settled by another limit, not by measuring."""
_LEVEL: Final = 0.975
"""Of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval (None where one trial tells nothing of it). `sd` is the standard deviation of
    the logarithms of its `trials`."""

    value: float
    low: float | None
    high: float | None
    sd: float
    trials: int


def interval_of(values: Sequence[float]) -> Interval:
    """The geometric mean of trials' values, all above 0, with Student's interval of their logarithms.

    Between processes it is factors that vary, so logarithms are nearer to normal than the values are.
    """
    logs = [math.log(value) for value in values]
    count = len(logs)
    mean = math.fsum(logs) / count
    sd = _deviation(logs)
    if count < 2:
        return Interval(math.exp(mean), None, None, sd, count)
    half = t_quantile(_LEVEL, count - 1) * sd / math.sqrt(count)
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half), sd, count)


def with_interval(value: float, low: float | None, high: float | None, values: Sequence[float]) -> Interval:
    """A value whose interval is known already, from trials with these values.

    Of a single trial it would tell of the spread within a process, which is not what processes differ by: it is None.
    """
    several = len(values) > 1
    sd = _deviation([math.log(each) for each in values])
    return Interval(value, low if several else None, high if several else None, sd, len(values))


def within(found: Interval, limit: float) -> Literal["kept", "broken", "inconclusive"]:
    """Kept when the whole interval is at most the limit, broken when all of it is above, else not told."""
    if found.low is None or found.high is None:
        return "inconclusive"
    return "kept" if found.high <= limit else "broken" if found.low > limit else "inconclusive"


def more_trials(found: Interval, limit: float) -> int | None:
    """How many further trials would narrow the interval to one side of the limit; None where at most `MOST_MORE`
    would not, or where one trial tells nothing of their spread."""
    distance = abs(math.log(limit / found.value))
    if found.trials < 2 or distance == 0:
        return None
    count = found.trials + 1
    while count <= found.trials + MOST_MORE:
        if t_quantile(_LEVEL, count - 1) * found.sd / math.sqrt(count) <= distance:
            return count - found.trials
        count += 1
    return None


def _deviation(logs: Sequence[float]) -> float:
    """The sample's standard deviation, 0 of a single value."""
    if len(logs) < 2:
        return 0.0
    mean = math.fsum(logs) / len(logs)
    return math.sqrt(math.fsum((each - mean) ** 2 for each in logs) / (len(logs) - 1))
