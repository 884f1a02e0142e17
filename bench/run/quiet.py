"""Whether other processes use a device now, and which trials they disturbed are measured again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench import contention, stats
from bench.contention import Use, use_between
from bench.host import as_told
from bench.run.schedule import Progress
from bench.run.tasks import Agenda, Task
from bench.store.packing import unpack
from bench.store.records import TrialRecord

AGAIN: Final = "again"
"""Marks, in a trial's settings, that it was measured in the place of a disturbed one."""
WINDOW_S: Final = 0.25
"""Between two looks that tell what is used: many of the kernel's ticks, and hardly a delay."""


def use_now(look: Callable[[], Mapping[str, Any]], sleep: Callable[[float], object]) -> Use | None:
    """What other processes use of the device, on which nothing is measured now; None where it does not tell, or cannot
    be reached: whatever is done next meets that too, and says so."""
    try:
        before = look()
        if before.get("processor") is None:
            return None
        sleep(WINDOW_S)
        return use_between(before, look())
    except Exception as error:
        if as_told(error) is None:
            raise
        return None


def told_or_looked(cpu_ns: Mapping[str, Any] | None, look: Callable[[], Mapping[str, Any]],
                   sleep: Callable[[float], object]) -> dict[str, Any] | None:
    """What a trial says of how it shared the processor; with a look at the device right after it where its samples
    took too little time to tell."""
    if cpu_ns is None:
        return None
    use = use_now(look, sleep) if contention.read(cpu_ns) is None else None
    return contention.with_look_after(cpu_ns, use) if use else dict(cpu_ns)


def with_trial(seen: Progress, trial: TrialRecord) -> Progress:
    """What has been measured of a cell after one more latency trial, which has samples."""
    disturbed = bool(contention.of_trial(trial.cpu_ns, trial.settings))
    return seen.with_trial(stats.percentile(unpack(trial.samples or b""), 50), trial.seconds, trial.number,
                           disturbed=disturbed, again=trial.settings.get(AGAIN) is True)


def again(agenda: Agenda, measured: Mapping[str, Progress]) -> list[Task]:
    """A trial for each one that was disturbed and has not been measured again yet: round-robin over the cells, with
    numbers after the highest."""
    nothing = Progress()
    owed = [[Task(ready, "latency", seen.highest + turn, {AGAIN: True}) for turn in range(1, seen.owed + 1)]
            for ready in agenda.again for seen in [measured.get(ready.cell.cell, nothing)]]
    return [task for turn in itertools.zip_longest(*owed) for task in turn if task is not None]
