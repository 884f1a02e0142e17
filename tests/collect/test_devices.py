"""A device's readings, of which some hundreds stand for hundreds of thousands."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from bench.collect.devices import MOST_READINGS, MOST_TRIALS, summary
from bench.results import DeviceSummary
from tests.fakes.stored_phone import seen, stored_phone

SESSIONS = stored_phone().sessions


def of(*trials: list[dict[str, Any]]) -> DeviceSummary:
    return summary(SESSIONS, iter(trials), len(trials))


def test_few_readings_are_all_kept_in_their_order() -> None:
    trials = [[seen("before", time=10.0 * trial + place) for place in range(5)] for trial in range(40)]
    assert of(*trials).conditions == tuple(each for trial in trials for each in trial)


def test_of_many_trials_some_are_kept_evenly_and_in_order() -> None:
    trials = [[seen(when, time=100.0 * trial + place) for place, when in enumerate(("before", "during", "after"))]
              for trial in range(5000)]
    times = [each["time"] for each in of(*trials).conditions]
    assert times == sorted(times)  # type: ignore[type-var]
    assert 3 * MOST_TRIALS <= len(times) <= MOST_READINGS + 10
    kept = sorted({int(time) // 100 for time in times})  # type: ignore[call-overload]
    assert kept[0] == 0 and kept[-1] == 4999 and max(b - a for a, b in pairwise(kept)) < 30


def test_a_long_trials_readings_are_thinned_and_its_first_and_last_are_kept() -> None:
    times = [each["time"] for each in of([seen("during", time=float(place)) for place in range(10_000)]).conditions]
    assert len(times) <= MOST_READINGS + 10 and (times[0], times[-1]) == (0.0, 9999.0)


def test_the_readings_that_went_furthest_are_always_kept() -> None:
    trials = [[seen("during", time=float(trial))] for trial in range(3001)]
    odd: dict[int, dict[str, Any]] = {
        11: {"temperature_c": 44.5}, 777: {"temperature_c": 3.5}, 1203: {"clocks_mhz": [900] * 9},
        1501: {"load_1m": 8.5}, 2222: {"thermal_status": 3}, 2503: {"available_memory_bytes": 1000},
        2707: {"clocks_mhz": [3100] * 9}}
    for trial, changes in odd.items():
        trials[trial][0] |= changes
    kept = {each["time"] for each in of(*trials).conditions}
    assert {float(trial) for trial in odd} <= kept
    assert len(kept) <= MOST_TRIALS + 10


def test_an_idle_clock_before_a_trial_is_not_the_slow_one_that_is_kept() -> None:
    trials = [[seen("during", time=float(trial))] for trial in range(3001)]
    trials[777] = [seen("before", time=-1.0, clocks_mhz=[300] * 9), seen("during", time=777.0, clocks_mhz=[1200] * 9)]
    kept = {each["time"] for each in of(*trials).conditions}
    assert 777.0 in kept and -1.0 not in kept


def test_what_was_not_understood_is_told_also_of_readings_that_are_not_kept() -> None:
    trials = [[seen("during", problems=["odd"] if trial == 778 else [])] for trial in range(3001)]
    assert "not understood: odd" in of(*trials).warnings


def test_the_newest_session_speaks_for_the_device() -> None:
    found = of([seen("before")])
    assert (found.name, found.emulated, found.facts) == ("pixel-8", False, SESSIONS[-1].facts)
    assert found.versions == {"onnxruntime": "1.28.0", "agent": "f" * 16}
