"""From what is stored to what is read: a run's trials become cells with centres, intervals and reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench import stats
from bench.collect import marks
from bench.results import (
    Accuracy,
    ArtifactRef,
    CellResult,
    DeviceSummary,
    Latency,
    Memory,
    Outputs,
    RunInfo,
    RunResult,
)
from bench.store.packing import unpack
from bench.store.records import CellRecord, SessionRecord, StoredRun, TrialRecord
from bench.units import MIB

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUANTILES = [2.5 * step for step in range(41)]
NOISY_CV = 0.10
"""A spread between processes worth a warning; pyperf warns of the same share."""


def collect(stored: StoredRun) -> RunResult:
    """The result of a stored run; nothing is measured or looked up elsewhere."""
    by_cell: dict[str, list[TrialRecord]] = defaultdict(list)
    for trial in stored.trials:
        by_cell[trial.cell].append(trial)
    sessions: dict[str, list[SessionRecord]] = defaultdict(list)
    for session in stored.sessions:
        sessions[session.device].append(session)
    newest = {device: opened[-1] for device, opened in sessions.items()}
    run = stored.run
    info = RunInfo(run.id, run.suite, run.started, run.finished, run.state, run.settings, run.host, tuple(run.notes))
    wanted = run.settings.get("measure", {}).get("trials", 0)
    cells = tuple(_cell(cell, by_cell[cell.cell], newest.get(cell.device), wanted) for cell in stored.cells)
    return RunResult(info, cells, tuple(_device(opened, stored) for opened in sessions.values()))


def _cell(cell: CellRecord, trials: Sequence[TrialRecord], session: SessionRecord | None, wanted: int) -> CellResult:
    identity: dict[str, Any] = {
        "cell": cell.cell, "device": cell.device, "emulated": bool(session and session.facts.get("emulated")),
        "model": cell.model, "format": cell.format, "precision": cell.precision, "runtime": cell.runtime,
        "delegate": cell.delegate, "threads": cell.threads, "batch": cell.batch}
    if cell.artifact is not None:
        identity["artifact"] = ArtifactRef(cell.artifact["sha256"], cell.artifact["bytes"])
    if cell.status == "skipped":
        return CellResult(**identity, status="skipped", reason=cell.reason, fault=cell.fault)
    final = _standing(trials)
    failed = [trial for trial in final if trial.state == "failed" and trial.kind == "latency"]
    timed = [trial for trial in final if trial.state == "ok" and trial.kind == "latency"]
    scored = [trial for trial in final if trial.state == "ok" and trial.kind == "accuracy"]
    if failed:
        return CellResult(**identity, status="failed", reason=_why(failed[0]), fault=failed[0].fault)
    if not timed:
        return CellResult(**identity, status="failed", reason="not measured: the run was interrupted before it",
                          fault="infrastructure")
    sampled = [(trial, unpack(trial.samples)) for trial in timed if trial.samples]
    samples = [taken for _, taken in sampled]
    centre = stats.cell_centre(samples)
    throttled, disturbance = marks.throttling(sampled), marks.disturbance(sampled)
    warnings = [f"throttled: {throttled}"] * (throttled is not None)
    warnings += _warnings(cell, final, centre, wanted, session)
    warnings += [f"disturbed: {disturbance}"] * (disturbance is not None)
    return CellResult(**identity, status="ok", **_measured(timed, samples, centre), accuracy=_accuracy(scored),
                      outputs=_outputs([*timed, *scored]), cores=marks.cores_of(timed), throttled=throttled,
                      warnings=tuple(dict.fromkeys(warnings)))


def _standing(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Of each trial the attempt that counts: a later one stands for an earlier, and nothing over a success."""
    final: dict[tuple[str, int], TrialRecord] = {}
    for trial in trials:
        before = final.get((trial.kind, trial.number))
        if before is None or before.state == "failed":
            final[trial.kind, trial.number] = trial
    return list(final.values())


def _why(trial: TrialRecord) -> str:
    return f"{trial.kind} trial {trial.number}: {trial.reason}"


def _measured(timed: Sequence[TrialRecord], samples: Sequence[NDArray[np.int64]],
              centre: stats.Centre) -> dict[str, Any]:
    """What the cell's latency trials say together."""
    import numpy as np

    every = np.concatenate(samples)
    wall_ns = sum(trial.phases["samples_ns"] for trial in timed)
    return {
        "latency_ms": Latency(
            p50=_ms(centre.p50), p50_low=_ms(centre.low), p50_high=_ms(centre.high),
            p90=_ms(stats.percentile_or_none(every, 90)), p99=_ms(stats.percentile_or_none(every, 99)),
            min=_ms(float(every.min())), mean=_ms(float(every.mean())),
            within_cv=centre.within_cv, between_cv=centre.between_cv),
        "throughput_per_s": every.size / (wall_ns / 1e9),
        "load_ms": _ms(_median([trial.phases.get("load_ns") for trial in timed])),
        "first_inference_ms": _ms(_median([trial.phases.get("first_ns") for trial in timed])),
        "trials": len(timed), "samples": int(every.size), "memory_mib": _memory(timed),
        "trial_medians_ms": tuple(float(np.median(trial)) / 1e6 for trial in samples),
        "trial_peak_rss_mib": tuple(trial.memory["peak_rss_bytes"] / MIB for trial in timed
                                    if trial.memory.get("peak_rss_bytes")),
        "trial_seconds": sum(trial.seconds for trial in timed) / len(timed), "source": timed[-1].source,
        "quantiles_ms": tuple((np.percentile(every, QUANTILES) / 1e6).tolist()),
    }


