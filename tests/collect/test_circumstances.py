"""Under what a cell was measured: every name, in short texts, with what its trials differ in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.collect.cells import collect
from bench.collect.circumstances import NAMES, differing, of
from bench.store.records import CellRecord, SessionRecord, TrialRecord
from tests.fakes.stored_phone import FACTS, seen, stored_phone

ARTIFACT = {"sha256": "a" * 64, "bytes": 9, "data": "0123456789abcdef",
            "tools": {"torch": "2.9.1", "executorch": "1.0"}, "inputs": {"image": "range [0, 1]"},
            "shapes": {"image": [1, 3, 224, 224], "scale": []}}
QUIET = {"user": 10**9, "system": 0, "wall": 10**9, "waited": 0, "involuntary": 3, "cores": 4, "others": 0, "stolen": 0}
SETTINGS = {"trials": 5, "min_samples": 30, "min_time": 1.0, "timeout": 300.0, "until": None,
            "warmup": {"min_runs": 5, "min_time": 0.5, "max_time": 5.0}, "threads": 4, "options": {"b": "2", "a": "1"},
            "cores": "big", "cores_used": [4, 5, 6, 7]}
STORED = stored_phone()
CELL = replace(STORED.cells[0], artifact=ARTIFACT)
SESSION = replace(STORED.sessions[0], facts=FACTS | {"power_mode": "normal"})


def trial(number: int = 1, **changes: Any) -> TrialRecord:
    versions = {"runtime": "onnxruntime 1.28.0", "numpy": "2.3.5", "python": "3.11.2"}
    return replace(STORED.trials[0], **{"number": number, "settings": SETTINGS, "cpu_ns": QUIET, "versions": versions,
                                        **changes})


def found(*trials: TrialRecord, cell: CellRecord = CELL,
          sessions: tuple[SessionRecord, ...] = (SESSION,)) -> dict[str, str]:
    return of(cell, trials, sessions)


def test_everything_that_was_told_is_a_short_text() -> None:
    assert found(trial(1), trial(2)) == {
        "os": "Android 14 (API 34), kernel 5.15.110-android14-11, "
              "google/husky/husky:14/AP1A.240505.004/11583682:user/release-keys",
        "cpu": "Google Tensor G3, 3 flags 55aef64fedaa", "runtime": "onnxruntime 1.28.0",
        "agent": "measuring revision 1",
        "libraries": "python 3.11.2, numpy 2.3.5", "governor": "sched_pixel", "power-mode": "normal", "charging": "yes",
        "cores": "big (4-7)", "threads": "4", "delegate": "cpu", "input-shape": "image 1x3x224x224, scale scalar",
        "batch": "1", "dataset": "0123456789ab", "inputs": "image range [0, 1]", "options": "a=1, b=2",
        "measure": "30 samples and 1 s; warm-up of 5 runs and 0.5 to 5 s", "emulation": "no",
        "contention": "undisturbed", "converter": "executorch 1.0, torch 2.9.1"}


def test_every_name_is_filled_in_their_order() -> None:
    assert tuple(found(trial())) == NAMES


def test_what_was_not_told_is_absent() -> None:
    bare = replace(trial(), settings={}, versions={}, conditions=[], cpu_ns=None)
    told = found(bare, cell=replace(CELL, artifact=None, batch=None), sessions=())
    assert told == {"agent": "measuring revision 1", "threads": "4", "delegate": "cpu"}


def test_values_that_trials_differ_in_are_all_told_in_one_order_whichever_came_first() -> None:
    one = trial(1, conditions=[seen("before", governor="schedutil")])
    two = trial(2, conditions=[seen("before", governor="performance")])
    assert found(one, two)["governor"] == found(two, one)["governor"] == "performance / schedutil"
    assert differing(found(one, two)) == {"governor": "performance / schedutil"}


def test_a_single_value_is_never_taken_for_two() -> None:
    told = found(trial(), sessions=(replace(SESSION, facts=FACTS | {"soc": "Maker / Chip"}),))
    assert told["cpu"].startswith("Maker/Chip") and differing(told) == {}


def test_only_the_sessions_count_that_its_trials_ran_in() -> None:
    updated = replace(SESSION, id=2, agent="e" * 64, facts=FACTS | {"kernel": "6.1"})
    first = found(trial(session=1), sessions=(SESSION, updated))
    assert "kernel 5.15" in first["os"]
    both = found(trial(1, session=1), trial(2, session=2), sessions=(SESSION, updated))
    assert set(differing(both)) == {"os"}, "another file of the agent measures alike"


@pytest.mark.parametrize(("key", "value", "name"), [
    ("min_samples", 40, "measure"), ("min_time", 1.04, "measure"), ("options", {"a": "1"}, "options"),
    ("inputs", "all", "measure"), ("cores_used", [4, 5, 6], "cores"), ("cores", "all", "cores")])
def test_another_setting_is_another_circumstance(key: str, value: object, name: str) -> None:
    usual = found(trial())
    other = found(replace(trial(), settings=SETTINGS | {key: value}))
    assert {each for each in NAMES if usual[each] != other[each]} == {name}


def test_runs_of_before_there_was_a_choice_of_inputs_timed_the_first() -> None:
    assert found(replace(trial(), settings=SETTINGS | {"inputs": "first"})) == found(trial())


@pytest.mark.parametrize("changes", [{"trials": 50}, {"until": 0.01}, {"timeout": 9.0}])
def test_how_many_trials_there_were_is_no_circumstance(changes: dict[str, Any]) -> None:
    assert found(replace(trial(), settings=SETTINGS | changes)) == found(trial())


def test_another_instruction_set_is_another_processor() -> None:
    fewer = replace(SESSION, facts=FACTS | {"cpu_flags": ["asimd"]})
    assert found(trial(), sessions=(fewer,))["cpu"] != found(trial())["cpu"]


def test_a_battery_that_was_set_by_hand_says_nothing_of_charging() -> None:
    faked = {"level_percent": 84, "charging": False, "faked": True}
    assert "charging" not in found(trial(conditions=[seen("before", battery=faked)]))
    assert found(trial(conditions=[seen("before", battery=faked | {"faked": False})]))["charging"] == "no"


def test_no_options_are_told_as_none() -> None:
    assert found(replace(trial(), settings=SETTINGS | {"options": {}}))["options"] == "none"


def test_a_measured_cell_has_its_circumstances_and_one_that_failed_has_none() -> None:
    mine = tuple(trial for trial in STORED.trials if trial.cell == STORED.cells[0].cell)
    cells = collect(replace(STORED, trials=mine)).cells
    assert cells[0].circumstances["charging"] == "yes" and cells[1].circumstances == {}
