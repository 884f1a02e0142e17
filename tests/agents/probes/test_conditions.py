"""The conditions of a phone, and of a machine that is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import protocol
from bench.agents.probes import android, conditions
from tests.fakes.phone_answers import (
    BATTERY_UNPLUGGED_BY_HAND,
    NO_THERMAL_SERVICE,
    THERMAL_A52,
    THERMAL_S22,
    THERMAL_XIAOMI,
)

KEYS = {"time", "load_1m", "processor", "clocks_mhz", "governor", "available_memory_bytes", "temperature_c",
        "temperature_of", "sensors_c", "thermal_status", "thermal_faked", "battery", "screen_on", "services_age_s",
        "problems"}


def test_a_phone_tells_its_skin_its_battery_and_its_screen(phone: Callable[..., Path]) -> None:
    phone()
    seen = conditions.Watch().look()
    assert set(seen) == KEYS
    assert (seen["temperature_c"], seen["temperature_of"]) == (36.9, "SKIN")
    assert seen["sensors_c"] == {"AP": 41.2, "BAT": 36.4, "SKIN": 36.9}
    assert seen["battery"]["level_percent"] == 84
    assert (seen["screen_on"], seen["thermal_status"], seen["thermal_faked"]) == (True, 0, False)
    assert seen["problems"] == []
    assert protocol.encode({"type": "conditions", **seen})


def test_clocks_are_told_by_the_cores_numbers_with_gaps_for_those_switched_off(tmp_path: Path) -> None:
    for core, khz in ((0, 1_000_000), (2, 2_000_000), (10, 3_000_000)):
        (tmp_path / f"cpu{core}" / "cpufreq").mkdir(parents=True)
        (tmp_path / f"cpu{core}" / "cpufreq" / "scaling_cur_freq").write_text(f"{khz}\n")
    assert conditions.clocks_mhz(f"{tmp_path}/cpu[0-9]*/cpufreq/") == [1000, None, 2000, *[None] * 7, 3000]


def test_without_a_skin_sensor_the_batterys_temperature_counts(phone: Callable[..., Path]) -> None:
    phone(thermal=THERMAL_A52)
    seen = conditions.Watch().look()
    assert (seen["temperature_c"], seen["temperature_of"]) == (32.6, "battery")


def test_without_both_the_hottest_sensor_counts(phone: Callable[..., Path]) -> None:
    phone(battery="nothing known", thermal=THERMAL_XIAOMI.replace("mType=3", "mType=4"))
    seen = conditions.Watch().look()
    assert (seen["temperature_c"], seen["temperature_of"]) == (57.9, "CPU")
    assert len(seen["problems"]) == 1


def test_an_older_phone_without_the_thermal_service_is_no_problem(phone: Callable[..., Path]) -> None:
    phone(thermal=NO_THERMAL_SERVICE)
    seen = conditions.Watch().look()
    assert (seen["thermal_status"], seen["problems"]) == (None, [])


def test_faked_values_are_marked(phone: Callable[..., Path]) -> None:
    phone(battery=BATTERY_UNPLUGGED_BY_HAND, thermal=THERMAL_S22.replace("Override: false", "Override: true"))
    seen = conditions.Watch().look()
    assert seen["battery"]["faked"] and seen["thermal_faked"]


def test_what_services_said_before_is_given_again_with_its_age(phone: Callable[..., Path]) -> None:
    phone()
    watch = conditions.Watch()
    first, second = watch.look(), watch.look(sparing=True)
    assert second["battery"] == first["battery"]
    assert first["services_age_s"] <= second["services_age_s"]
    assert second["time"] > first["time"], "the rest is of now"


def test_a_machine_that_is_no_phone_starts_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(android, "BIN", str(tmp_path))
    monkeypatch.setattr("subprocess.Popen", None)
    seen = conditions.Watch().look()
    assert set(seen) == KEYS
    assert (seen["screen_on"], seen["thermal_status"], seen["services_age_s"]) == (None, None, None)
    assert seen["temperature_of"] in {None, *seen["sensors_c"]}
