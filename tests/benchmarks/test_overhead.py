"""Shares of a wall time, from what a store holds."""

from __future__ import annotations

from dataclasses import replace

from bench.store.records import CellRecord, RunRecord, StoredRun, TrialRecord
from benchmarks.overhead import device_s, figures_of, remarks_of, timed_s
from benchmarks.runs import Finished

PHASES = {"import_ns": 200_000_000, "load_ns": 50_000_000, "first_ns": 50_000_000, "samples_ns": 1_000_000_000,
          "verify_ns": 100_000_000}
TRIAL = TrialRecord(
    run="r", cell="c", session=1, kind="latency", number=1, attempt=1, started="", seconds=2.1, state="ok",
    artifact="", source="", settings={}, versions={}, conditions=[], phases=PHASES, memory={},
    warm_up={"runs": 50, "ns": 500_000_000, "settled": True})
ACCURACY = replace(TRIAL, kind="accuracy", seconds=0.5, warm_up=None, phases={"import_ns": 200_000_000,
                                                                              "verify_ns": 100_000_000})


def stored() -> StoredRun:
    run = RunRecord("r", "s", "", "", "", "", "", None, "finished", {}, {}, [])
    cell = CellRecord("r", "c", 0, "here", "m", "onnx", "fp32", "onnxruntime", "cpu", 1, 1, "planned")
    return StoredRun(run, (cell,), (), (TRIAL, ACCURACY))


def test_the_workers_phases_are_all_that_it_timed() -> None:
    assert round(device_s(TRIAL), 6) == 1.9
    assert round(timed_s(TRIAL), 6) == 1.6
    assert round(device_s(ACCURACY), 6) == 0.3
    assert timed_s(ACCURACY) == 0


def test_shares_are_of_the_whole_wall_time_and_costs_are_per_trial() -> None:
    share, timed, outside, laid_on = figures_of(Finished(stored(), wall_s=4.0))
    assert round(share.spread.median, 6) == 0.55
    assert round(timed.spread.median, 6) == 0.4
    assert round(outside.spread.median, 6) == 0.2
    assert round(laid_on.spread.median, 6) == 0.9
    assert [figure.verdict for figure in (share, outside, laid_on)] == ["outside", "within aim", "outside"]


def test_each_runtime_and_kind_of_trial_is_told_apart() -> None:
    accuracy, latency = remarks_of(stored())
    assert accuracy.startswith("onnxruntime, accuracy: a trial takes 0.50 s")
    assert "0.20 s outside" in latency
