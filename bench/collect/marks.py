"""What a run's stored conditions say against its numbers: trials that were throttled or disturbed, devices that were
restarted or not understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import contention, stats
from bench.collect.behaviour import cycle_of
from bench.conditions import read
from bench.results import Cores
from bench.stats.outliers import outliers
from bench.store.packing import unpack
from bench.store.records import SessionRecord, TrialRecord
from bench.throttling import Signs, signs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_REASONS = 4
LEAST_TRIALS = 3
"""Undisturbed, without which a cell's disturbed ones count too: with fewer there is no interval worth having."""
MOST_PROBLEMS = 5


@dataclass(frozen=True)
class Timed:
    """A latency trial that ended well, with its samples in ns and what they and its readings say of the device.

    `turns` are the means of samples that were timed one after the other on different inputs: where one input alone is
    timed, the samples themselves. What tells of the device is looked for in these, not in how inputs differ.
    """

    trial: TrialRecord
    samples: NDArray[np.int64]
    turns: NDArray[np.float64]
    median_ns: float
    outliers: int
    signs: Signs


def look_at(trial: TrialRecord) -> Timed:
    """The trial with its samples unpacked and its readings read."""
    samples = unpack(trial.samples or b"")
    by_input = samples.reshape(-1, cycle_of(trial))
    turns = by_input.mean(axis=1)
    told = signs(list(map(read, trial.conditions)), turns, _used(trial), contention.read(trial.cpu_ns),
                 contention.threads_of(trial.settings))
    far = sum(found.above + found.below for found in map(outliers, by_input.T))
    return Timed(trial, samples, turns, stats.percentile(samples, 50), far, told)


def throttling(timed: Sequence[Timed]) -> str | None:
    """In how many trials the device did not keep its pace, and how it showed; None for in none."""
    return _counted([each.signs.throttled for each in timed])


def disturbance(timed: Sequence[Timed]) -> str | None:
    """In how many trials anything else changed or cannot be trusted, and what; None for in none."""
    return _counted([each.signs.disturbed for each in timed])


def undisturbed(timed: Sequence[Timed], wanted: int) -> list[Timed]:
    """The trials that count: where enough of them had the processor to themselves, only those, else all.

    Enough are `LEAST_TRIALS`, or as many as the suite `wanted` if it wanted fewer.
    """
    clean = [each for each in timed if not each.signs.contention]
    return clean if len(clean) >= max(1, min(wanted, LEAST_TRIALS)) else list(timed)


def contended(timed: Sequence[Timed]) -> str | None:
    """In how many trials others took the processor, and how; None for in none."""
    return _counted([[each.signs.contention] if each.signs.contention else [] for each in timed])


def cores_of(trials: Iterable[TrialRecord]) -> Cores | None:
    """The cores that the trials were to run on and those that any of them was allowed; None where that is unknown."""
    known = [trial for trial in trials if _used(trial)]
    if not known:
        return None
    wanted = known[0].settings.get("cores")
    return Cores(tuple(wanted) if isinstance(wanted, list) else wanted,
                 tuple(sorted({core for trial in known for core in _used(trial)})))


def different_cores(trials: Iterable[TrialRecord]) -> bool:
    """Whether the trials were allowed different cores."""
    return len({tuple(_used(trial)) for trial in trials if _used(trial)}) > 1


def of_device(sessions: Sequence[SessionRecord], unclear: Iterable[str]) -> tuple[str, ...]:
    """What a reader must know of one device: it was restarted within the run; its answers, those of its facts and
    `unclear` ones of its readings, were not understood."""
    boots = dict.fromkeys(session.boot_id for session in sessions if session.boot_id)
    found = [f"restarted during the run: its {len(sessions)} sessions were of {len(boots)} boots"] * (len(boots) > 1)
    told = [text for session in sessions for text in _texts(session.facts.get("problems"))]
    problems = list(dict.fromkeys([*told, *unclear]))
    found += [f"not understood: {text}" for text in problems[:MOST_PROBLEMS]]
    more = len(problems) - MOST_PROBLEMS
    return tuple(found + [f"not understood: {more} more of its answers"] * (more > 0))


def _counted(marks: Sequence[Sequence[str]]) -> str | None:
    """`2 of 5 trials: clock fell from 2803 to 1800 MHz; and 1 more reason`."""
    marked = [reasons for reasons in marks if reasons]
    if not marked:
        return None
    reasons = list(dict.fromkeys(text for each in marked for text in each))
    more = len(reasons) - MOST_REASONS
    shown = reasons[:MOST_REASONS] + ([f"and {more} more of the kind"] if more > 0 else [])
    return f"{len(marked)} of {len(marks)} trials: {'; '.join(shown)}"


def _used(trial: TrialRecord) -> list[int]:
    used = trial.settings.get("cores_used")
    return [core for core in used if isinstance(core, int)] if isinstance(used, list) else []


def _texts(told: object) -> list[str]:
    return [str(text) for text in told] if isinstance(told, list) else []
