"""How a device kept its clocks, temperature and pace over a cell's trials."""

from __future__ import annotations

from typing import Any

import pytest

from bench.collect.marks import look_at
from bench.collect.steadiness import steadiness
from bench.results import Steadiness
from bench.store.packing import pack
from bench.store.records import TrialRecord
from tests.fakes.stored_phone import seen

STEADY = [10_000_000] * 60
SLOWED = [millions * 1_000_000 + 7919 * place % 100_000 for millions in (10, 13) for place in range(60)]


def trial(*readings: dict[str, Any], samples: list[int] = STEADY) -> TrialRecord:
    """One that saw these while it ran."""
    return TrialRecord("r", "c", 1, "latency", 1, 1, "", 1.0, "ok", "", "", {"cores_used": [8]}, {},
                       [seen("before", clocks_mhz=[300] * 9, temperature_c=20.0, thermal_status=None),
                        *(seen("during", **reading) for reading in readings)], {}, {}, pack(samples), len(samples))


def of(*trials: TrialRecord) -> dict[str, Steadiness]:
    found = steadiness([look_at(each) for each in trials])
    assert [each.what for each in found] == ["clocks", "temperature", "pace", "processor"]
    return {each.what: each for each in found}


def clocks(mhz: float | None) -> dict[str, Any]:
    return {"clocks_mhz": [300] * 8 + [mhz]}


def test_what_was_kept_is_told_with_its_span() -> None:
    found = of(trial(clocks(2790), clocks(2803)), trial({}, {"temperature_c": 36.4, **clocks(2700)}))
    assert found["clocks"] == Steadiness("clocks", 2, 0, "2803 to 2914 MHz")
    assert found["temperature"] == Steadiness("temperature", 2, 0, "31 to 36 C")
    assert found["pace"] == Steadiness("pace", 2, 0, "")


def test_a_clock_that_fell_within_a_trial_is_counted_and_told() -> None:
    found = of(trial({}, {}), trial({}, clocks(1800)), trial({}, clocks(1500)))["clocks"]
    assert found == Steadiness("clocks", 3, 2, "clock fell from 2914 to 1800 MHz")


def test_a_clock_that_was_low_over_a_whole_trial_is_found_beside_the_others() -> None:
    found = of(trial({}, {}), trial(clocks(1800), clocks(1800)), trial(clocks(2700)))["clocks"]
    assert found == Steadiness("clocks", 3, 1, "1800 to 2914 MHz")


def test_heat_within_a_trial_and_from_trial_to_trial_is_found() -> None:
    risen = of(trial({"temperature_c": 30.0}, {"temperature_c": 39.0}), trial({}))["temperature"]
    assert risen == Steadiness("temperature", 2, 1, "VIRTUAL-SKIN rose from 30 to 39 C")
    warmer = of(*(trial({"temperature_c": degrees}) for degrees in (30.0, 34.0, 38.1, 41.0)))["temperature"]
    assert warmer == Steadiness("temperature", 4, 2, "30 to 41 C")
    status = of(trial({"temperature_c": None, "thermal_status": 2}))["temperature"]
    assert status == Steadiness("temperature", 1, 1, "thermal status 2 (moderate)")


def test_a_phone_that_tells_only_that_it_is_not_hot_has_told() -> None:
    assert of(trial({"temperature_c": None}))["temperature"] == Steadiness("temperature", 1, 0,
                                                                           "thermal status 0 (none)")


def test_samples_that_slow_down_are_no_steady_pace() -> None:
    found = of(trial({}, samples=SLOWED), trial({}))["pace"]
    assert (found.told, found.unsteady) == (2, 1) and found.seen.startswith("samples slowed by 30 %")


@pytest.mark.parametrize("lacking", [{"clocks_mhz": []}, {"clocks_mhz": [None] * 9}])
def test_what_was_not_told_is_counted_as_such(lacking: dict[str, Any]) -> None:
    untold = {"temperature_c": None, "thermal_status": None} | lacking
    found = of(trial(untold), trial(untold))
    assert found["clocks"] == Steadiness("clocks", 0, 0, "")
    assert found["temperature"] == Steadiness("temperature", 0, 0, "")
    assert of(trial(untold), trial({}))["clocks"].told == 1