def _memory(timed: Sequence[TrialRecord]) -> Memory:
    def median_of(key: str) -> float | None:
        value = _median([trial.memory.get(key) for trial in timed])
        return None if value is None else value / MIB

    above = [trial.memory["peak_rss_bytes"] - trial.memory["after_import_bytes"] for trial in timed
             if trial.memory.get("peak_rss_bytes") and trial.memory.get("after_import_bytes")]
    model = _median(above)
    return Memory(median_of("peak_rss_bytes"), None if model is None else model / MIB, median_of("pss_bytes"))


def _median(values: Sequence[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return stats.percentile(known, 50) if known else None


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6


def _accuracy(scored: Sequence[TrialRecord]) -> Accuracy | None:
    if not scored or scored[-1].accuracy is None:
        return None
    found = scored[-1].accuracy
    return Accuracy(found["metric"], found["value"], found["count"], found["reference"] - found["value"])


def _outputs(timed: Sequence[TrialRecord]) -> Outputs | None:
    """The worst of all trials' checks."""
    checks = [trial.outputs for trial in timed if trial.outputs is not None]
    if not checks:
        return None
    return Outputs(all(check["ok"] for check in checks), _worst(checks, "max_abs", max), _worst(checks, "cosine", min),
                   _worst(checks, "sqnr_db", min), _worst(checks, "agreement", min))


def _worst(checks: Sequence[dict[str, Any]], key: str, pick: Any) -> float | None:
    known = [float(check[key]) for check in checks if check.get(key) is not None]
    return pick(known) if known else None


def _warnings(cell: CellRecord, trials: Sequence[TrialRecord], centre: stats.Centre, wanted: int,
              session: SessionRecord | None) -> list[str]:
    """What a reader must know before acting on the cell's numbers."""
    found = list((cell.artifact or {}).get("warnings", []))
    timed = [trial for trial in trials if trial.kind == "latency"]
    for trial in trials:
        check = trial.outputs or {}
        found += [text for text in (check.get("reason"), check.get("warning")) if text]
        if trial.state == "failed":
            found.append(f"{trial.kind} is not known: {trial.reason}")
    if len({str(sorted(trial.versions.items())) for trial in timed}) > 1:
        found.append("its trials ran under different versions of the runtime, numpy or Python")
    if marks.different_cores(timed):
        found.append("its trials were allowed different cores")
    found += _other_load(timed, cell.threads, session)
    if len(timed) < wanted:
        found.append(f"{len(timed)} of {wanted} trials: the run was interrupted")
    restless = [trial.number for trial in timed if trial.warm_up and not trial.warm_up["settled"]]
    if restless:
        found.append(f"warm-up never settled in {len(restless)} of {len(timed)} trials")
    if centre.note:
        found.append(centre.note)
    repeated = sum(trial.attempt > 1 for trial in timed)
    if repeated:
        found.append(f"{repeated} of {len(timed)} trials were repeated after the link failed")
    if centre.between_cv is not None and centre.between_cv > NOISY_CV:
        found.append(f"noisy: trial medians vary by {100 * centre.between_cv:.0f} % (standard deviation over mean); "
                     "look for other load, clocks or heat")
    return found


def _other_load(timed: Sequence[TrialRecord], threads: int, session: SessionRecord | None) -> list[str]:
    """A warning when, before some trial, so many other processes wanted to run that the cores were short."""
    cores = session.facts.get("cores") if session else None
    loads = [seen["load_1m"] for trial in timed for seen in trial.conditions
             if seen.get("when") == "before" and seen.get("load_1m") is not None]
    if not cores or not loads or max(loads) < max(cores, threads + 1):
        return []
    return [f"other load: up to {max(loads):.1f} processes wanted to run on {cores} cores before a trial"]


def _device(sessions: Sequence[SessionRecord], stored: StoredRun) -> DeviceSummary:
    session = sessions[-1]
    cells = {cell.cell for cell in stored.cells if cell.device == session.device}
    conditions = tuple(seen for trial in stored.trials if trial.cell in cells for seen in trial.conditions)
    versions = {**session.runtimes, "agent": session.agent[:16]}
    return DeviceSummary(session.device, bool(session.facts.get("emulated")), session.facts, versions,
                         conditions, marks.of_device(sessions, conditions))
