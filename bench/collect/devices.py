"""What a run's sessions and readings say of a device, short enough to be read back for thousands of trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from bench.collect import marks
from bench.conditions import Reading, read
from bench.messages.stored import kept_conditions
from bench.results import DeviceSummary
from bench.store.records import SessionRecord

MOST_TRIALS = 200
"""Trials of a device whose readings are kept, evenly taken from all."""
MOST_READINGS = 600
"""Readings that those have together, about."""

_Told = dict[str, Any]

_EXTREMES: Final[tuple[Callable[[_Told, Reading], float | None], ...]] = (
    lambda told, reading: reading.temperature_c,
    lambda told, reading: _minus(reading.temperature_c),
    lambda told, reading: _minus(_fastest(reading)) if reading.when != "before" else None,
    lambda told, reading: _fastest(reading),
    lambda told, reading: _number(told.get("load_1m")),
    lambda told, reading: reading.thermal_status,
    lambda told, reading: _minus(_number(told.get("available_memory_bytes"))),
)
"""The readings in which one of these is the highest are always kept: heat, cold, a slow clock, a fast one, load,
Android's thermal status, little memory."""


def summary(sessions: Sequence[SessionRecord], conditions: Iterable[Sequence[_Told]], trials: int) -> DeviceSummary:
    """The device of these sessions, of which the newest speaks, with the readings of its `trials` trials.

    `conditions` are those of each trial, in the order they were recorded. Of many, some hundreds are kept: evenly
    taken, and those with the highest and lowest values.
    """
    session = sessions[-1]
    kept, problems = _sift(conditions, trials)
    versions = {**session.runtimes, "agent": session.agent[:16]}
    return DeviceSummary(session.device, bool(session.facts.get("emulated")), session.facts, versions,
                         tuple(kept_conditions(list(kept))),
                         marks.of_device(sessions, problems))


def _sift(conditions: Iterable[Sequence[_Told]], trials: int) -> tuple[tuple[_Told, ...], list[str]]:
    """The readings to keep, in their order, and all texts that were not understood."""
    even = _evenly(trials, MOST_TRIALS)
    share = max(3, MOST_READINGS // max(1, len(even)))
    kept: dict[tuple[int, int], _Told] = {}
    extremes: dict[int, tuple[float, tuple[int, int], _Told]] = {}
    problems: dict[str, None] = {}
    for place, told in enumerate(conditions):
        kept |= {(place, index): told[index] for index in _evenly(len(told), share)} if place in even else {}
        for index, seen in enumerate(told):
            reading = read(seen)
            problems.update(dict.fromkeys(reading.problems))
            for which, value_of in enumerate(_EXTREMES):
                value = value_of(seen, reading)
                if value is not None and (which not in extremes or value > extremes[which][0]):
                    extremes[which] = (value, (place, index), seen)
    kept |= {where: seen for _, where, seen in extremes.values()}
    return tuple(kept[where] for where in sorted(kept)), list(problems)


def _evenly(count: int, most: int) -> frozenset[int]:
    """At most `most` of the numbers below `count`, the first and the last among them."""
    if count <= most:
        return frozenset(range(count))
    return frozenset(round(step * (count - 1) / (most - 1)) for step in range(most))


def _fastest(reading: Reading) -> float | None:
    return max((clock for clock in reading.clocks_mhz if clock is not None), default=None)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _number(told: object) -> float | None:
    return told if isinstance(told, int | float) and not isinstance(told, bool) else None
