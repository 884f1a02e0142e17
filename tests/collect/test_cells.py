"""From stored trials to a cell: centres, percentiles where there are enough samples, reasons, warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.collect.cells import collect
from bench.results import CellResult
from bench.store.packing import pack
from bench.store.records import CellRecord, SessionRecord, StoredRun, TrialRecord
from bench.units import MIB

RUN = "20260101-000000-aaaa"
GOOD = {"ok": True, "max_abs": 0.5, "cosine": 0.99, "sqnr_db": 30.0, "agreement": 1.0}
ARTIFACT = {"sha256": "a" * 64, "bytes": 1234, "warnings": ["the calibration data are few"]}


def trial(number: int, ms: list[float], **changes: Any) -> TrialRecord:
    """A latency trial with these samples."""
    taken = [round(value * 1e6) for value in ms]
    record = TrialRecord(
        RUN, "c", 1, "latency", number, 1, "2026-01-01T00:00:00Z", 1.0, "ok", "a" * 64, "b" * 64, {}, {}, [],
        {"import_ns": 1, "load_ns": 7_000_000, "first_ns": 3_000_000, "samples_ns": sum(taken)},
        {"after_import_bytes": 10 * MIB, "peak_rss_bytes": 30 * MIB, "pss_bytes": None}, pack(taken), len(taken),
        warm_up={"runs": 9, "ns": 1, "settled": True}, outputs=GOOD)
    return replace(record, **changes)


def failed(number: int, attempt: int = 1, **changes: Any) -> TrialRecord:
    return replace(trial(number, [1.0]), state="failed", attempt=attempt, samples=None, sample_count=0, phases={},
                   memory={}, outputs=None, **({"fault": "device", "reason": "killed by signal 9"} | changes))


def accuracy(value: float, reference: float) -> TrialRecord:
    return replace(trial(1, [1.0]), kind="accuracy", samples=None, sample_count=0, outputs=None,
                   accuracy={"metric": "top1", "value": value, "count": 100, "reference": reference})


def cell_of(*trials: TrialRecord, wanted: int = 0, state: str = "incomplete", **changes: Any) -> CellResult:
    from tests.fakes.fake_cells import fake_run

    record = CellRecord(RUN, "c", 0, "here", "m", "onnx", "fp32", "onnxruntime", "cpu", 1, 1, "planned",
                        artifact=ARTIFACT)
    session = SessionRecord(1, RUN, "here", "2026-01-01T00:00:00Z", "boot", "f" * 64, {"emulated": False}, {})
    run = fake_run(RUN, settings={"measure": {"trials": wanted}}, state=state)
    (cell,) = collect(StoredRun(run, (replace(record, **changes),), (session,), trials)).cells
    return cell


def test_a_cells_centre_is_the_median_of_its_trials_medians() -> None:
    cell = cell_of(trial(1, [1.0, 2.0, 9.0]), trial(2, [3.0] * 50), trial(3, [4.0, 5.0, 6.0]))
    assert cell.latency_ms.p50 == 3.0
    assert cell.trial_medians_ms == (2.0, 3.0, 5.0)
    assert (cell.source, cell.trial_seconds, cell.trial_peak_rss_mib) == ("b" * 64, 1.0, (30.0, 30.0, 30.0))
    low, high = cell.latency_ms.p50_low, cell.latency_ms.p50_high
    assert low is not None and high is not None and low <= 3.0 <= high
    assert (cell.latency_ms.min, cell.trials, cell.samples) == (1.0, 3, 56)
    assert (cell.load_ms, cell.first_inference_ms) == (7.0, 3.0)
    assert cell.throughput_per_s == pytest.approx(56 / 0.177)
    assert (cell.memory_mib.peak_rss, cell.memory_mib.model, cell.memory_mib.pss) == (30.0, 20.0, None)


@pytest.mark.parametrize(("count", "p90", "p99"), [(63, False, False), (64, True, False), (661, True, False),
                                                   (662, True, True)])
def test_percentiles_are_told_only_of_enough_samples(count: int, p90: bool, p99: bool) -> None:
    latency = cell_of(trial(1, [1.0 + index / 1000 for index in range(count)])).latency_ms
    assert (latency.p90 is not None, latency.p99 is not None) == (p90, p99)
    assert latency.p50 is not None and latency.mean is not None


def test_a_later_attempt_stands_for_an_earlier_one() -> None:
    cell = cell_of(failed(1, fault="infrastructure", reason="cut"), trial(1, [2.0] * 5, attempt=2), trial(2, [2.0] * 5))
    assert (cell.status, cell.trials) == ("ok", 2)
    assert "1 of 2 trials were repeated after a first attempt that failed" in cell.warnings


def test_a_cell_with_a_trial_that_failed_for_good_has_no_numbers() -> None:
    cell = cell_of(trial(1, [2.0] * 5), failed(2, 1), failed(2, 2, reason="killed by signal 11"))
    assert (cell.status, cell.fault, cell.reason) == ("failed", "device", "latency trial 2: killed by signal 11")
    assert cell.latency_ms.p50 is None and cell.outputs is None and cell.accuracy is None
    assert cell.artifact is not None and cell.artifact.bytes == 1234


def test_a_failed_accuracy_trial_leaves_the_latency_and_is_told() -> None:
    cell = cell_of(trial(1, [2.0] * 5), replace(failed(1), kind="accuracy"))
    assert (cell.status, cell.accuracy) == ("ok", None)
    assert "accuracy is not known: killed by signal 9" in cell.warnings


def test_a_success_stands_over_a_failure_that_was_recorded_later() -> None:
    cell = cell_of(trial(1, [2.0] * 5), failed(1, 2))
    assert cell.status == "ok"


EARLIER, OTHER = "20251231-000000-eeee", "20251230-000000-dddd"


def baseline(number: int, ms: list[float], of: str = EARLIER, **changes: Any) -> TrialRecord:
    return replace(trial(number, ms, settings={"retry_of": of}, **changes), kind="baseline")


def retried(number: int, ms: list[float], beside: str | None = EARLIER, **changes: Any) -> TrialRecord:
    return trial(number, ms, settings={"retry": True} | ({"retry_of": beside} if beside else {}), **changes)


def test_baseline_trials_are_told_apart_and_leave_the_cells_numbers_alone() -> None:
    own = [trial(1, [2.0] * 5), retried(2, [3.0] * 5), retried(3, [4.0] * 5)]
    cell = cell_of(*own, baseline(2, [9.0] * 5), baseline(1, [8.0] * 5), wanted=1)
    assert (cell.baseline_run, cell.baseline_medians_ms) == (EARLIER, (8.0, 9.0))
    assert (cell.trial_medians_ms, cell.retry_medians_ms) == ((2.0, 3.0, 4.0), (3.0, 4.0))
    alone = cell_of(*own, wanted=1)
    assert (cell.baseline_loads_ms, cell.retry_peak_rss_mib) == ((7.0, 7.0), (30.0, 30.0))
    sides = {f"{side}_{name}": () for side in ("baseline", "retry")
             for name in ("medians_ms", "p90s_ms", "loads_ms", "peak_rss_mib")}
    assert replace(cell, **sides, baseline_run=None) == alone


def test_trials_beside_one_baseline_are_not_mixed_with_those_beside_another_or_none() -> None:
    cell = cell_of(trial(1, [2.0] * 5), retried(2, [3.0] * 5, OTHER), baseline(1, [8.0] * 5, OTHER),
                   retried(3, [4.0] * 5, None), retried(4, [5.0] * 5), baseline(2, [9.0] * 5), wanted=1)
    assert (cell.baseline_run, cell.retry_medians_ms, cell.baseline_medians_ms) == (EARLIER, (5.0,), (9.0,))
    assert cell.trials == 4


def test_one_poor_trial_makes_the_outputs_poor_with_its_reason_and_its_worst_part() -> None:
    good = GOOD | {"state": "ok", "part": "index 1", "part_sqnr_db": 25.0}
    poor = GOOD | {"state": "poor", "reason": "SQNR 12.9 dB", "sqnr_db": 12.9, "part": "index 4", "part_sqnr_db": 7.5,
                   "short": "12.9 dB"}
    cell = cell_of(trial(1, [2.0] * 5, outputs=good), trial(2, [2.0] * 5, outputs=poor))
    assert cell.outputs is not None and (cell.outputs.state, cell.outputs.reason) == ("poor", "SQNR 12.9 dB")
    assert (cell.outputs.part, cell.outputs.word) == ("index 4", "poor 12.9 dB")
    poorer = poor | {"sqnr_db": 11.0, "reason": "SQNR 11.0 dB", "short": "11.0 dB"}
    cell = cell_of(trial(1, [2.0] * 5, outputs=poor), trial(2, [2.0] * 5, outputs=poorer))
    assert cell.outputs is not None and (cell.outputs.word, cell.outputs.reason) == ("poor 11.0 dB", "SQNR 11.0 dB")
    unknown = {"ok": None, "state": "unknown", "reason": "draws random numbers"}
    cell = cell_of(trial(1, [2.0] * 5, outputs=unknown))
    assert cell.outputs is not None and (cell.outputs.state, cell.outputs.wrong) == ("unknown", False)


def test_what_a_baselines_trial_printed_of_its_outputs_is_not_said_of_the_cell() -> None:
    bad = GOOD | {"ok": False, "reason": "output 0 holds NaN"}
    cell = cell_of(trial(1, [2.0] * 5), baseline(1, [2.0] * 5, outputs=bad, versions={"runtime": "old"}))
    assert cell.outputs is not None and cell.outputs.state == "ok"
    assert not any("NaN" in text or "versions" in text for text in cell.warnings)


def test_a_further_trial_that_failed_leaves_the_cell_measured_and_is_told() -> None:
    cell = cell_of(trial(1, [2.0] * 5), trial(2, [2.0] * 5), failed(3), wanted=2)
    assert (cell.status, cell.trials) == ("ok", 2)
    assert "a further trial failed and does not count: killed by signal 9" in cell.warnings
    again = cell_of(trial(1, [2.0] * 5), replace(failed(2), settings={"retry": True}), wanted=1)
    assert (again.status, again.trials) == ("ok", 1)
    lost = cell_of(trial(1, [2.0] * 5), replace(failed(1), kind="baseline"), wanted=1)
    assert lost.status == "ok" and "a trial of the baseline's artifact failed: killed by signal 9" in lost.warnings


def test_a_failed_trial_of_the_suites_own_still_fails_the_cell() -> None:
    assert cell_of(trial(1, [2.0] * 5), failed(2), wanted=2).reason == "latency trial 2: killed by signal 9"
    assert cell_of(replace(failed(7), settings={"retry": True}), wanted=1).status == "failed"


def test_trials_of_a_verdict_do_not_stand_for_the_suites_own() -> None:
    cell = cell_of(trial(1, [2.0] * 5), retried(2, [2.0] * 5), wanted=2)
    assert "1 of 2 trials: the run was interrupted" in cell.warnings
    assert not any("interrupted" in text for text in cell_of(*(trial(number, [2.0] * 5) for number in range(1, 8)),
                                                             wanted=2).warnings), "measured until narrow enough"


def test_a_cell_that_was_not_reached_says_so() -> None:
    cell = cell_of()
    assert (cell.status, cell.fault) == ("failed", "infrastructure")
    assert cell.reason == "not measured: the run ended without it"


@pytest.mark.parametrize(("state", "reason"), [
    ("running", "not measured yet: the run is in progress"),
    ("interrupted", "not measured yet: the run was interrupted before it")])
def test_a_cell_that_waits_in_a_run_that_has_not_ended_has_not_failed(state: str, reason: str) -> None:
    cell = cell_of(state=state)
    assert (cell.status, cell.fault, cell.reason) == ("pending", None, reason)
    begun = cell_of(trial(1, [2.0] * 5), wanted=3, state=state)
    assert begun.status == "ok"
    assert (f"1 of 3 trials: the run {'is in progress' if state == 'running' else 'was interrupted'}" in begun.warnings)
    assert cell_of(failed(1), state=state).status == "failed"


def test_a_cell_that_was_cut_short_has_its_numbers_and_says_of_how_many_trials() -> None:
    cell = cell_of(trial(1, [2.0] * 5), wanted=3)
    assert cell.status == "ok" and "1 of 3 trials: the run was interrupted" in cell.warnings
    assert not any("interrupted" in text for text in cell_of(trial(1, [2.0] * 5), wanted=1).warnings)


def test_a_skipped_cell_keeps_its_reason() -> None:
    cell = cell_of(status="skipped", reason="no recipe", fault="model", artifact=None)
    assert (cell.status, cell.reason, cell.fault, cell.artifact) == ("skipped", "no recipe", "model", None)


def test_the_worst_of_all_trials_checks_is_the_cells() -> None:
    worse = GOOD | {"max_abs": 0.9, "cosine": 0.5, "sqnr_db": 12.0, "agreement": 0.7, "warning": "worse than the host"}
    cell = cell_of(trial(1, [2.0] * 5), trial(2, [2.0] * 5, outputs=worse))
    assert cell.outputs is not None and cell.outputs.state == "ok"
    assert (cell.outputs.max_abs, cell.outputs.cosine, cell.outputs.sqnr_db, cell.outputs.agreement) == (
        0.9, 0.5, 12.0, 0.7)
    assert "worse than the host" in cell.warnings


def test_one_bad_check_is_enough_and_its_reason_is_a_warning() -> None:
    bad = {"ok": False, "reason": "output 0 holds NaN or infinity", "max_abs": None, "cosine": None, "sqnr_db": None,
           "agreement": None}
    cell = cell_of(trial(1, [2.0] * 5), trial(2, [2.0] * 5, outputs=bad))
    assert cell.outputs is not None and cell.outputs.wrong and cell.outputs.max_abs == 0.5
    assert "output 0 holds NaN or infinity" in cell.warnings


def test_accuracy_is_told_with_its_drop_against_fp32() -> None:
    found = cell_of(trial(1, [2.0] * 5), accuracy(0.80, 0.85)).accuracy
    assert found is not None and (found.metric, found.value, found.count) == ("top1", 0.80, 100)
    assert found.drop == pytest.approx(0.05)


def test_what_a_reader_must_know_is_warned_of_once() -> None:
    restless = {"runs": 9, "ns": 1, "settled": False}
    cell = cell_of(trial(1, [1.0] * 5, warm_up=restless), trial(2, [2.0] * 5, warm_up=restless))
    assert "the calibration data are few" in cell.warnings
    assert "warm-up never settled in 2 of 2 trials" in cell.warnings
    assert any(text.startswith("noisy: trial medians vary by 47 %") for text in cell.warnings)
    assert len(set(cell.warnings)) == len(cell.warnings)


def test_a_cell_has_41_quantiles_of_all_its_samples() -> None:
    shown = cell_of(trial(1, [float(index) for index in range(1, 5001)])).quantiles_ms
    assert (len(shown), shown[0], shown[20], shown[-1]) == (41, 1.0, 2500.5, 5000.0)


@pytest.mark.parametrize(("precision", "artifact", "state", "reason"), [
    ("int8", {"inputs": {"x": "generated", "y": "file"}}, "unknown", "int8 was calibrated on made-up values of x"),
    ("int8", {"inputs": {"x": "dataset"}}, "ok", None), ("int8-dynamic", {"inputs": {"x": "generated"}}, "ok", None),
    ("fp32", {"inputs": {"x": "generated"}}, "ok", None),
    ("int8", {"inputs": {"x": "generated"}, "source": "a" * 64}, "ok", None),
    ("int8", {"inputs": {"x": "generated"}, "unproven": None}, "ok", None),
    ("int8", {"inputs": {"x": "file"}, "unproven": "there is one sample"}, "unknown", "there is one sample")])
def test_outputs_of_what_was_calibrated_on_made_up_values_are_unknown_in_old_stores_too(
        precision: str, artifact: dict[str, Any], state: str, reason: str | None) -> None:
    """Taken as it is, a file was calibrated by somebody else; newer runs store the reason itself."""
    found = cell_of(trial(1, [1.0]), precision=precision, artifact=ARTIFACT | artifact).outputs
    assert found is not None and (found.state, found.reason) == (state, reason)


def test_what_is_worse_than_unknown_stays_so() -> None:
    wrong = {"ok": False, "state": "differs", "reason": "lost"}
    found = cell_of(trial(1, [1.0], outputs=GOOD | wrong), precision="int8",
                    artifact=ARTIFACT | {"unproven": "made up"}).outputs
    assert found is not None and (found.state, found.reason) == ("differs", "lost")


def test_a_score_beside_a_reference_at_chance_is_suspect() -> None:
    cell = cell_of(trial(1, [1.0]), accuracy(0.5, 0.5), artifact=ARTIFACT | {"chance": "no better than chance"})
    assert cell.accuracy is not None and cell.accuracy.suspect == "no better than chance"
