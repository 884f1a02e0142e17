"""Pinning a process to some of the device's cores, by kind or by number."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, List, Optional, Union

from bench.agents.probes import files

CPUS = "/sys/devices/system/cpu"
Asked = Union[None, str, List[int]]
"""None in particular, "big" (those of the highest class), "little" (of the lowest), "all", or numbers."""


class NotPinned(Exception):
    """The cores that were asked for cannot be had, or not told apart. The text is for the user."""

    def __str__(self) -> str:
        return str(self.args[0])


def pin(asked: Asked, folder: str = CPUS) -> Optional[List[int]]:
    """Let this process, and every thread it will start, run on these cores alone; gives back their numbers.

    None without a wish. Raises NotPinned.
    """
    if asked is None:
        return None
    wanted = chosen(asked, folder)
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        raise NotPinned("the kernel refuses to pin to the cores {}: {}; it allows {}".format(
            listed(wanted), error.strerror, listed(allowed()))) from None
    if allowed() != wanted:
        raise NotPinned("wanted the cores {}, but the kernel allows this process {} of them only: its cpuset is "
                        "narrower".format(listed(wanted), listed(allowed())))
    return wanted


def still(pinned: Optional[List[int]]) -> List[int]:
    """The cores this process may use. Raises NotPinned when they are others than it was pinned to."""
    now = allowed()
    if pinned is not None and now != pinned:
        raise NotPinned("the device moved the trial from the cores {} to {} while it ran".format(
            listed(pinned), listed(now)))
    return now


def chosen(asked: Union[str, List[int]], folder: str = CPUS) -> List[int]:
    """The numbers of the cores that are asked for, in order. Raises NotPinned."""
    there = online(folder)
    if asked == "all":
        return there
    if isinstance(asked, str):
        return _of_class(asked, there, folder)
    absent = sorted(set(asked) - set(there))
    if absent or not asked:
        raise NotPinned("no core {} is online; those online: {}".format(listed(absent) or "named", listed(there)))
    return sorted(set(asked))


def online(folder: str = CPUS) -> List[int]:
    """The numbers of the cores that are switched on; what this process may use where the kernel does not tell."""
    told = files.text(os.path.join(folder, "online")) or ""
    if not re.fullmatch(r"[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*", told):
        return allowed()
    spans = [span.partition("-") for span in told.split(",")]
    return sorted({number for first, _, last in spans for number in range(int(first), int(last or first) + 1)})


def capacities(folder: str = CPUS) -> List[int]:
    """The capacity of each core, of 1024 for the device's fastest; empty where the kernel does not tell."""
    return files.numbers(os.path.join(folder, "cpu[0-9]*", "cpu_capacity"))


def allowed() -> List[int]:
    """The numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def listed(numbers: Iterable[int]) -> str:
    """`0 1 2`."""
    return " ".join(map(str, numbers))


def _of_class(asked: str, there: List[int], folder: str) -> List[int]:
    if asked not in ("big", "little"):
        raise NotPinned("cores are big, little, all or numbers, not {!r}".format(asked))
    # A kernel that knows no capacities gives all cores the same one.
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        speeds = _speeds(name, there, folder)
        if len(set(speeds.values())) > 1:
            wanted = (max if asked == "big" else min)(speeds.values())
            return [number for number in there if speeds[number] == wanted]
    raise NotPinned("the device does not tell which cores are {}: name them by number, those online are {}".format(
        asked, listed(there)))


def _speeds(name: str, there: List[int], folder: str) -> Dict[int, int]:
    """A speed of every core; empty when one does not tell."""
    told = {number: files.number(os.path.join(folder, "cpu{}".format(number), name)) for number in there}
    speeds = {number: speed for number, speed in told.items() if speed is not None}
    return speeds if len(speeds) == len(there) else {}
