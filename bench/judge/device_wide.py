"""Changes that most cells of a device made at the same run: said once, and marked in each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from bench.judge.shifts import NEAR, Move, find_shifts
from bench.judge.types import Change, History, Series, Shift

BESIDE: Final = 1
"""Runs by which a change may be found too early or too late."""
BEFORE, AFTER = 5, 3
"""Points whose medians say how a cell moved in which no change was found."""


def with_shifts(series: Sequence[Series], runs: Sequence[str]) -> History:
    """The series, changes that are device-wide marked, and the shifts by device and run; `runs` oldest first."""
    place = {run: number for number, run in enumerate(runs)}
    shifts: list[Shift] = []
    marked = list(series)
    for device in dict.fromkeys(item.device for item in series):
        mine = [number for number, item in enumerate(marked) if item.device == device]
        found = _of_device([marked[number] for number in mine], place)
        shifts += found
        for number in mine:
            changes = tuple(replace(change, device_wide=_part_of(change, found, place))
                            for change in marked[number].changes)
            marked[number] = replace(marked[number], changes=changes)
    return History(tuple(marked), tuple(shifts))


def _of_device(series: Sequence[Series], place: dict[str, int]) -> list[Shift]:
    """The shifts of one device, oldest first: where the most changes are it is looked first, and not beside a shift."""
    counts = Counter(place[change.run] for item in series for change in item.changes)
    found: dict[int, Shift] = {}
    for run, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if any(abs(run - other) <= BESIDE for other in found):
            continue
        moves = [move for item in series if (move := _move(item, run, place)) is not None]
        found.update((run, shift) for shift in find_shifts(moves))
    return [found[run] for run in sorted(found)]


def _move(series: Series, run: int, place: dict[str, int]) -> Move | None:
    """How a cell moved at a run: by its change there, else by its points around; None where it has none around."""
    before = [point for point in series.points if place[point.run] < run]
    after = [point for point in series.points if place[point.run] >= run]
    if not before or not after:
        return None
    change = next((item for item in series.changes if abs(place[item.run] - run) <= BESIDE), None)
    ratio = change.ratio if change else (median(point.p50_ms for point in after[:AFTER])
                                         / median(point.p50_ms for point in before[-BEFORE:]))
    name = next(run_id for run_id, number in place.items() if number == run)
    return Move(series.device, series.model, series.cell, name, ratio, change.call if change else "cannot tell",
                series.points[-1].versions.get("runtime", ""),
                before[-1].versions.get("artifact") != after[0].versions.get("artifact"))


def _part_of(change: Change, shifts: Sequence[Shift], place: dict[str, int]) -> bool:
    """Whether the change is one of those that made a shift: beside it, in its direction, and about as large."""
    return any(abs(place[change.run] - place[shift.run]) <= BESIDE and change.call == shift.call
               and 1 / NEAR <= math.log(change.ratio) / math.log(shift.ratio) <= NEAR for shift in shifts)
