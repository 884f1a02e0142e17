"""What a series' levels say of its newest point: new, sustained, recovered, improved, flaky, steady, short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.types import State, Verdict

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


def state_of(logs: NDArray[np.float64], starts: Sequence[int], newest: Verdict | None) -> tuple[State, str]:
    """The state of a series and why, in words. The first rule that fits counts:

    - short: fewer than `LEAST_POINTS` points;
    - flaky: among the last `RECENT` points at least `TURNS` changes, each in the other direction than the one before,
      or, before the newest, at least `TURNS` points off their level by more than the margin and `FAR` standard
      deviations (median absolute distance from the levels, times 1.4826);
    - new: `newest`, the verdict on the newest run's trials against those of the level before it, says worse;
      "better": recovered where that undoes a worse level, else improved;
    - sustained: the last level is worse than that before it, or is better and did not undo the worse one before;
    - recovered, improved: the last level is better and begun within the last `RECENT` points;
    - steady.

    Where the newest run lies off its level beyond the margin and its verdict is "cannot tell", the reason says so.
    `logs` are logarithms of p50, oldest first, `starts` where levels begin (0 left out).
    """
    if len(logs) < LEAST_POINTS:
        return "short", f"{len(logs)} of the {LEAST_POINTS} runs that it takes to tell"
    flaky = _flaky(logs, starts)
    if flaky:
        return "flaky", flaky
    edges = [0, *starts, len(logs)]
    levels = [float(np.median(logs[low:high])) for low, high in pairwise(edges)]
    if newest is not None and newest.call == "worse":
        return "new", f"since the newest run alone: {newest.reason}"
    if newest is not None and newest.call == "better":
        undone = _undone([*levels, levels[-1] + math.log(newest.ratio)])
        return ("recovered" if undone else "improved"), f"since the newest run alone: {newest.reason}"
    state, why = _settled(levels, starts, len(logs))
    if newest is not None and newest.call == "cannot tell" and abs(math.log(newest.ratio)) > MARGIN:
        why += f"; of the newest run alone one cannot tell: {newest.reason}"
    return state, why


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


def _flaky(logs: NDArray[np.float64], starts: Sequence[int]) -> str:
    """Why a series goes to and fro; empty where it does not."""
    recent = max(0, len(logs) - RECENT)
    edges = [0, *starts, len(logs)]
    levels = [float(np.median(logs[low:high])) for low, high in pairwise(edges)]
    steps = [after - before for start, (before, after) in zip(starts, pairwise(levels), strict=True) if start >= recent]
    turns = 1 + sum(one * other < 0 for one, other in pairwise(steps)) if steps else 0
    if turns >= TURNS:
        return f"{turns} changes to and fro in the last {len(logs) - recent} runs"
    away = np.abs(logs - np.repeat(levels, np.diff(edges)))
    off = away[recent:-1] > max(FAR * 1.4826 * float(np.median(away)), MARGIN)
    if off.sum() >= TURNS:
        return f"{int(off.sum())} of {len(off)} runs before the newest are far off its level"
    return ""


def _percent(step: float) -> str:
    return f"{100 * math.expm1(step):+.0f} %"
