"""The battery, as phones and kernels tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.agents.probes import battery
from tests.fakes.phone_answers import BATTERY, BATTERY_SAMSUNG, BATTERY_UNPLUGGED_BY_HAND


def parsed(text: str) -> tuple[dict[str, Any] | None, list[str]]:
    problems: list[str] = []
    return battery.parse(text, problems), problems


def test_the_units_are_percent_and_degrees() -> None:
    assert parsed(BATTERY) == ({"level_percent": 84, "charging": True, "source": "usb", "temperature_c": 32.6,
                                "faked": False}, [])


def test_values_that_were_set_by_hand_are_marked() -> None:
    state, problems = parsed(BATTERY_UNPLUGGED_BY_HAND)
    assert state == {"level_percent": 100, "charging": False, "source": None, "temperature_c": 29.0, "faked": True}
    assert problems == []


def test_a_makers_log_of_older_values_is_not_the_state() -> None:
    state, problems = parsed(BATTERY_SAMSUNG)
    assert state == {"level_percent": 75, "charging": False, "source": "ac", "temperature_c": 35.7, "faked": False}
    assert problems == []


def test_a_level_is_a_part_of_its_scale() -> None:
    state, _ = parsed(BATTERY.replace("level: 84", "level: 100").replace("scale: 100", "scale: 200"))
    assert state and state["level_percent"] == 50


def test_a_phone_without_a_battery_has_none_and_that_is_no_problem() -> None:
    assert parsed(BATTERY.replace("present: true", "present: false")) == (None, [])


@pytest.mark.parametrize("wrong", ["level: 101", "level: -1", "level: ", "level: eighty", "level: 8\x1b[31m4"])
def test_a_level_that_is_none_is_refused_loudly(wrong: str) -> None:
    state, problems = parsed(BATTERY.replace("level: 84", wrong))
    assert state is None
    assert len(problems) == 1
    assert "level" in problems[0] and problems[0].isprintable()


@pytest.mark.parametrize("scale", ["scale: 0", ""])
def test_a_level_without_a_scale_is_refused_loudly(scale: str) -> None:
    state, problems = parsed(BATTERY.replace("scale: 100", scale))
    assert state is None
    assert problems


@pytest.mark.parametrize("wrong", ["3570", "-401", "NaN", "32.6", ""])
def test_a_temperature_that_is_none_is_refused_and_the_rest_is_kept(wrong: str) -> None:
    state, problems = parsed(BATTERY.replace("temperature: 326", f"temperature: {wrong}"))
    assert state and state["temperature_c"] is None
    assert state["level_percent"] == 84
    assert "temperature" in problems[0]


def test_a_frozen_pack_is_plausible() -> None:
    state, problems = parsed(BATTERY.replace("temperature: 326", "temperature: -105"))
    assert state and state["temperature_c"] == -10.5
    assert problems == []


def test_an_unknown_status_is_not_guessed() -> None:
    state, problems = parsed(BATTERY.replace("status: 2", "status: 7"))
    assert state and state["charging"] is None
    assert "'7'" in problems[0]
    assert parsed(BATTERY.replace("status: 2", "status: 1"))[1] == []


def test_what_a_maker_adds_may_come_twice() -> None:
    assert parsed(BATTERY + "  current now: 1\n  current now: 2\n")[1] == []


def test_two_levels_are_none() -> None:
    state, problems = parsed(BATTERY + "  level: 12\n")
    assert state is None
    assert problems


@pytest.mark.parametrize("said", ["Can't find service: battery\n", "Permission Denial: can't dump BatteryService\n"])
def test_an_answer_that_is_no_state_is_refused_with_its_words(said: str) -> None:
    state, problems = parsed(said)
    assert state is None
    assert len(problems) == 1
    assert said.split(":")[0].split("'")[0] in problems[0]


def supply(folder: Path, name: str, **content: str) -> None:
    (folder / name).mkdir()
    for file, text in content.items():
        (folder / name / file).write_text(text + "\n")


def test_a_laptops_battery_comes_from_the_kernel(tmp_path: Path) -> None:
    supply(tmp_path, "AC", type="Mains", online="1")
    supply(tmp_path, "BAT0", type="Battery", capacity="57", status="Charging", temp="301")
    problems: list[str] = []
    assert battery.from_power_supplies(problems, str(tmp_path)) == {
        "level_percent": 57, "charging": True, "source": "ac", "temperature_c": 30.1, "faked": False}
    assert problems == []


def test_a_mouse_is_not_the_machine(tmp_path: Path) -> None:
    supply(tmp_path, "hidpp_battery_0", type="Battery", scope="Device", capacity="10", status="Discharging")
    assert battery.from_power_supplies([], str(tmp_path)) is None


def test_a_kernel_that_tells_no_level_is_not_guessed_at(tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Full")
    problems: list[str] = []
    assert battery.from_power_supplies(problems, str(tmp_path)) is None
    assert problems


def test_a_board_without_power_supplies_has_no_battery(tmp_path: Path) -> None:
    problems: list[str] = []
    assert battery.from_power_supplies(problems, str(tmp_path / "none")) is None
    assert problems == []
