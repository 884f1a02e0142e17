from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.judge.compare import compare_runs
from bench.judge.noise import LEAST_RUNS, MOST_RUNS, find_floors, floors_of, smallest_difference
from bench.judge.types import NoiseFloor
from bench.judge.verdict import trials_needed
from bench.store.records import RunRecord, SessionRecord, TrialMedian
from bench.store.store import Store
from tests.fakes.nights import Circumstances, NightCell, write_nights

NOISE, NIGHT = Circumstances(purpose="noise"), Circumstances()


def _floors(folder: Path, cells: list[NightCell], seen: Callable[[int], Circumstances], *, trials: int = 20,
            trial_sd: float = 0.03) -> dict[tuple[str, str], NoiseFloor]:
    path = folder / "bench.sqlite"
    write_nights(path, cells, trials=trials, trial_sd=trial_sd, circumstances=seen)
    with Store(path) as store:
        return dict(find_floors(store))


def test_a_noise_run_tells_what_trials_differ_by(tmp_path: Path) -> None:
    cells = [NightCell([10.0], model=f"net-{i}") for i in range(10)]
    floor = _floors(tmp_path, cells, lambda night: NOISE)["phone", "onnxruntime"]
    assert floor.trial_sd == pytest.approx(0.03, rel=0.15)
    assert (floor.device, floor.runtime, floor.trials) == ("phone", "onnxruntime", 200)
    assert (floor.run_sd, floor.runs) == (None, 0)
    assert floor.measured.startswith("2026-01-01T")


def test_the_deviation_is_the_upper_limit_of_one_pooled_around_either_side(tmp_path: Path) -> None:
    path = tmp_path / "bench.sqlite"
    write_nights(path, [NightCell([10.0])], trials=20, circumstances=lambda night: NOISE)
    with Store(path) as store:
        logs = np.log([trial.median_ns for trial in store.medians()])
        floor = find_floors(store)["phone", "onnxruntime"]
    plain = math.sqrt((logs[0::2].var(ddof=1) + logs[1::2].var(ddof=1)) / 2)
    # The chi-square with 18 degrees of freedom is below 12.857 in 20 % of cases.
    assert floor.trial_sd == pytest.approx(plain * math.sqrt(18 / 12.857), rel=1e-3)


def test_without_a_noise_run_no_floor_is_known(tmp_path: Path) -> None:
    assert _floors(tmp_path, [NightCell([10.0] * 8)], lambda night: NIGHT) == {}


def test_devices_and_runtimes_have_floors_of_their_own(tmp_path: Path) -> None:
    cells = [NightCell([10.0], runtime="tflite"), NightCell([10.0]), NightCell([10.0], device="board")]
    floors = _floors(tmp_path, cells, lambda night: NOISE)
    assert set(floors) == {("phone", "tflite"), ("phone", "onnxruntime"), ("board", "onnxruntime")}


def _nights(sd: float, nights: int = 40) -> list[float]:
    return [10.0, *(10.0 * np.exp(np.random.default_rng(7).normal(0, sd, nights)))]


def test_nights_tell_what_equal_runs_differ_by_beyond_their_trials(tmp_path: Path) -> None:
    cells = [NightCell(_nights(0.04), model=f"net-{i}") for i in range(4)]
    floor = _floors(tmp_path, cells, lambda night: NIGHT if night else NOISE, trials=6,
                    trial_sd=0.02)["phone", "onnxruntime"]
    assert floor.run_sd == pytest.approx(0.04, rel=0.3)
    assert floor.runs == MOST_RUNS + 1 and floor.trials == 24


def test_runs_of_equal_centres_differ_by_little(tmp_path: Path) -> None:
    cells = [NightCell([10.0] * 30, model=f"net-{i}") for i in range(6)]
    floor = _floors(tmp_path, cells, lambda night: NIGHT if night else NOISE, trials=6)["phone", "onnxruntime"]
    assert floor.run_sd == 0


@pytest.mark.parametrize("changed", [
    {"artifact": "b" * 64}, {"runtimes": {"onnxruntime": "1.24"}}, {"facts": {"os": "Android 17"}},
    {"facts": {"android": {"fingerprint": "new"}}}], ids=["artifact", "runtime", "system", "build"])
def test_runs_under_other_circumstances_are_not_equal(changed: dict[str, object], tmp_path: Path) -> None:
    centres = [10.0] * 8 + [20.0] * 8
    floor = _floors(tmp_path, [NightCell(centres)], lambda night: (
        NOISE if not night else replace(NIGHT, **changed) if night >= 8 else NIGHT),  # type: ignore[arg-type]
        trial_sd=0.01)["phone", "onnxruntime"]
    assert floor.run_sd is not None and floor.run_sd < 0.02
    assert floor.runs == 15


def test_few_equal_runs_tell_nothing_of_runs(tmp_path: Path) -> None:
    cells = [NightCell([10.0] * (LEAST_RUNS - 1))]
    floor = _floors(tmp_path, cells, lambda night: NIGHT if night else NOISE)["phone", "onnxruntime"]
    assert (floor.run_sd, floor.runs) == (None, LEAST_RUNS - 1)


def _learnt(logs: list[list[float]], last: dict[str, Any] | None = None) -> NoiseFloor:
    """The floor known from the logarithms of a noise run's trial medians and of later runs', of one cell; `last` is
    what is otherwise of the last run."""
    runs = [RunRecord(str(number), "suite", "", "", "", "", "2026", "2026", "finished", {}, {}, [],
                      "measure" if number else "noise") for number in range(len(logs))]
    runs[-1] = replace(runs[-1], **(last or {}))
    taken = [TrialMedian(str(run), "cell", "phone", "net", "tflite", number, "a", 1e7 * math.exp(log), 1.0)
             for run, values in enumerate(logs) for number, log in enumerate(values, 1)]
    sessions = [SessionRecord(0, run.id, "phone", "", None, "agent", {}, {"tflite": "1"}) for run in runs]
    return floors_of(reversed(runs), taken, sessions)["phone", "tflite"]


