"""Whether other processes, or the machine's host, took the processor from a trial: pure functions on its readings.

A disturbed trial says little of the model: it is measured again rather than compared. Computed whenever a run is
reported, from what was stored, as `bench.throttling` is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WAITED: Final = 0.05
"""The share of the samples' time that a thread may wait for a core: what a drift within a trial may be too."""
STOLEN: Final = 0.05
"""The share of a core, for each of its threads, that the machine's host may take."""
OTHERS: Final = 0.5
"""The share of the cores that the trial leaves over which others may use: with more, caches, memory and a core's two
threads are theirs too."""
LEAST_OTHERS: Final = 0.25
"""And at least so many cores, where the trial leaves none over."""
INVOLUNTARY_PER_S: Final = 5.0
"""Taken off its core so often in a second, a process that did not get all of its core wanted it. A quiet machine's
kernel does so about 3 times in a second."""
LEAST_S: Final = 0.1
"""Samples that took less time tell nothing: one turn of another process is a share of them."""
LEAST_TICKS_S: Final = 0.2
"""What the kernel counts in ticks of 10 ms needs longer."""
_AFTER: Final = "after"
"""In `cpu_ns`, what all processes used right after a trial that was too short to tell."""


@dataclass(frozen=True)
class Contention:
    """How a trial shared the processor while its samples were taken; None is not told.

    `own` is the CPU time of its process over wall time (2.0: two cores), `waited` the share of the time for which its
    thread that waited most had no core; `involuntary_per_s` how often it was taken off a core; `others` and `stolen`
    how many of the `cores` that it was allowed the other processes used and the machine's host took.
    """

    seconds: float
    own: float | None
    waited: float | None
    involuntary_per_s: float | None
    others: float | None
    stolen: float | None
    cores: int | None

    @property
    def shown(self) -> str:
        """`other processes used 0.1 of 2 cores, waited 0 % of the time for one`."""
        parts = [f"other processes used {self.others:.1f} of {self.cores} cores"] if self.others is not None else []
        parts += [f"waited {100 * self.waited:.0f} % of the time for a core"] if self.waited is not None else []
        parts += [f"{self.stolen:.2f} cores were taken by the machine's host"] if self.stolen else []
        return ", ".join(parts)


def read(told: Mapping[str, Any] | None) -> Contention | None:
    """From what a trial's `cpu_ns` says; None where it does not say it, as older agents, or the samples took too little
    time to tell."""
    wall = _amount(told or {}, "wall")
    if told is None or wall is None or wall < LEAST_S * 1e9:
        return _looked_at(told or {})

    def share(name: str) -> float | None:
        amount = _amount(told, name)
        return None if amount is None else amount / wall

    user, system, involuntary = share("user"), share("system"), _amount(told, "involuntary")
    ticks = wall >= LEAST_TICKS_S * 1e9
    cores = _amount(told, "cores") or None
    found = Contention(
        seconds=wall / 1e9, own=None if user is None or system is None else user + system, waited=share("waited"),
        involuntary_per_s=None if involuntary is None else involuntary / (wall / 1e9),
        others=share("others") if ticks and cores else None, stolen=share("stolen") if ticks and cores else None,
        cores=cores)
    return found if (found.waited, found.others, found.stolen) != (None, None, None) else _looked_at(told)


def with_look_after(told: Mapping[str, Any], use: Use) -> dict[str, Any]:
    """What a trial says, with what was used of the device right after it."""
    return {**told, _AFTER: {"wall": use.wall_ns, "busy": use.busy_ns, "cores": use.cores}}


def _looked_at(told: Mapping[str, Any]) -> Contention | None:
    """By the look right after a trial: whoever uses the device then most likely did before. None without one."""
    after = told.get(_AFTER)
    wall, busy, cores = (_amount(after if isinstance(after, Mapping) else {}, name) for name in
                         ("wall", "busy", "cores"))
    if not wall or busy is None or not cores:
        return None
    return Contention(seconds=wall / 1e9, own=None, waited=None, involuntary_per_s=None, others=busy / wall,
                      stolen=None, cores=cores)


def reason(found: Contention | None, threads: int) -> str:
    """Why the trial counts as disturbed, in words; empty where it does not, or that is not known."""
    if found is None:
        return ""
    lost = _lost(found, threads)
    stolen = (found.stolen or 0.0) / max(1, threads)
    taken = found.others is not None and found.cores is not None and is_taken(found.others, found.cores, threads)
    if (lost or 0.0) < WAITED and stolen < STOLEN and not taken:
        return ""
    parts = [f"other processes used {found.others:.1f} of {_cores(found.cores)}"] if found.others is not None else []
    parts += [f"it waited {100 * lost:.0f} % of the time for a core"] if lost is not None and lost >= WAITED else []
    parts += [f"the machine's host took {found.stolen:.2f} of them"] if stolen >= STOLEN and found.stolen else []
    return ", ".join(parts)


def is_taken(others: float, cores: int, threads: int) -> bool:
    """Whether so much of the cores is used by others that a trial of that many threads would be disturbed."""
    return others >= max(OTHERS * (cores - threads), LEAST_OTHERS)


def of_trial(cpu_ns: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> str | None:
    """`reason` of a stored trial; None where it is not known."""
    found = read(cpu_ns)
    return None if found is None else reason(found, threads_of(settings))


def threads_of(settings: Mapping[str, Any]) -> int:
    """What a trial's settings say of them."""
    threads = settings.get("threads")
    return threads if isinstance(threads, int) and not isinstance(threads, bool) and threads > 0 else 1


@dataclass(frozen=True)
class Use:
    """What all processes together use of a device's cores between two looks."""

    busy_ns: int
    wall_ns: int
    cores: int

    def disturbs(self, threads: int) -> str:
        """Why trials of so many threads would be disturbed now; empty where they would not."""
        used = self.busy_ns / self.wall_ns
        return f"other processes use {used:.1f} of {_cores(self.cores)}" if is_taken(used, self.cores, threads) else ""


def use_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Use | None:
    """Of two looks at a device on which nothing is measured; None where it does not tell, or they lie too close."""
    first, second = (look.get("processor") if isinstance(look.get("processor"), Mapping) else None
                     for look in (before, after))
    if first is None or second is None:
        return None
    at, then, cores = (_amount(second, "monotonic_ns"), _amount(first, "monotonic_ns"), _amount(second, "cores"))
    busy = [_amount(look, "busy_ns") for look in (first, second)]
    if at is None or then is None or busy[0] is None or busy[1] is None or not cores:
        return None
    if at - then < LEAST_TICKS_S * 1e9 or _amount(first, "cores") != cores:
        return None
    return Use(max(0, busy[1] - busy[0]), at - then, cores)


def _lost(found: Contention, threads: int) -> float | None:
    """The share of the time that it wanted a core and had none. Where the kernel does not count that, a lone thread's
    is what it did not get of its core, if it was taken off it often enough."""
    if found.waited is not None:
        return found.waited
    often = found.involuntary_per_s is not None and found.involuntary_per_s >= INVOLUNTARY_PER_S
    return max(0.0, 1 - found.own) if often and threads == 1 and found.own is not None else None


def _cores(count: int | None) -> str:
    return f"{count} core{'' if count == 1 else 's'}"


def _amount(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None
