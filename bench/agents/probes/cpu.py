"""Who used the processor: this process, the others, and the machine's host. Nanoseconds, from the kernel's counters.

Read before and after a stretch of work, never within: a reading opens some small files of /proc.
"""

from __future__ import annotations

import glob
import os
import resource
import time
from typing import Dict, List, NamedTuple, Optional, Sequence

from bench.agents.probes import files

STAT = "/proc/stat"
THREADS = "/proc/self/task/*/schedstat"
_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ, _STEAL = 0, 1, 2, 5, 6, 7
"""Columns of /proc/stat; idle and waiting for a disk are no use of a core."""


class Whole(NamedTuple):
    """What all processes together used of some cores since the machine booted, and what its host took of them."""

    cores: int
    busy_ns: int
    stolen_ns: Optional[int]


class Usage(NamedTuple):
    """The counters of this process and of the cores that it may run on, at one moment."""

    wall_ns: int
    user_ns: int
    system_ns: int
    involuntary: int
    waited_ns: Dict[str, int]
    """By thread, while it could have run and had no core."""
    whole: Optional[Whole]


def usage() -> Usage:
    """The counters now; what the kernel does not tell is empty or None."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(time.perf_counter_ns(), int(used.ru_utime * 1e9), int(used.ru_stime * 1e9), used.ru_nivcsw, _waited(),
                 whole(_allowed()))


def since(before: Usage) -> Dict[str, Optional[int]]:
    """What was used since `before`.

    `user`, `system` and `wall` of this process; `waited`: of its thread that waited most for a core; `involuntary`: how
    often it was taken off a core. Of the cores that it may run on, how many there are (`cores`), what other processes
    used of them (`others`) and what the machine's host took (`stolen`). None is not told.
    """
    now = usage()
    own = now.user_ns - before.user_ns + now.system_ns - before.system_ns
    waits = [waited - before.waited_ns.get(thread, 0) for thread, waited in now.waited_ns.items()]
    found: Dict[str, Optional[int]] = {
        "user": now.user_ns - before.user_ns, "system": now.system_ns - before.system_ns,
        "wall": now.wall_ns - before.wall_ns, "waited": max(waits) if waits else None,
        "involuntary": now.involuntary - before.involuntary, "cores": None, "others": None, "stolen": None}
    if now.whole is not None and before.whole is not None and now.whole.cores == before.whole.cores:
        found["cores"] = now.whole.cores
        found["others"] = max(0, now.whole.busy_ns - before.whole.busy_ns - own)
        if now.whole.stolen_ns is not None and before.whole.stolen_ns is not None:
            found["stolen"] = max(0, now.whole.stolen_ns - before.whole.stolen_ns)
    return found


def whole(cores: Optional[Sequence[int]] = None, stat: str = STAT) -> Optional[Whole]:
    """What is used of these cores (None: of all that are switched on); None where the kernel does not tell."""
    wanted = None if cores is None else {"cpu{}".format(core) for core in cores}
    lines = [line.split() for line in (files.text(stat) or "").split("\n") if line.startswith("cpu")]
    told = [_numbers(line[1:]) for line in lines if (line[0] != "cpu" if wanted is None else line[0] in wanted)]
    if not told or any(len(columns) <= _SYSTEM for columns in told):
        return None
    busy = sum(columns[place] for columns in told for place in (_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ)
               if place < len(columns))
    stolen = sum(columns[_STEAL] for columns in told) if all(len(columns) > _STEAL for columns in told) else None
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return Whole(len(told), busy * tick, None if stolen is None else stolen * tick)


def _numbers(words: Sequence[str]) -> List[int]:
    return [int(word) for word in words] if all(word.isdigit() for word in words) else []


def _allowed() -> Optional[List[int]]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _waited() -> Dict[str, int]:
    """The second number of each thread's schedstat: nanoseconds that it waited on a run queue."""
    found = {}
    for path in glob.glob(THREADS):
        words = (files.text(path) or "").split()
        if len(words) == 3 and words[1].isdigit():
            found[path] = int(words[1])
    return found
