"""Temperatures, as phones and kernels tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.agents.probes import problems as notes
from bench.agents.probes import thermal
from tests.fakes.phone_answers import (
    NO_THERMAL_SERVICE,
    THERMAL_A52,
    THERMAL_PIXEL,
    THERMAL_S22,
    THERMAL_XIAOMI,
)


def parsed(text: str) -> tuple[thermal.Thermal, list[str]]:
    problems: list[str] = []
    return thermal.parse(text, problems), problems


def test_what_the_hardware_says_now_counts_and_absent_sensors_are_left_out() -> None:
    told, problems = parsed(THERMAL_S22)
    assert thermal.by_name(told.sensors) == {"AP": 41.2, "BAT": 36.4, "SKIN": 36.9}
    assert (told.status, told.faked, problems) == (0, False, [])


def test_sensors_that_are_only_remembered_do_not_join_those_of_now() -> None:
    told, problems = parsed(THERMAL_XIAOMI)
    assert thermal.by_name(told.sensors) == {"CPU": 57.9, "SKIN": 34.351}
    assert (told.status, problems) == (1, [])


def test_what_is_remembered_counts_where_the_hardware_says_nothing() -> None:
    told, problems = parsed(THERMAL_A52)
    assert thermal.by_name(told.sensors) == {"AP": 36.0}
    assert problems == []


def test_voltage_and_charge_are_no_temperatures() -> None:
    told, problems = parsed(THERMAL_PIXEL)
    assert set(thermal.by_name(told.sensors)) == {"VIRTUAL-SKIN-CHARGE", "VIRTUAL-SKIN", "BIG", "TPU", "rear_cam"}
    assert problems == []


def test_the_skin_is_the_sensor_of_that_name() -> None:
    assert thermal.skin(parsed(THERMAL_PIXEL)[0].sensors) == thermal.Sensor("VIRTUAL-SKIN", 3, 33.05)
    assert thermal.skin(parsed(THERMAL_A52)[0].sensors) is None


def test_android_9_has_no_such_service_and_that_is_no_problem() -> None:
    assert parsed(NO_THERMAL_SERVICE) == (thermal.Thermal(None, False, []), [])


def test_a_status_that_was_set_by_hand_is_marked() -> None:
    told, problems = parsed(THERMAL_S22.replace("Override: false", "Override: true").replace("Status: 0", "Status: 3"))
    assert (told.status, told.faked, problems) == (3, True, [])


@pytest.mark.parametrize("status", ["7", "-1", "NONE", ""])
def test_an_unknown_status_is_refused_loudly(status: str) -> None:
    told, problems = parsed(THERMAL_S22.replace("Thermal Status: 0", f"Thermal Status: {status}"))
    assert told.status is None
    assert len(problems) == 1
    assert told.sensors, "the sensors are understood all the same"


def test_a_status_means_nothing_while_the_hardwares_part_is_not_ready() -> None:
    told, problems = parsed(THERMAL_S22.replace("HAL Ready: true", "HAL Ready: false"))
    assert told.status is None
    assert "not ready" in problems[0]


def test_an_answer_that_is_none_is_refused_with_its_words() -> None:
    told, problems = parsed("Permission Denial: can't dump ThermalManagerService\n")
    assert told == (None, False, [])
    assert "Permission Denial" in problems[0]


@pytest.mark.parametrize("sensor", [
    "mValue=NaN, mType=0, mName=AP, mStatus=0",
    "mValue=Infinity, mType=0, mName=AP, mStatus=0",
    "mValue=32700.0, mType=0, mName=AP, mStatus=0",
    "mValue=-273.0, mType=0, mName=AP, mStatus=0",
    "mValue=39.6, mType=42, mName=AP, mStatus=0",
    "mValue=39.6, mStatus=0",
    "mValue=39.6, mType=0, mName=AP",
])
def test_a_sensor_that_is_not_understood_is_left_out_loudly(sensor: str) -> None:
    lines = f"Current temperatures from HAL:\n\tTemperature{{{sensor}}}\n\tTemperature{{mValue=30.0, mType=3, " \
            "mName=SKIN, mStatus=0}\n"
    told, problems = parsed("Thermal Status: 0\n" + lines)
    assert thermal.by_name(told.sensors) == {"SKIN": 30.0}
    assert len(problems) == 1
    assert sensor[:30] in problems[0]


def test_problems_are_few_short_and_printable() -> None:
    lines = "".join(f"\tTemperature{{\x1b[3{number}m{'x' * 500}\n" for number in range(100))
    _, problems = parsed("Thermal Status: 0\nCurrent temperatures from HAL:\n" + lines)
    assert len(problems) == notes.LIMIT
    assert all(problem.isprintable() and len(problem) < 200 for problem in problems)


def test_sensors_of_one_name_are_told_apart_and_their_number_is_bounded() -> None:
    lines = "".join(f"\tTemperature{{mValue={number}.5, mType=0, mName=CPU, mStatus=0}}\n" for number in (40, 41))
    told, _ = parsed("Thermal Status: 0\nCurrent temperatures from HAL:\n" + lines)
    assert thermal.by_name(told.sensors) == {"CPU": 40.5, "CPU 2": 41.5}
    told, _ = parsed("Thermal Status: 0\nCurrent temperatures from HAL:\n" + lines * 500)
    assert len(told.sensors) == thermal.MOST_SENSORS


def zones(folder: Path, *types_and_readings: tuple[str, str]) -> tuple[dict[str, float], list[str]]:
    for number, (kind, reading) in enumerate(types_and_readings):
        zone = folder / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "type").write_text(kind + "\n")
        (zone / "temp").write_text(reading + "\n")
    problems: list[str] = []
    return thermal.zones(problems, str(folder)), problems


def test_zones_are_in_millidegrees_or_degrees(tmp_path: Path) -> None:
    found, problems = zones(tmp_path, ("cpu-thermal", "48562"), ("battery", "31"), ("cpu-thermal", "50000"))
    assert found == {"cpu-thermal": 48.562, "battery": 31.0, "cpu-thermal 2": 50.0}
    assert problems == []


def test_zones_without_power_and_zones_that_are_no_temperature_are_left_out(tmp_path: Path) -> None:
    found, problems = zones(tmp_path, ("gpu-thermal", "-256000"), ("cv0-thermal", "0"), ("PMIC-Die", "100000"),
                            ("pm8150b-ibat-lvl0", "1200"), ("vbat", "4012"), ("soc", "84"), ("x", "unreadable"),
                            ("soc0-thermal", "45125"))
    assert found == {"soc0-thermal": 45.125}
    assert problems == []


def test_a_zone_too_hot_to_be_true_is_left_out_loudly(tmp_path: Path) -> None:
    found, problems = zones(tmp_path, ("modem", "999000"), ("cpu", "40000"))
    assert found == {"cpu": 40.0}
    assert "modem" in problems[0]
