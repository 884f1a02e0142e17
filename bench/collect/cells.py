"""From what is stored to what is read: a run's trials become cells with centres, intervals and reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bench import stats
from bench.collect import behaviour, circumstances, judgements, marks, measured, privacy, remarks
from bench.collect.devices import summary
from bench.collect.steadiness import steadiness
from bench.results import ArtifactRef, CellResult, Outputs, RunInfo, RunResult
from bench.store.records import CellRecord, RunRecord, SessionRecord, StoredRun, TrialRecord

UNFINISHED: Final = {"running": "not measured yet: the run is in progress",
                     "interrupted": "not measured yet: the run was interrupted before it"}
"""By the states of runs that have not ended: why a cell of them has no numbers."""


def collect(stored: StoredRun) -> RunResult:
    """The result of a stored run; nothing is measured or looked up elsewhere."""
    trials: dict[str, list[TrialRecord]] = defaultdict(list)
    for trial in stored.trials:
        trials[trial.cell].append(trial)
    sessions = by_device(stored.sessions)
    device_of = {cell.cell: cell.device for cell in stored.cells}
    conditions: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    for trial in stored.trials:
        conditions[device_of[trial.cell]].append(trial.conditions)
    return privacy.of_result(RunResult(
        run_info(stored.run),
        tuple(cell_result(cell, trials[cell.cell], sessions.get(cell.device, []), stored.run) for cell in stored.cells),
        tuple(summary(opened, conditions[device], len(conditions[device])) for device, opened in sessions.items())),
        stored.run)


def by_device(sessions: Sequence[SessionRecord]) -> dict[str, list[SessionRecord]]:
    """The sessions of each device, in the order they were opened."""
    found: dict[str, list[SessionRecord]] = defaultdict(list)
    for session in sessions:
        found[session.device].append(session)
    return dict(found)


def run_info(run: RunRecord) -> RunInfo:
    """The run itself, without its cells, as it may be passed on."""
    info = RunInfo(run.id, run.suite, run.started, run.finished, run.state, run.settings, run.host, tuple(run.notes),
                   None if run.judgement is None else judgements.from_json(run.judgement))
    return privacy.of_run(info, run)


def cell_result(cell: CellRecord, trials: Sequence[TrialRecord], sessions: Sequence[SessionRecord],
                run: RunRecord) -> CellResult:
    """The result of one cell, from all its trials as they were recorded and its device's sessions."""
    newest = sessions[-1] if sessions else None
    identity: dict[str, Any] = {
        "cell": cell.cell, "device": cell.device, "emulated": bool(newest and newest.facts.get("emulated")),
        "model": cell.model, "format": cell.format, "precision": cell.precision, "runtime": cell.runtime,
        "delegate": cell.delegate, "threads": cell.threads, "batch": cell.batch}
    if cell.artifact is not None:
        identity["artifact"] = ArtifactRef(cell.artifact["sha256"], cell.artifact["bytes"])
    if cell.status == "skipped":
        return CellResult(**identity, status="skipped", reason=cell.reason, fault=cell.fault)
    measure = run.settings.get("measure", {})
    final = _standing(trials)
    latency = [trial for trial in final if trial.kind == "latency"]
    if not latency and run.state in UNFINISHED:
        return CellResult(**identity, status="pending", reason=UNFINISHED[run.state])
    failed = [trial for trial in latency if trial.state == "failed" and not _beyond(trial, measure)]
    ended = [trial for trial in latency if trial.state == "ok"]
    if failed or (latency and not ended):
        why = (failed or latency)[0]
        return CellResult(**identity, status="failed", reason=f"latency trial {why.number}: {why.reason}",
                          fault=why.fault, tried=not why.settings.get("untried"))
    if not ended:
        return CellResult(**identity, status="failed", reason="not measured: the run ended without it",
                          fault="infrastructure")
    return CellResult(**identity, **_measured(cell, final, ended, sessions, run))


def _measured(cell: CellRecord, final: Sequence[TrialRecord], ended: Sequence[TrialRecord],
              sessions: Sequence[SessionRecord], run: RunRecord) -> dict[str, Any]:
    """The fields of a cell that has its numbers."""
    every = [marks.look_at(trial) for trial in sorted(ended, key=lambda trial: trial.number) if trial.samples]
    measure = run.settings.get("measure", {})
    timed = marks.undisturbed(every, measure.get("trials", 0))
    counted = [each.trial for each in timed]
    scored = [trial for trial in final if trial.state == "ok" and trial.kind == "accuracy"]
    centre = stats.cell_centre([each.samples for each in timed])
    return {
        "status": "ok", **measured.numbers(timed, centre),
        "accuracy": measured.accuracy(scored, (cell.artifact or {}).get("chance")),
        "outputs": _proven(cell, measured.outputs([*ended, *scored])), **measured.in_turn(final),
        "left_out": len(every) - len(timed), "cores": marks.cores_of(counted),
        "throttled": marks.throttling(timed), "steadiness": steadiness(timed),
        "circumstances": circumstances.of(cell, counted, sessions), "behaviour": tuple(behaviour.warnings(final)),
        "warnings": remarks.of_cell(cell, final, every, timed, centre, measure, sessions[-1] if sessions else None,
                                    in_progress=run.state == "running")}


def _proven(cell: CellRecord, found: Outputs | None) -> Outputs | None:
    """The check of outputs; that they are close to the reference's is not known to hold for real inputs where those
    here were made up for calibration and verification alike."""
    doubt = remarks.unproven(cell)
    return replace(found, state="unknown", reason=doubt) if found and found.state == "ok" and doubt else found


def _standing(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Of each trial the attempt that counts: a later one stands for an earlier, and nothing over a success."""
    final: dict[tuple[str, int], TrialRecord] = {}
    for trial in trials:
        before = final.get((trial.kind, trial.number))
        if before is None or before.state == "failed":
            final[trial.kind, trial.number] = trial
    return list(final.values())


def _beyond(trial: TrialRecord, measure: Mapping[str, Any]) -> bool:
    """Whether it is beyond what the suite asks for at least: taken for a narrower interval, or for a verdict."""
    return measured.is_retry(trial) or 0 < measure.get("trials", 0) < trial.number
