"""What a cell's trials say together: centre, percentiles, memory, accuracy, outputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bench import contention, stats
from bench.collect.behaviour import cycle_of
from bench.collect.marks import LEAST_TRIALS, Timed
from bench.results import Accuracy, Latency, Memory, Outputs, OutputState
from bench.store.packing import unpack
from bench.store.records import TrialRecord
from bench.units import MIB

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUANTILES: Final = [2.5 * step for step in range(41)]
WORST_FIRST: Final[tuple[OutputState, ...]] = ("differs", "unknown", "poor", "ok")
LEAST_FOR_P90: Final = 10
"""Samples of a trial: with fewer, none lies above its p90."""


def numbers(timed: Sequence[Timed], centre: stats.Centre) -> dict[str, Any]:
    """The fields of a CellResult that its latency trials give. `centre` is that of their samples in ns."""
    import numpy as np

    trials = [each.trial for each in timed]
    every = np.concatenate([each.samples for each in timed])
    medians_ms = [each.median_ns / 1e6 for each in timed]
    return {
        "latency_ms": _latency(every, centre),
        "throughput_per_s": every.size / (sum(map(_sampling_ns, timed)) / 1e9),
        "load_ms": _ms(_median([trial.phases.get("load_ns") for trial in trials])),
        "first_inference_ms": _ms(_median([trial.phases.get("first_ns") for trial in trials])),
        "trials": len(trials), "samples": int(every.size), "outliers": sum(each.outliers for each in timed),
        "memory_mib": _memory(trials),
        "trial_medians_ms": tuple(medians_ms),
        "trial_p90s_ms": tuple(stats.percentile(each.samples, 90) / 1e6 for each in timed
                               if each.samples.size >= LEAST_FOR_P90),
        "trial_loads_ms": tuple(trial.phases["load_ns"] / 1e6 for trial in trials if trial.phases.get("load_ns")),
        "trial_peak_rss_mib": tuple(trial.memory["peak_rss_bytes"] / MIB for trial in trials
                                    if trial.memory.get("peak_rss_bytes")),
        "trial_seconds": sum(trial.seconds for trial in trials) / len(trials), "source": trials[-1].source,
        "quantiles_ms": tuple((np.percentile(every, QUANTILES) / 1e6).tolist()),
    }


def _sampling_ns(timed: Timed) -> int:
    """How long its samples took; where inputs were set in between, without that."""
    found = timed.trial.findings or {}
    between = bool(found.get("inputs_changed")) or cycle_of(timed.trial) > 1
    told = None if between else timed.trial.phases.get("samples_ns")
    return max(1, int(timed.samples.sum()) if told is None else told)


def in_turn(final: Sequence[TrialRecord]) -> dict[str, Any]:
    """The fields of a CellResult that trials give which were taken in turn with a baseline's: of several baselines the
    newest's, for trials beside another run's artifact tell nothing of its own."""
    ended = [trial for trial in final if trial.samples and trial.state == "ok"]
    named = [trial.settings.get("retry_of") for trial in ended if trial.kind == "baseline"]
    if not named or not named[-1]:
        return {}
    mine = [trial for trial in ended if trial.settings.get("retry_of") == named[-1]]
    every = [_by_number(mine, kind) for kind in ("baseline", "latency")]
    quiet = _undisturbed(every)
    disturbed = min(map(len, quiet)) < min(LEAST_TRIALS, *map(len, every))
    baseline, own = every if disturbed else quiet
    return {"baseline_run": str(named[-1]), "retry_disturbed": disturbed, **_of_side("baseline", baseline),
            **_of_side("retry", own)}


def _by_number(trials: Iterable[TrialRecord], kind: str) -> list[TrialRecord]:
    """Those of a kind, by their numbers, of each number the last."""
    taken = {trial.number: trial for trial in trials if trial.kind == kind}
    return [taken[number] for number in sorted(taken)]


def _undisturbed(sides: list[list[TrialRecord]]) -> list[list[TrialRecord]]:
    """Both sides without disturbed trials: where they have as many, without the turns in which either was disturbed."""
    quiet = [[not contention.of_trial(trial.cpu_ns, trial.settings) for trial in side] for side in sides]
    if len(sides[0]) == len(sides[1]):
        quiet = [[all(turn) for turn in zip(*quiet, strict=True)]] * 2
    return [list(itertools.compress(side, kept)) for side, kept in zip(sides, quiet, strict=True)]


def _of_side(side: str, trials: Sequence[TrialRecord]) -> dict[str, tuple[float, ...]]:
    """What the interleaved trials of a side gave, as the fields that its name begins."""
    samples = [unpack(trial.samples or b"") for trial in trials]
    return {
        f"{side}_medians_ms": tuple(stats.percentile(each, 50) / 1e6 for each in samples),
        f"{side}_p90s_ms": tuple(stats.percentile(each, 90) / 1e6 for each in samples if each.size >= LEAST_FOR_P90),
        f"{side}_loads_ms": tuple(trial.phases["load_ns"] / 1e6 for trial in trials if trial.phases.get("load_ns")),
        f"{side}_peak_rss_mib": tuple(trial.memory["peak_rss_bytes"] / MIB for trial in trials
                                      if trial.memory.get("peak_rss_bytes"))}


def is_retry(trial: TrialRecord) -> bool:
    """Whether it was taken after the suite's own, in turn with the baseline's."""
    return trial.settings.get("retry") is True


def accuracy(scored: Sequence[TrialRecord], suspect: str | None = None) -> Accuracy | None:
    """The newest score; None without one."""
    if not scored or scored[-1].accuracy is None:
        return None
    found = scored[-1].accuracy
    return Accuracy(found["metric"], found["value"], found["count"], found["reference"] - found["value"], suspect)


def outputs(trials: Iterable[TrialRecord]) -> Outputs | None:
    """The worst of all trials' checks."""
    checks = [trial.outputs for trial in trials if trial.outputs is not None]
    if not checks:
        return None
    worst = min(checks, key=lambda check: (WORST_FIRST.index(_state(check)), _sqnr_db(check)))
    parts = [check for check in checks if check.get("part_sqnr_db") is not None]
    part = min(parts, key=lambda check: float(check["part_sqnr_db"]), default={})
    return Outputs(_state(worst), _worst(checks, "max_abs", max), _worst(checks, "cosine", min),
                   _worst(checks, "sqnr_db", min), _worst(checks, "agreement", min), worst.get("reason"),
                   part.get("part"), part.get("part_sqnr_db"), worst.get("short"))


