"""Under what a cell was measured, as short texts: what must be alike before two numbers may be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from bench import contention
from bench.store.records import CellRecord, SessionRecord, TrialRecord
from bench.units import ranges

AND: Final = " / "
"""Stands between values that trials of one cell differ in, and within no single value."""
CONTENTION: Final = "contention"
DATASET: Final = "dataset"
"""The inputs and labels, and which output is scored by them."""
DISTURBED: Final = "disturbed"
"""Of trials from which others took the processor."""
REVISION: Final = "measuring"
"""In a trial's settings, the agent's revision of what measures; those of before there was one have none."""
SHOWN_OF_HASH: Final = 12
"""Of a hash: enough to tell two apart by eye."""

_Told = Iterable[str | None]


def of(cell: CellRecord, timed: Sequence[TrialRecord], sessions: Sequence[SessionRecord]) -> dict[str, str]:
    """What was told of each of `NAMES`, from the cell's latency trials that count and its device's sessions.

    Values that its trials differ in are joined by `AND`, in alphabetical order; what was not told is absent.
    """
    used = {trial.session for trial in timed}
    mine = [session for session in sessions if session.id in used] or list(sessions[-1:])
    found = {name: _joined(tell(cell, timed, mine)) for name, tell in _TELLERS.items()}
    return {name: text for name, text in found.items() if text}


def of_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """What a trial's settings alone tell: the agent's revision, cores, options, and how it was measured, by the names
    of `NAMES`."""
    found = {"agent": _agent(settings), "cores": _cores(settings), "options": _options(settings),
             "measure": _measure(settings)}
    return {name: text for name, text in found.items() if text}


def differing(circumstances: Mapping[str, str]) -> dict[str, str]:
    """Those in which the trials of one cell were not alike; contention, of which a check of its own tells, is none."""
    return {name: text for name, text in circumstances.items() if AND in text and name != CONTENTION}


def _joined(values: _Told) -> str:
    return AND.join(sorted({value.replace(AND, "/") for value in values if value}))


def _of_facts(tell: Callable[[Mapping[str, Any]], str | None]) -> Callable[..., _Told]:
    return lambda cell, timed, sessions: [tell(session.facts) for session in sessions]


def _of_settings(tell: Callable[[Mapping[str, Any]], str | None]) -> Callable[..., _Told]:
    return lambda cell, timed, sessions: [tell(trial.settings) for trial in timed]


def _of_artifact(tell: Callable[[Mapping[str, Any]], str | None]) -> Callable[..., _Told]:
    return lambda cell, timed, sessions: [tell(cell.artifact or {})]


def _os(facts: Mapping[str, Any]) -> str | None:
    phone = facts.get("android")
    build = phone.get("fingerprint") if isinstance(phone, Mapping) else None
    kernel = f"kernel {facts['kernel']}" if facts.get("kernel") else None
    return ", ".join(str(part) for part in (facts.get("os"), kernel, build) if part)


def _cpu(facts: Mapping[str, Any]) -> str | None:
    """The processor, and its instruction-set flags by number and hash: int8 runs, and scores, by what it offers."""
    flags = facts.get("cpu_flags")
    shown = f"{len(flags)} flags {_hash(' '.join(map(str, flags)))}" if isinstance(flags, list) and flags else None
    return ", ".join(str(part) for part in (facts.get("soc"), shown) if part)


def _emulation(facts: Mapping[str, Any]) -> str | None:
    return None if facts.get("emulated") is None else _yes(facts["emulated"])


def _runtime(cell: CellRecord, timed: Sequence[TrialRecord], sessions: Sequence[SessionRecord]) -> _Told:
    told = [trial.versions.get("runtime") for trial in timed]
    return told if any(told) else [session.runtimes.get(cell.runtime) for session in sessions]


def _libraries(trial: TrialRecord) -> str:
    return ", ".join(f"{name} {trial.versions[name]}" for name in ("python", "numpy") if trial.versions.get(name))


def _cores(settings: Mapping[str, Any]) -> str | None:
    """`big (4-7)`: those wanted and those used; only the latter where none in particular were wanted."""
    wanted, told = settings.get("cores"), settings.get("cores_used")
    used = [core for core in told if isinstance(core, int)] if isinstance(told, list) else []
    if not used:
        return None
    numbers = ranges(sorted(used))
    return f"{wanted} ({numbers})" if isinstance(wanted, str) else numbers


def _agent(settings: Mapping[str, Any]) -> str:
    """Not the agent's file, which changes with every word in it, but how it measures."""
    return f"measuring revision {settings.get(REVISION, 1)}"


