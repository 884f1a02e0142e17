"""What becomes of cells whose worker dies, hangs or lies: each is a row with its cause, the others go on."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from bench.collect.cells import collect
from bench.results import CellResult, RunResult
from bench.run.device import measure_device
from bench.run.events import Event
from bench.run.stop import Stop
from bench.store.records import StoredRun
from bench.store.store import Store
from tests.fakes.fake_cells import cells_of, fake_job, fake_run, offer_fake

CELLS: dict[str, dict[str, Any]] = {
    "sound": {"latency_ms": 1},
    "load": {"die": "segfault", "after": 0},
    "first": {"die": "abort", "after": 1},
    "samples": {"die": "kill", "after": 4},
    "raises": {"die": "raise", "after": 2},
    "exits": {"die": "exit", "after": 2},
    "hangs": {"die": "hang", "after": 3},
    "nan": {"output": "nan"},
    "noisy": {"die": "garbage", "after": 2},
    "counting": {"output": "count"},
    "adding": {"adds": 100},
    "last": {"latency_ms": 1},
}

SOUND = ("sound", "nan", "noisy", "counting", "adding", "last")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[StoredRun, RunResult]:
    with pytest.MonkeyPatch.context() as patch:
        offer_fake(patch)
        folder = tmp_path_factory.mktemp("fakes")
        job = fake_job(folder, CELLS)
        with Store(folder / "store.sqlite", create=True) as store:
            store.add_run(fake_run(), cells_of(job))
            measure_device(job, store, Stop(), lambda _: None)
            stored = store.load(store.find_run(None))
    assert list(job.folder.iterdir()) == [], "outputs are removed once they are judged"
    return stored, collect(stored)


def _cell(measured: tuple[StoredRun, RunResult], name: str) -> CellResult:
    return next(cell for cell in measured[1].cells if cell.model == name)


@pytest.mark.parametrize("name", ["sound", "noisy", "last"])
def test_cells_beside_the_dying_ones_are_measured(measured: tuple[StoredRun, RunResult], name: str) -> None:
    cell = _cell(measured, name)
    assert (cell.status, cell.trials, cell.reason) == ("ok", 2, None)
    assert cell.outputs is not None and cell.outputs.state == "ok"


@pytest.mark.parametrize(("name", "fault", "words"), [
    ("load", "device", "SIGSEGV"), ("first", "device", "SIGABRT"), ("samples", "device", "SIGKILL"),
    ("raises", "model", "op FancyConv is not supported"), ("hangs", "device", "no result within 4 s"),
    ("exits", "infrastructure", "exit code 0 and no result"),
])
def test_a_death_is_a_failed_row_with_its_cause(measured: tuple[StoredRun, RunResult], name: str, fault: str,
                                                words: str) -> None:
    cell = _cell(measured, name)
    assert (cell.status, cell.fault) == ("failed", fault)
    assert cell.reason is not None and cell.reason.startswith("latency trial 1: ") and words in cell.reason
    assert cell.latency_ms.p50 is None


def test_what_failed_is_tried_once_more_but_a_hang_is_not(measured: tuple[StoredRun, RunResult]) -> None:
    attempts = {name: [(trial.number, trial.attempt) for trial in measured[0].trials if trial.cell == f"{name}@here"]
                for name in CELLS}
    assert attempts == {name: [(1, 1), (2, 1)] if name in SOUND
                        else [(1, 1)] if name == "hangs" else [(1, 1), (1, 2)] for name in CELLS}


@pytest.mark.parametrize("death", ["kill", "segfault", "raise"])
def test_a_worker_that_dies_once_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, death: str) -> None:
    offer_fake(monkeypatch)
    job = fake_job(tmp_path, {"a": {"die": death, "after": 2, "once": str(tmp_path / "died")}})
    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, Stop(), lambda _: None)
        stored = store.load(store.find_run(None))
    assert [(trial.number, trial.attempt, trial.state) for trial in stored.trials] == [
        (1, 1, "failed"), (1, 2, "ok"), (2, 1, "ok")]
    (cell,) = collect(stored).cells
    assert cell.status == "ok" and "1 of 2 trials were repeated after a first attempt that failed" in cell.warnings


def test_only_what_failed_in_a_trial_of_its_own_says_something_of_a_cell(
        measured: tuple[StoredRun, RunResult]) -> None:
    told = {name: _cell(measured, name).lab_failed for name in CELLS}
    assert {name for name, of_lab in told.items() if of_lab} == {"exits"}


def test_nan_in_the_outputs_is_told_beside_the_numbers(measured: tuple[StoredRun, RunResult]) -> None:
    cell = _cell(measured, "nan")
    assert cell.status == "ok"
    assert cell.outputs is not None and cell.outputs.wrong and cell.outputs.max_abs is None
    assert "output 0 holds NaN or infinity" in cell.warnings


def test_a_model_that_keeps_state_is_told_of_and_judged_from_its_beginning(
        measured: tuple[StoredRun, RunResult]) -> None:
    cell = _cell(measured, "counting")
    assert any(text.startswith("gives other outputs on the same input: it keeps state") for text in cell.warnings)
    assert cell.outputs is not None and cell.outputs.max_abs == 1, "the second sample's, of one call before it"
    findings = [trial.findings for trial in measured[0].trials if trial.cell == "counting@here"]
    assert [each and each["repeats"]["ok"] for each in findings] == [False, False]


def test_a_model_that_changes_its_inputs_is_told_of_and_judged_on_what_was_meant(
        measured: tuple[StoredRun, RunResult]) -> None:
    cell = _cell(measured, "adding")
    assert "changes its inputs in place: they are restored before each timed inference" in cell.warnings
    assert cell.outputs is not None and (cell.outputs.state, cell.outputs.max_abs) == ("ok", 0)


def test_what_the_worker_printed_is_kept(measured: tuple[StoredRun, RunResult]) -> None:
    logs = [trial.log for trial in measured[0].trials if trial.cell == "noisy@here"]
    assert all(log is not None and "garbage" in log for log in logs)


def test_a_stop_ends_after_the_trial_under_way_which_is_saved(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    job, stop = fake_job(tmp_path, {"a": {}, "b": {}}), Stop()
    stop.interruptible = False

    def press(event: Event) -> None:
        if event.kind == "phase" and event.text == "samples" and not stop.soft.is_set():
            stop.request()

    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, stop, press)
        trials = store.load(store.find_run(None)).trials
    assert [(trial.cell, trial.number, trial.state) for trial in trials] == [("a@here", 1, "ok")]


def test_a_second_stop_ends_at_once_and_blames_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    job, stop = fake_job(tmp_path, {"a": {"die": "hang", "after": 3}}), Stop()
    reached = threading.Event()

    def press(event: Event) -> None:
        if event.kind == "phase" and event.text == "samples":
            stop.request()
            stop.request()
            reached.set()

    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, stop, press)
        stored = store.load(store.find_run(None))
    assert reached.is_set() and stored.trials == ()
    (cell,) = collect(stored).cells
    assert (cell.status, cell.reason) == ("pending", "not measured yet: the run was interrupted before it")


def test_a_stop_that_came_before_the_connection_opens_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    job, stop = fake_job(tmp_path, {"a": {}}), Stop()

    def press(event: Event) -> None:
        if event.text == "connecting":
            stop.request()
            stop.request()

    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, stop, press)
        stored = store.load(store.find_run(None))
    assert stored.trials == () and stored.sessions == ()


def test_an_agent_that_dies_is_started_again_for_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    job = fake_job(tmp_path, {"a": {}, "b": {}})
    killed: list[int] = []

    def kill(event: Event) -> None:
        if event.kind == "phase" and event.text == "samples" and not killed:
            killed.append(_agent(tmp_path / "work"))
            os.kill(killed[0], signal.SIGKILL)

    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, Stop(), kill)
        stored = store.load(store.find_run(None))
    states = [(trial.cell, trial.number, trial.attempt, trial.state, trial.fault) for trial in stored.trials]
    assert states == [("a@here", 1, 1, "failed", "infrastructure"), ("a@here", 1, 2, "ok", None),
                      ("b@here", 1, 1, "ok", None), ("a@here", 2, 1, "ok", None), ("b@here", 2, 1, "ok", None)]
    cells = {cell.model: cell for cell in collect(stored).cells}
    assert cells["a"].status == cells["b"].status == "ok"
    assert "1 of 2 trials were repeated after a first attempt that failed" in cells["a"].warnings
    assert not any("repeated" in text for text in cells["b"].warnings)


def _agent(workdir: Path) -> int:
    """The process that holds the device, by its lock."""
    import json

    return int(json.loads((workdir / "lock").read_text())["pid"])