def _sqnr_db(check: Mapping[str, Any]) -> float:
    """Of identical outputs it is infinite, which JSON has as null."""
    return math.inf if check.get("sqnr_db") is None else float(check["sqnr_db"])


def _state(check: Mapping[str, Any]) -> OutputState:
    """Stores of before states have `ok` alone."""
    state: OutputState = check.get("state") or ("ok" if check["ok"] else "differs")
    return state


def _latency(every: NDArray[np.int64], centre: stats.Centre) -> Latency:
    return Latency(
        p50=_ms(centre.p50), p50_low=_ms(centre.low), p50_high=_ms(centre.high),
        p90=_ms(stats.percentile_or_none(every, 90)), p99=_ms(stats.percentile_or_none(every, 99)),
        min=_ms(float(every.min())), mean=_ms(float(every.mean())),
        within_cv=centre.within_cv, between_cv=centre.between_cv)


def _memory(trials: Sequence[TrialRecord]) -> Memory:
    def median_of(key: str) -> float | None:
        value = _median([trial.memory.get(key) for trial in trials])
        return None if value is None else value / MIB

    above = [trial.memory["peak_rss_bytes"] - trial.memory["after_import_bytes"] for trial in trials
             if trial.memory.get("peak_rss_bytes") and trial.memory.get("after_import_bytes")]
    model = _median(above)
    return Memory(median_of("peak_rss_bytes"), None if model is None else model / MIB, median_of("pss_bytes"))


def _median(values: Sequence[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return stats.percentile(known, 50) if known else None


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6


def _worst(checks: Sequence[Mapping[str, Any]], key: str, pick: Callable[[list[float]], float]) -> float | None:
    known = [float(check[key]) for check in checks if check.get(key) is not None]
    return pick(known) if known else None