SLOWER = [[0.0, 0.01, -0.01]] * 7 + [[1.0, 1.01, 0.99]]


@pytest.mark.parametrize("last", [
    {"suite_text": "runtime_options: {onnxruntime: {options: {graph_optimization_level: disable}}}"},
    {"devices_text": "cores: little"}, {"settings": {"quick": True}},
    {"judgement": {"state": "red", "outcomes": [{"cell": "cell", "state": "broken", "expectation": "latency_p50"}]}}])
def test_a_run_that_was_asked_for_otherwise_or_found_slower_is_no_noise(last: dict[str, Any]) -> None:
    counted, left_out = _learnt(SLOWER).run_sd, _learnt(SLOWER, last).run_sd
    assert counted is not None and counted > 0.3 and left_out is not None and left_out < 0.01


def test_a_run_is_not_held_against_noise_that_it_is_part_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "bench.sqlite"
    write_nights(path, [NightCell([10.0] * 9 + [14.0, 10.0])], trials=5, trial_sd=0.003,
                 circumstances=lambda night: NIGHT if night else NOISE)
    with Store(path) as store:
        _, slower, before = store.runs()[:3]
        after = find_floors(store)["phone", "onnxruntime"].run_sd
        tonight = find_floors(store, slower)["phone", "onnxruntime"].run_sd
        assert after is not None and after > 0.05 and tonight is not None and tonight < 0.01
        assert [pair.latency.call for pair in compare_runs(store, before, slower).pairs] == ["worse"]


def test_odd_trials_of_a_noise_run_do_not_ask_for_thousands() -> None:
    logs = np.random.default_rng(20261120).normal(0, 0.01, 40)
    calm = _learnt([list(logs)])
    logs[[3, 20, 31]] += 0.6
    stalled = _learnt([list(logs)])
    assert calm.trial_sd < stalled.trial_sd < 2.5 * calm.trial_sd < 0.2 * logs.std()
    assert stalled.trials == 40 and stalled.wander_sd < 0.01


def test_a_run_of_two_speeds_has_a_floor_as_wide_as_they_are_apart() -> None:
    logs = 0.2 * (np.random.default_rng(20261119).random(40) < 0.3)
    assert _learnt([list(logs)]).trial_sd > 0.08


def test_a_mood_that_lasts_over_trials_is_counted_between_runs() -> None:
    rng = np.random.default_rng(20261118)
    moods = np.repeat(rng.normal(0, 0.05, 16), 5)
    wandering, steady = (_learnt([list(mood + rng.normal(0, 0.01, 80)), *[[0.0, 0.01, -0.01]] * 8])
                         for mood in (moods, 0 * moods))
    assert wandering.run_sd == wandering.wander_sd == pytest.approx(moods[::5].std(ddof=1), rel=0.1)
    assert (wandering.runs, wandering.run_df) == (9, 15)
    assert steady.run_sd is not None and steady.run_sd < 0.01
    alone = _learnt([list(moods)])
    assert (alone.run_sd, alone.runs) == (None, 0) and alone.wander_sd > 0.03


def test_runs_of_fewer_than_two_stretches_tell_of_no_mood() -> None:
    assert _learnt([[0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 1.0, 1.5, 1.0]]).wander_sd == 0
    assert _learnt([[0.0, 0.01, 0.0, 0.01, 0.0, 1.0, 1.01, 1.0, 1.01, 1.0]]).wander_sd > 0.5


def test_the_smallest_difference_is_what_as_many_trials_are_asked_for() -> None:
    floor = NoiseFloor("phone", "tflite", 0.02, 20)
    found = smallest_difference(floor, 9, margin=0.03)
    assert trials_needed(0.02, effect=found * 1.001) == 9
    assert trials_needed(0.02, effect=found * 0.99) == 10
    assert smallest_difference(floor, 9) <= found + 1e-9 < smallest_difference(floor, 5, margin=0.03)
    assert smallest_difference(floor, 9, cells=48) > smallest_difference(floor, 9)


@pytest.mark.parametrize("changed", [{"options": {"graph": "off"}}, {"path": "/elsewhere/suite.yaml"}],
                         ids=["options", "another suite of that name"])
def test_runs_that_the_guard_would_not_compare_are_no_noise_of_one_another(changed: dict[str, Any],
                                                                          tmp_path: Path) -> None:
    """Every other night was another suite, or had another option, and took twice as long."""
    centres = [10.0, *[10.0, 20.0] * 8]
    floor = _floors(tmp_path, [NightCell(centres)], lambda night: (
        NOISE if not night else replace(NIGHT, **changed) if night % 2 == 0 else NIGHT), trial_sd=0.01)[
            "phone", "onnxruntime"]
    assert floor.run_sd is not None and floor.run_sd < 0.02


def test_a_run_that_was_interrupted_is_no_noise(tmp_path: Path) -> None:
    floor = _floors(tmp_path, [NightCell([10.0] * 8 + [20.0] * 2)], lambda night: (
        NOISE if not night else replace(NIGHT, state="interrupted") if night >= 8 else NIGHT), trial_sd=0.01)[
            "phone", "onnxruntime"]
    assert floor.run_sd is not None and floor.run_sd < 0.02 and floor.runs == 8
