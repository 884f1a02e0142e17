"""Trials go on where intervals are wide, within the limits that the suite sets; on this machine, by fakes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.run import device
from bench.run.device import DeviceJob, measure_device
from bench.run.events import Event
from bench.run.resume import saved_progress, saved_trials, spent_s
from bench.run.stop import Stop
from bench.run.tasks import Task, in_turn, whole_agenda
from bench.store.records import StoredRun
from bench.store.store import Store
from tests.fakes.fake_cells import cells_of, fake_job, fake_run, offer_fake

NEVER, AT_ONCE = 1e-9, 0.99


def _measured(job: DeviceJob, folder: Path, stop: Stop | None = None,
              hook: Any = None) -> tuple[StoredRun, list[Event]]:
    events: list[Event] = []

    def notify(event: Event) -> None:
        events.append(event)
        if hook is not None:
            hook(event)

    with Store(folder / "store.sqlite", create=True) as store:
        if not store.runs():
            store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, stop or Stop(), notify)
        return store.load(store.find_run(None)), events


def _counts(stored: StoredRun) -> dict[str, int]:
    return dict(Counter(trial.cell for trial in stored.trials if trial.state == "ok"))


def _closed(events: list[Event]) -> dict[str, str]:
    return {event.cell: event.text for event in events if event.kind == "closed"}


@pytest.fixture(autouse=True)
def fake_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial is told to be disturbed: a busy machine would have some measured again, which is not the point here."""
    offer_fake(monkeypatch)
    monkeypatch.setattr(device, "told_or_looked", lambda cpu_ns, look, sleep: None)


def test_cells_that_are_never_narrow_enough_end_with_the_most_trials_and_a_dying_one_at_its_death(
        tmp_path: Path) -> None:
    job = fake_job(tmp_path, {"a": {}, "dies": {"die": "raise", "after": 2}, "b": {}}, until=NEVER, max_trials=4)
    stored, events = _measured(job, tmp_path)
    assert _counts(stored) == {"a@here": 4, "b@here": 4}
    assert [trial.number for trial in stored.trials if trial.cell == "a@here"] == [1, 2, 3, 4]
    assert all("4 trials, the most there may be" in text for text in _closed(events).values())
    assert set(_closed(events)) == {"a@here", "b@here"}, "nobody asks for more of what died"


def test_a_cell_that_is_narrow_enough_is_told_so_and_left_alone(tmp_path: Path) -> None:
    job = fake_job(tmp_path, {"a": {"latency_ms": 20}}, trials=5, until=AT_ONCE, max_trials=40)
    stored, events = _measured(job, tmp_path)
    count = _counts(stored)["a@here"]
    assert 5 <= count < 40, "more than five only where this machine is busy"
    assert _closed(events)["a@here"].startswith(f"narrow enough after {count} trials: p50 within ")
    assert (events[-1].kind, events[-1].done, events[-1].total) == ("closed", count, count)


def test_time_that_is_used_up_ends_further_trials_but_not_the_least_number(tmp_path: Path) -> None:
    stored, events = _measured(fake_job(tmp_path, {"a": {}, "b": {}}, until=NEVER, budget=1e-6), tmp_path)
    assert _counts(stored) == {"a@here": 2, "b@here": 2}
    assert all("the time is used up" in text for text in _closed(events).values()) and len(_closed(events)) == 2


def test_the_total_that_is_told_grows_to_what_is_expected(tmp_path: Path) -> None:
    _, events = _measured(fake_job(tmp_path, {"a": {}}, until=NEVER, max_trials=4), tmp_path)
    told = [(event.done, event.total) for event in events if event.kind == "trial-ok"]
    assert told == [(1, 2), (2, 2), (3, 4), (4, 4)]


def test_a_stop_leaves_further_trials_open_and_going_on_counts_those_saved(tmp_path: Path) -> None:
    job, stop = fake_job(tmp_path, {"a": {}}, until=NEVER, max_trials=5), Stop()

    def press(event: Event) -> None:
        if event.kind == "trial-ok" and event.done == 3 and not stop.soft.is_set():
            stop.request()

    stored, events = _measured(job, tmp_path, stop, press)
    assert _counts(stored) == {"a@here": 3} and _closed(events) == {}
    agenda = whole_agenda(job.agenda.ready, job.suite.measure, saved_trials(stored), saved=saved_progress(stored),
                          spent_s=spent_s(stored, "here"))
    stored, events = _measured(replace(job, agenda=agenda), tmp_path)
    assert [trial.number for trial in stored.trials] == [1, 2, 3, 4, 5]
    assert [(event.done, event.total) for event in events if event.kind == "trial-ok"] == [(1, 2), (2, 2)]


def test_the_time_that_saved_trials_took_counts_against_the_budget(tmp_path: Path) -> None:
    job = fake_job(tmp_path, {"a": {}}, until=NEVER, budget=60.0, max_trials=9)
    stored, _ = _measured(replace(job, agenda=replace(job.agenda, spent_s=59.9)), tmp_path)
    assert _counts(stored) == {"a@here": 2}, "no further trial fits into a tenth of a second"


def test_two_cells_by_turns_are_in_the_order_abba(tmp_path: Path) -> None:
    job = fake_job(tmp_path, {"a": {}, "b": {}}, trials=3)
    own, other = ([task for task in job.agenda.first if task.cell == name] for name in ("a@here", "b@here"))
    order = [task.cell[0] + str(task.number) for turn in in_turn(own, other) for task in turn]
    assert order == ["a1", "b1", "b2", "a2", "a3", "b3"]
    assert in_turn(own, []) == [(task,) for task in own]


def test_a_baseline_that_fails_does_not_stop_the_cells_own_trials_but_the_other_way_round(tmp_path: Path) -> None:
    job = fake_job(tmp_path, {"sound": {}, "dies": {"die": "raise", "after": 2}})
    sound, dies = (task.ready for task in job.agenda.first[:2])
    there, gone = replace(dies, cell=sound.cell), replace(sound, cell=dies.cell)  # each with the other's file
    tasks = [Task(sound, "latency", 1), Task(there, "baseline", 1), Task(there, "baseline", 2),
             Task(sound, "latency", 2, {"retry": True}), Task(dies, "latency", 1), Task(gone, "baseline", 1)]
    stored, _ = _measured(replace(job, agenda=replace(job.agenda, first=tuple(tasks))), tmp_path)
    found = [(trial.cell, trial.kind, trial.number, trial.attempt, trial.state) for trial in stored.trials]
    assert found == [("sound@here", "latency", 1, 1, "ok"), ("sound@here", "baseline", 1, 1, "failed"),
                     ("sound@here", "baseline", 1, 2, "failed"), ("sound@here", "latency", 2, 1, "ok"),
                     ("dies@here", "latency", 1, 1, "failed"), ("dies@here", "latency", 1, 2, "failed")]
    assert [trial.settings.get("retry") for trial in stored.trials] == [None, None, None, True, None, None]
    assert stored.trials[1].artifact == dies.artifact.sha256
