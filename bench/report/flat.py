"""A cell as one record of plain columns, units in their names: what CSV, Parquet and data frames hold."""

from __future__ import annotations

import math
from typing import Final

from bench.judge.ranking import Speedup, baselines, speedup
from bench.judge.types import CellPair, Comparison
from bench.report.morning import Morning
from bench.report.text import visible
from bench.results import CellResult, Judgement, Outputs, RunInfo

LONGEST_TEXT: Final = 10_000
TEXT: Final = ("run", "suite", "started", "device", "model", "format", "precision", "runtime", "delegate", "status",
               "reason", "fault", "artifact_sha256", "accuracy_metric", "cores_wanted", "cores_used", "warnings",
               "badge", "outputs_state", "checks_failed", "expectations", "expectations_broken", "baseline_run",
               "verdict")
WHOLE: Final = ("threads", "batch", "artifact_bytes", "trials", "samples", "accuracy_count")
TRUTH: Final = ("emulated", "outputs_ok", "throttled", "disturbed")


_WORST_FIRST: Final = ("broken", "inconclusive", "not judged", "kept")
JUDGED: Final = ("expectations", "expectations_broken", "baseline_run", "verdict", "ratio_vs_baseline",
                 "ratio_vs_baseline_low", "ratio_vs_baseline_high")


def records(morning: Morning) -> list[dict[str, object]]:
    """One record a cell, all with the keys of `columns()`; unknown is None. Text is made visible: one line."""
    result = morning.result
    fp32, standings = baselines(result.cells), _standings(morning.comparison)
    outcomes = _judged(result.run.judgement)
    return [_record(result.run, cell, speedup(cell, fp32),
                    {**outcomes.get(cell.cell, {}), **standings.get(cell.cell, {})}) for cell in result.cells]


def columns() -> list[str]:
    """The names of the columns, in order."""
    nothing = CellResult("", "", False, "", "", "", "", "", 1, None, "skipped")
    return list(_record(RunInfo("", "", "", None, "", {}, {}), nothing, None, {}))


def finite(value: float | None) -> float | None:
    """`value`, or None where it is no finite number."""
    return value if value is not None and math.isfinite(value) else None


def _record(run: RunInfo, cell: CellResult, gain: Speedup | None, judged: dict[str, object]) -> dict[str, object]:
    record = {**_identity(run, cell), **_speed(cell), "speedup_vs_fp32": gain.ratio if gain else None, **_cost(cell),
              **_quality(cell), **_conditions(cell), "warnings": "; ".join(cell.warnings) or None, **_trust(cell),
              **{name: judged.get(name) for name in JUDGED}}
    return {name: visible(value, LONGEST_TEXT) if isinstance(value, str) else value for name, value in record.items()}


def _identity(run: RunInfo, cell: CellResult) -> dict[str, object]:
    return {"run": run.id, "suite": run.suite, "started": run.started, "device": cell.device, "emulated": cell.emulated,
            "model": cell.model, "format": cell.format, "precision": cell.precision, "runtime": cell.runtime,
            "delegate": cell.delegate, "threads": cell.threads, "batch": cell.batch, "status": cell.status,
            "reason": cell.reason, "fault": cell.fault}


def _speed(cell: CellResult) -> dict[str, object]:
    latency = cell.latency_ms
    return {"latency_p50_ms": finite(latency.p50), "latency_p50_low_ms": finite(latency.p50_low),
            "latency_p50_high_ms": finite(latency.p50_high), "latency_p90_ms": finite(latency.p90),
            "latency_p99_ms": finite(latency.p99), "latency_min_ms": finite(latency.min),
            "latency_mean_ms": finite(latency.mean), "within_cv": finite(latency.within_cv),
            "between_cv": finite(latency.between_cv), "throughput_per_s": finite(cell.throughput_per_s),
            "load_ms": finite(cell.load_ms), "first_inference_ms": finite(cell.first_inference_ms),
            "trials": cell.trials, "samples": cell.samples}


def _cost(cell: CellResult) -> dict[str, object]:
    artifact, memory = cell.artifact, cell.memory_mib
    return {"artifact_sha256": artifact.sha256 if artifact else None,
            "artifact_bytes": artifact.bytes if artifact else None, "memory_peak_rss_mib": finite(memory.peak_rss),
            "memory_model_mib": finite(memory.model), "memory_pss_mib": finite(memory.pss)}


def _quality(cell: CellResult) -> dict[str, object]:
    score, check = cell.accuracy, cell.outputs or Outputs("unknown")
    return {"accuracy_metric": score.metric if score else None, "accuracy": finite(score.value) if score else None,
            "accuracy_count": score.count if score else None, "accuracy_drop": finite(score.drop) if score else None,
            "outputs_ok": None if check.state == "unknown" else not check.wrong,
            "outputs_state": check.state if cell.outputs else None, "outputs_max_abs": finite(check.max_abs),
            "outputs_cosine": finite(check.cosine), "outputs_sqnr_db": finite(check.sqnr_db),
            "outputs_agreement": finite(check.agreement), "outputs_part_sqnr_db": finite(check.part_sqnr_db)}


def _conditions(cell: CellResult) -> dict[str, object]:
    """How it was run. The cores' numbers are in words: `4 5 6 7`."""
    wanted, used = (cell.cores.wanted, cell.cores.used) if cell.cores else (None, ())
    return {"cores_wanted": " ".join(map(str, wanted)) if isinstance(wanted, tuple) else wanted,
            "cores_used": " ".join(map(str, used)) or None,
            "throttled": cell.throttled is not None if cell.status == "ok" else None,
            "disturbed": cell.disturbed is not None if cell.status == "ok" else None}


def _trust(cell: CellResult) -> dict[str, object]:
    failed = [check.name for check in cell.checks if check.state == "failed"]
    return {"badge": cell.badge if cell.status == "ok" else None, "checks_failed": "; ".join(failed) or None}


def _judged(judgement: Judgement | None) -> dict[str, dict[str, object]]:
    """By cell, the worst state of what is expected of it, and what of that is broken."""
    states: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    for outcome in judgement.outcomes if judgement else ():
        states.setdefault(outcome.cell, []).append(outcome.state)
        if outcome.state == "broken":
            broken.setdefault(outcome.cell, []).append(f"{outcome.expectation} {outcome.limit}")
    return {cell: {"expectations": min(found, key=_WORST_FIRST.index),
                   "expectations_broken": "; ".join(broken.get(cell, ())) or None} for cell, found in states.items()}


def _standings(comparison: Comparison | None) -> dict[str, dict[str, object]]:
    """By cell, how it stands to the baseline: ratios are of the p50, now over then."""
    if comparison is None:
        return {}
    run = comparison.before.run.id
    lost = {refused.after.cell: "not comparable" for refused in comparison.refused}
    lost |= {cell.cell: "broke" for cell in comparison.broke} | {cell.cell: "mended" for cell in comparison.mended}
    return {**{pair.after.cell: {"baseline_run": run, **_ratio(pair)} for pair in comparison.pairs},
            **{cell: {"baseline_run": run, "verdict": word} for cell, word in lost.items()}}


def _ratio(pair: CellPair) -> dict[str, object]:
    verdict = pair.latency
    return {"verdict": verdict.call, "ratio_vs_baseline": finite(verdict.ratio),
            "ratio_vs_baseline_low": finite(verdict.low), "ratio_vs_baseline_high": finite(verdict.high)}
