"""Trials beside busy processes: told before, marked, measured again at the end within a limit; on this machine, by
fakes, on a core that the busy ones are put on too."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.collect.cells import collect
from bench.config.devices import DeviceConfig, LocalConfig
from bench.run import device
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


@pytest.fixture(autouse=True)
def fake_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)


def _job(folder: Path, trials: int, **measure: object) -> DeviceJob:
    """A cell of the fake runtime that computes for 0.25 s in each trial, on one core."""
    job = fake_job(folder, {"a": BUSY}, trials=trials, min_time=0.25, timeout=20.0, **measure)
    return replace(job, device=DeviceConfig(local=LocalConfig(), workdir=str(folder / "work"), cores=(CORE,)))


def _measured(job: DeviceJob, folder: Path, stop: Stop | None = None) -> tuple[StoredRun, list[Event]]:
    events: list[Event] = []
    with Store(folder / "store.sqlite", create=True) as store:
        if not store.runs():
            store.add_run(fake_run(settings={"measure": {"trials": 2}}), cells_of(job))
        measure_device(job, store, stop or Stop(), events.append)
        return store.load(store.find_run(None)), events


def test_disturbed_trials_are_marked_and_measured_again_once_it_is_quiet(tmp_path: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter(["other processes use 1.9 of 2 cores", "other processes use 1.8 of 2 cores", *[""] * 9])
    monkeypatch.setattr(device, "others_now", lambda look, threads, sleep: next(used))
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
    monkeypatch.setattr(device, "others_now", lambda look, threads, sleep: "other processes use 1.9 of 2 cores")
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
    monkeypatch.setattr(device, "others_now", lambda look, threads, sleep: "")
    for total in (4, 4):
        measure = job.suite.measure.model_copy(update={"remeasure": 10.0})
        agenda = whole_agenda([task.ready for task in job.agenda.first[:1]], measure, saved_trials(earlier),
                              saved=saved_progress(earlier), spent_s=spent_s(earlier, "here"))
        assert agenda.empty == (len(earlier.trials) == 4)
        earlier, _ = _measured(replace(job, agenda=agenda), tmp_path)
        assert len(earlier.trials) == total
    assert [trial.settings.get("again") for trial in earlier.trials] == [None, None, True, True]