def _options(settings: Mapping[str, Any]) -> str | None:
    options = settings.get("options")
    if not isinstance(options, Mapping):
        return None
    return ", ".join(f"{name}={value}" for name, value in sorted(options.items())) or "none"


def _measure(settings: Mapping[str, Any]) -> str | None:
    """How each trial was measured; not how many there were, which the interval knows of."""
    warmup = settings.get("warmup")
    if not isinstance(warmup, Mapping) or "min_samples" not in settings:
        return None
    timed = "; all inputs" if settings.get("inputs") == "all" else ""  # before there was a choice, it was the first
    return (f"{settings['min_samples']} samples and {settings['min_time']:g} s; warm-up of {warmup['min_runs']} runs "
            f"and {warmup['min_time']:g} to {warmup['max_time']:g} s{timed}")


def _shapes(artifact: Mapping[str, Any]) -> str | None:
    shapes = artifact.get("shapes") or {}
    return ", ".join(f"{name} {'x'.join(map(str, shape)) or 'scalar'}" for name, shape in shapes.items())


def _pairs(key: str) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda artifact: ", ".join(f"{name} {value}" for name, value in sorted((artifact.get(key) or {}).items()))


def _governor(timed: Sequence[TrialRecord]) -> _Told:
    return [seen["governor"] for trial in timed for seen in trial.conditions if isinstance(seen.get("governor"), str)]


def _charging(timed: Sequence[TrialRecord]) -> _Told:
    """Whether the battery was charging. Values that were set by hand say nothing of it."""
    batteries = [seen.get("battery") for trial in timed for seen in trial.conditions]
    return [_yes(battery["charging"]) for battery in batteries
            if isinstance(battery, Mapping) and battery.get("charging") is not None and not battery.get("faked")]


def _contention(timed: Sequence[TrialRecord]) -> _Told:
    told = [contention.of_trial(trial.cpu_ns, trial.settings) for trial in timed]
    return [DISTURBED if reason else "undisturbed" for reason in told if reason is not None]


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:SHOWN_OF_HASH]


_TELLERS: Final[Mapping[str, Callable[[CellRecord, Sequence[TrialRecord], Sequence[SessionRecord]], _Told]]] = {
    "os": _of_facts(_os),
    "cpu": _of_facts(_cpu),
    "runtime": _runtime,
    "agent": _of_settings(_agent),
    "libraries": lambda cell, timed, sessions: map(_libraries, timed),
    "governor": lambda cell, timed, sessions: _governor(timed),
    "power-mode": _of_facts(lambda facts: facts.get("power_mode")),
    "charging": lambda cell, timed, sessions: _charging(timed),
    "cores": _of_settings(_cores),
    "threads": lambda cell, timed, sessions: [str(cell.threads)],
    "delegate": lambda cell, timed, sessions: [cell.delegate],
    "input-shape": _of_artifact(_shapes),
    "batch": lambda cell, timed, sessions: [None if cell.batch is None else str(cell.batch)],
    DATASET: _of_artifact(lambda artifact: (artifact.get("data") or "")[:SHOWN_OF_HASH]),
    "inputs": _of_artifact(_pairs("inputs")),
    "options": _of_settings(_options),
    "measure": _of_settings(_measure),
    "emulation": _of_facts(_emulation),
    CONTENTION: lambda cell, timed, sessions: _contention(timed),
    "converter": _of_artifact(_pairs("tools")),
}

NAMES: Final[tuple[str, ...]] = tuple(_TELLERS)
"""As users write them after --despite."""
