"""Trials beside busy processes: told before, marked, measured again at the end within a limit; on this machine, by
fakes, on a core that the busy ones are put on too."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.collect.cells import collect
from bench.config.devices import DeviceConfig, LocalConfig
from bench.contention import Use
from bench.run import device, quiet
from bench.run.device import DeviceJob, measure_device
from bench.run.events import Event
from bench.run.resume import saved_progress, saved_trials, spent_s
from bench.run.stop import Stop
from bench.run.tasks import whole_agenda
from bench.store.records import StoredRun
from bench.store.store import Store
from tests.fakes.fake_cells import cells_of, fake_job, fake_run, offer_fake
from tests.fakes.neighbours import neighbours

CORE = min(os.sched_getaffinity(0))
BUSY = {"latency_ms": 0}
LOOK = quiet.use_now


@pytest.fixture(autouse=True)
def fake_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)


def _job(folder: Path, trials: int, **measure: object) -> DeviceJob:
    """A cell of the fake runtime that computes for 0.25 s in each trial, on one core."""
    job = fake_job(folder, {"a": BUSY}, trials=trials, min_time=0.25, timeout=20.0, **measure)
    return replace(job, device=DeviceConfig(local=LocalConfig(), workdir=str(folder / "work"), cores=(CORE,)))


def _use(cores: float) -> Use:
    """So much of two cores is used."""
    return Use(int(cores * 1e9), 10**9, 2)


def _measured(job: DeviceJob, folder: Path, stop: Stop | None = None) -> tuple[StoredRun, list[Event]]:
    events: list[Event] = []
    with Store(folder / "store.sqlite", create=True) as store:
        if not store.runs():
            store.add_run(fake_run(settings={"measure": {"trials": 2}}), cells_of(job))
        measure_device(job, store, stop or Stop(), events.append)
        return store.load(store.find_run(None)), events


def test_disturbed_trials_are_marked_and_measured_again_once_it_is_quiet(tmp_path: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([_use(1.9), _use(1.8), *[_use(0.0)] * 9])
    monkeypatch.setattr(device, "use_now", lambda look, sleep: next(used))
    monkeypatch.setattr(device, "LOOK_EVERY_S", 0.0)
    with neighbours(CORE, 2):
        stored, events = _measured(_job(tmp_path, 2, remeasure=10.0), tmp_path)
    assert [(trial.number, trial.settings.get("again")) for trial in stored.trials] == [
        (1, None), (2, None), (3, True), (4, True)], "each once, though they were disturbed too"
    assert [event.text for event in events if event.kind == "contention"] == [
        "other processes use 1.9 of 2 cores: its numbers will be disturbed"]
    assert any(event.kind == "waiting" and "1.8 of 2 cores" in event.text for event in events)
    (cell,) = collect(stored).cells
    assert cell.disturbed is not None and "other processes used" in cell.disturbed and cell.throttled is None
    assert cell.circumstances["contention"] == "disturbed" and cell.trials == 4
    with Store(tmp_path / "store.sqlite") as store:
        assert store.medians() == (), "neither noise nor history is learnt from them"


def test_what_stays_busy_is_not_waited_for_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "use_now", lambda look, sleep: _use(1.9))
    with neighbours(CORE, 2):
        stored, events = _measured(_job(tmp_path, 2, remeasure=1e-6), tmp_path)
    assert len(stored.trials) == 2
    assert events[-1].text == ("2 disturbed trials not measured again: other processes use 1.9 of 2 cores")


def test_none_is_measured_again_where_the_suite_says_so(tmp_path: Path) -> None:
    with neighbours(CORE, 2):
        stored, _ = _measured(_job(tmp_path, 1, remeasure=0.0), tmp_path)
    assert len(stored.trials) == 1


def test_resume_measures_what_is_still_owed_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _job(tmp_path, 2, remeasure=0.0)
    with neighbours(CORE, 2):
        earlier, _ = _measured(job, tmp_path)
    monkeypatch.setattr(device, "use_now", lambda look, sleep: _use(0.0))
    for total in (4, 4):
        measure = job.suite.measure.model_copy(update={"remeasure": 10.0})
        agenda = whole_agenda([task.ready for task in job.agenda.first[:1]], measure, saved_trials(earlier),
                              saved=saved_progress(earlier), spent_s=spent_s(earlier, "here"))
        assert agenda.empty == (len(earlier.trials) == 4)
        earlier, _ = _measured(replace(job, agenda=agenda), tmp_path)
        assert len(earlier.trials) == total
    assert [trial.settings.get("again") for trial in earlier.trials] == [None, None, True, True]


@pytest.mark.parametrize("processes", [0, 2])
def test_a_trial_too_short_to_tell_is_disturbed_if_others_use_the_device_right_after_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    # Without busy processes of its own the machine may be anything, beside other tests.
    monkeypatch.setattr(quiet, "use_now", LOOK if processes else lambda look, sleep: _use(0.1))
    job = fake_job(tmp_path, {"a": BUSY}, trials=1, min_time=0.0, min_samples=1, remeasure=0.0)
    with neighbours(CORE, processes):
        stored, _ = _measured(replace(job, device=DeviceConfig(local=LocalConfig(), workdir=str(tmp_path / "w"))),
                              tmp_path)
    (cell,) = collect(stored).cells
    assert bool(cell.disturbed and "other processes used" in cell.disturbed) == bool(processes)
    assert cell.circumstances["contention"] == ("disturbed" if processes else "undisturbed")
