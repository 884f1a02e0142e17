"""How a cell's model behaves, from what its trials found: time by input, inputs changed in place, outputs that differ
on the same input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bench.stats.by_input import unlike_medians
from bench.store.records import TrialRecord
from bench.units import milliseconds

CHANGED: Final = "changes its inputs in place: they are restored before each timed inference"


def warnings(final: Sequence[TrialRecord]) -> list[str]:
    """What is to be said of a cell, of whose trials `final` count; nothing where they are older than findings."""
    trials = [trial for trial in final if trial.kind != "baseline" and trial.findings is not None]
    return [text for text in (_of_time(trials), _of_inputs(trials), _of_outputs(trials)) if text]


def cycle_of(trial: TrialRecord) -> int:
    """How many of the verification inputs its samples are of, one after the other."""
    return int((trial.findings or {}).get("cycle", 1))


def _of_time(trials: Sequence[TrialRecord]) -> str | None:
    rounds = [times for trial in trials for times in _rounds(trial)]
    medians = unlike_medians(rounds) if len({len(times) for times in rounds}) == 1 else None
    if medians is None:
        return None
    span = f"{milliseconds(min(medians) / 1e6)} to {milliseconds(max(medians) / 1e6)} ms"
    timed = ("p50 is of all its verification inputs" if any(cycle_of(trial) > 1 for trial in trials) else
             "p50 is of the first verification input, see measure: {inputs: all}")
    return f"time depends on the input: {span} ({timed})"


def _rounds(trial: TrialRecord) -> Iterator[tuple[int, ...]]:
    """By round, the times of all samples."""
    times = (trial.findings or {}).get("by_sample_ns")
    return zip(*times, strict=True) if times else iter(())


def _of_inputs(trials: Sequence[TrialRecord]) -> str | None:
    return CHANGED if any((trial.findings or {}).get("inputs_changed") for trial in trials) else None


def _of_outputs(trials: Sequence[TrialRecord]) -> str | None:
    verdicts: list[Mapping[str, Any]] = [(trial.findings or {}).get("repeats") or {} for trial in trials]
    others = [verdict for verdict in verdicts if verdict.get("ok") is False]
    if not others:
        return None
    place = {True: " on this device, not on the host", False: ""}.get(
        others[0]["host"], ": it keeps state between calls, or draws random numbers")
    return f"gives other outputs on the same input{place} ({others[0]['reason']})"
