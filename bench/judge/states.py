"""What a series' levels say of its newest point: new, sustained, recovered, improved, flaky, steady, short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.types import State, Verdict
from bench.stats.changes import LEAST_NOISE
from bench.words import counted

LEAST_POINTS: Final = 5
"""Runs without which a series is "short"."""
RECENT: Final = 20
"""Runs over which a series can be "flaky", and for which it stays "improved" or "recovered"."""
TURNS: Final = 3
"""Changes to and fro, or runs off their level, among the recent ones that make a series "flaky"."""
FAR: Final = 5.0
"""Standard deviations off its level that no run of a steady cell is, or hardly ever."""
MARGIN: Final = math.log(1.03)
"""Levels that differ by less are one."""


def find_outliers(logs: NDArray[np.float64], starts: Sequence[int], noise: float) -> list[int]:
    """The places of single runs that lie off their level by more than the margin and `FAR` standard deviations; none of
    a series too short to have a level.

    The standard deviation is `noise`, that between equal runs, or by the median absolute distance from the levels where
    that is less: a run or two far off are in the one and not in the other. The latter is widened by 1 + 10 / n: of 5
    equal runs the newest is then called an outlier in 0.3 % of cases, of 10 in 0.01 %.
    """
    if len(logs) < LEAST_POINTS:
        return []
    away = np.abs(logs - _level_of_each(logs, starts))
    usual = 1.4826 * float(np.median(away)) * (1 + 10 / len(logs))
    return [int(place) for place in np.flatnonzero(away > max(FAR * min(noise, max(usual, LEAST_NOISE)), MARGIN))]


def _level_of_each(logs: NDArray[np.float64], starts: Sequence[int]) -> NDArray[np.float64]:
    edges = [0, *starts, len(logs)]
    return np.repeat([float(np.median(logs[low:high])) for low, high in pairwise(edges)], np.diff(edges))


def state_of(logs: NDArray[np.float64], starts: Sequence[int], newest: Verdict | None,
             outliers: Sequence[int] = ()) -> tuple[State, str]:
    """The state of a series and why, in words. The first rule that fits counts:

    - short: fewer than `LEAST_POINTS` points;
    - flaky: among the last `RECENT` points at least `TURNS` changes, each in the other direction than the one before,
      or, before the newest, at least `TURNS` outliers (`find_outliers`);
    - new: `newest`, the verdict on the newest run's trials against those of the level before it, says worse;
      "better": recovered where that undoes a worse level, else improved;
    - spike: the newest run is an outlier all the same;
    - sustained: the last level is worse than that before it, or is better and did not undo the worse one before;
    - recovered, improved: the last level is better and begun within the last `RECENT` points;
    - steady.

    Outliers that leave the state as it is are named in the reason. Where the newest run lies off its level beyond the
    margin and its verdict is "cannot tell", the reason says so. `logs` are logarithms of p50, oldest first, `starts`
    where levels begin (0 left out).
    """
    if len(logs) < LEAST_POINTS:
        return "short", f"{len(logs)} of the {LEAST_POINTS} runs that it takes to tell"
    last = len(logs) - 1
    flaky = _flaky(logs, starts, outliers)
    if flaky:
        return "flaky", flaky
    edges = [0, *starts, len(logs)]
    levels = [float(np.median(logs[low:high])) for low, high in pairwise(edges)]
    earlier = _earlier(logs, starts, [place for place in outliers if max(0, last + 1 - RECENT) <= place < last])
    if newest is not None and newest.call == "worse":
        return "new", f"since the newest run alone: {newest.reason}{earlier}"
    if newest is not None and newest.call == "better":
        undone = _undone([*levels, levels[-1] + math.log(newest.ratio)])
        return ("recovered" if undone else "improved"), f"since the newest run alone: {newest.reason}{earlier}"
    if last in outliers:
        return "spike", f"the newest run alone is {_off(logs, starts, last)}; another run will tell{_open(newest)}"
    state, why = _settled(levels, starts, len(logs))
    if newest is not None and newest.call == "cannot tell" and abs(math.log(newest.ratio)) > MARGIN:
        why += f"; of the newest run alone one cannot tell: {newest.reason}"
    return state, why + earlier


def _open(newest: Verdict | None) -> str:
    return f": {newest.reason}" if newest is not None and newest.call == "cannot tell" else ""


def _earlier(logs: NDArray[np.float64], starts: Sequence[int], outliers: Sequence[int]) -> str:
    """`; a single run far off its level: 3 runs before the newest, 3.7 times it`."""
    last = len(logs) - 1
    told = [f"{counted(last - place, 'run')} before the newest, {_off(logs, starts, place)}"
            for place in outliers]
    return f"; single runs far off: {'; '.join(told)}" if told else ""


def _off(logs: NDArray[np.float64], starts: Sequence[int], place: int) -> str:
    """`3.7 times its level`, `12 % below its level`."""
    step = float(logs[place] - _level_of_each(logs, starts)[place])
    if step >= math.log(2):
        return f"{math.exp(step):.2g} times its level"
    return f"{100 * abs(math.expm1(step)):.0f} % {'above' if step > 0 else 'below'} its level"


def _settled(levels: list[float], starts: Sequence[int], count: int) -> tuple[State, str]:
    """By the levels alone."""
    if not starts:
        return "steady", f"no change in {count} runs"
    age = count - starts[-1]
    step = levels[-1] - levels[-2]
    since = f"{_percent(step)} for {age} runs"
    if step > 0:
        return "sustained", since
    owed = _owed(levels)
    if owed is not None and owed > MARGIN:
        return "sustained", f"{since}, and still {_percent(owed)} against the level before it became worse"
    if age > RECENT:
        return "steady", f"no change in {age} runs"
    return ("recovered" if _undone(levels) else "improved"), since


def _owed(levels: list[float]) -> float | None:
    """How far the last level lies above that before the last step up; None where none went up."""
    ups = [place for place, (before, after) in enumerate(pairwise(levels)) if after > before]
    return levels[-1] - levels[ups[-1]] if ups else None


def _undone(levels: list[float]) -> bool:
    """Whether the last step, down, undid a step up that had lasted until then."""
    before, now = _owed(levels[:-1]), _owed(levels)
    return before is not None and now is not None and now <= MARGIN < before


def _flaky(logs: NDArray[np.float64], starts: Sequence[int], outliers: Sequence[int]) -> str:
    """Why a series goes to and fro; empty where it does not."""
    recent = max(0, len(logs) - RECENT)
    edges = [0, *starts, len(logs)]
    levels = [float(np.median(logs[low:high])) for low, high in pairwise(edges)]
    steps = [after - before for start, (before, after) in zip(starts, pairwise(levels), strict=True) if start >= recent]
    turns = 1 + sum(one * other < 0 for one, other in pairwise(steps)) if steps else 0
    if turns >= TURNS:
        return f"{turns} changes to and fro in the last {len(logs) - recent} runs"
    off = sum(recent <= place < len(logs) - 1 for place in outliers)
    if off >= TURNS:
        return f"{off} of {len(logs) - 1 - recent} runs before the newest are far off its level"
    return ""


def _percent(step: float) -> str:
    return f"{100 * math.expm1(step):+.0f} %"
