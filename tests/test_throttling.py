"""Trials that lost their pace are found, and those that are only noisy are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.conditions import Reading, read
from bench.throttling import drift, signs
from tests.fakes.stored_phone import seen

STEADY = [10_000_000] * 100


def readings(*changes: dict[str, Any]) -> list[Reading]:
    """A reading before the trial that idles, one during it for each of `changes` but the last, which is after it."""
    idle = read(seen("before", clocks_mhz=[300] * 9, temperature_c=25.0))
    whens = ["during"] * (len(changes) - 1) + ["after"]
    return [idle, *(read(seen(when, **change)) for when, change in zip(whens, changes, strict=True))]


def throttled(seen: list[Reading], samples: Any, cores: Sequence[int] = ()) -> tuple[str, ...]:
    return signs(seen, samples, cores).throttled


def disturbed(seen: list[Reading], samples: Any) -> tuple[str, ...]:
    return signs(seen, samples).disturbed


def noise(trials: int, count: int, spread: float, alike: float) -> NDArray[np.float64]:
    """Stationary log-normal trials around 10 ms whose samples follow their neighbours by `alike`."""
    rng = np.random.default_rng(20261121)
    logs = rng.normal(size=(trials, count))
    for place in range(1, count):
        logs[:, place] = alike * logs[:, place - 1] + np.sqrt(1 - alike**2) * logs[:, place]
    return np.asarray(1e7 * np.exp(spread * logs), dtype=np.float64)


@pytest.mark.parametrize("count", [30, 100, 400])
@pytest.mark.parametrize(("spread", "alike"), [(0.02, 0.0), (0.1, 0.0), (0.03, 0.5), (0.05, 0.8), (0.08, 0.6)])
def test_noise_is_seldom_taken_for_a_drift(count: int, spread: float, alike: float) -> None:
    found = [drift(trial) for trial in noise(1000, count, spread, alike)]
    assert sum(change is not None for change in found) < 10, "of 1,000: under 1 %"


@pytest.mark.parametrize(("count", "spread", "alike"), [(60, 0.01, 0.0), (300, 0.03, 0.0), (300, 0.01, 0.6),
                                                        (1000, 0.03, 0.6)])
def test_a_steady_drift_of_ten_percent_is_found(count: int, spread: float, alike: float) -> None:
    found = [drift(trial * np.linspace(1, 1.1, count)) for trial in noise(200, count, spread, alike)]
    assert sum(change is not None and 0.04 < change < 0.1 for change in found) > 180


def test_a_step_is_found_wherever_it_stands_in_the_middle() -> None:
    for place in (110, 150, 190):
        change = drift(noise(1, 300, 0.03, 0.5)[0] * np.where(np.arange(300) < place, 1.0, 1.3))
        assert change is not None and change == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("samples", [[], [5], list(range(1, 24)), [0] * 100, [1000] * 50 + [1500] * 50])
def test_too_few_samples_or_too_short_ones_tell_nothing(samples: list[int]) -> None:
    assert drift(samples) is None


def test_a_trial_that_keeps_its_pace_has_no_marks() -> None:
    steady = readings({}, {}, {"temperature_c": 36.0})
    assert throttled(steady, STEADY) == disturbed(steady, STEADY) == ()
    assert throttled([], STEADY) == disturbed([], STEADY) == ()


def test_a_clock_that_falls_while_the_trial_runs_is_told() -> None:
    slow = {"clocks_mhz": [1704] * 4 + [2367] * 4 + [1800]}
    assert throttled(readings({}, slow), STEADY, [8]) == ("clock fell from 2914 to 1800 MHz",)
    assert throttled(readings({}, {}, slow, slow), STEADY, [8]) == ("clock fell from 2914 to 1800 MHz",)


def test_only_the_cores_of_the_trial_count_and_all_where_they_are_not_known() -> None:
    slow = {"clocks_mhz": [900] * 4 + [2367] * 4 + [2914]}
    assert throttled(readings({}, slow), STEADY, [4, 5]) == throttled(readings({}, slow), STEADY) == ()
    assert throttled(readings({}, slow), STEADY, [0, 1]) == ("clock fell from 1704 to 900 MHz",)
    assert throttled(readings({}, slow), STEADY, [0, 99]) == ()


def test_a_core_that_is_switched_off_is_no_slow_one() -> None:
    off = {"clocks_mhz": [None] * 4 + [2367] * 4 + [2914]}
    assert throttled(readings({}, off), STEADY) == throttled(readings({}, off), STEADY, [0, 1]) == ()
    assert throttled(readings(off, {"clocks_mhz": [None] * 4 + [1800] * 5}), STEADY, [0, 8]) == (
        "clock fell from 2914 to 1800 MHz",)


def test_one_low_reading_among_others_and_a_small_fall_are_no_fall() -> None:
    slow, less = {"clocks_mhz": [900] * 9}, {"clocks_mhz": [2700] * 9}
    assert throttled(readings({}, slow, {}), STEADY) == ()
    assert throttled(readings({}, less), STEADY) == ()


def test_the_idle_device_before_the_trial_is_no_measure_of_it() -> None:
    racing = read(seen("before", clocks_mhz=[4800] * 9, temperature_c=25.0))
    assert throttled([racing, *readings({"temperature_c": 60.0}, {"temperature_c": 62.0})[1:]], STEADY) == ()


def test_a_sensor_that_rises_by_more_than_eight_degrees_is_told() -> None:
    warm = [{"temperature_c": degrees} for degrees in (31.0, 36.0, 39.1)]
    assert throttled(readings(*warm), STEADY) == ("VIRTUAL-SKIN rose from 31 to 39 C",)
    assert throttled(readings(*warm[:2], {"temperature_c": 39.0}), STEADY) == ()


def test_two_sensors_are_not_compared() -> None:
    assert throttled(readings({"temperature_c": 31.0}, {"temperature_c": 60.0, "temperature_of": "BIG"}), STEADY) == ()


def test_a_thermal_status_above_none_is_told() -> None:
    assert throttled(readings({"thermal_status": 1}, {"thermal_status": 3}, {}), STEADY) == (
        "thermal status 3 (severe)",)


def test_samples_that_slow_down_are_told_and_those_that_speed_up_are_told_elsewhere() -> None:
    samples = noise(1, 300, 0.01, 0.0)[0]
    slower, faster = samples * np.linspace(1, 1.3, 300), samples * np.linspace(1.3, 1, 300)
    assert throttled([], slower) == ("samples slowed by 20 % from the first third to the last",)
    assert (throttled([], faster), disturbed([], slower)) == ((), ())
    assert disturbed([], faster) == ("samples shortened by 16 % from the first third to the last",)


def test_what_changed_within_a_trial_or_is_faked_is_told() -> None:
    unplugged = {"level_percent": 84, "charging": False, "faked": True}
    found = disturbed(readings({}, {"battery": unplugged, "screen_on": True, "thermal_faked": True}), STEADY)
    assert found == ("charging began or ended during the trial", "the screen went on or off during the trial",
                     "the battery's values are faked", "the thermal status is faked")
