"""Waiting for a device to cool, with a thermometer and a sleep that are told."""

from __future__ import annotations

import pytest

from bench.config.devices import CooldownConfig
from bench.errors import DeviceError
from bench.run.cooldown import wait_until_cool
from tests.fakes.device import fake_trial, local_session


def test_a_hot_device_is_waited_for_and_the_wait_is_told() -> None:
    readings = iter([45.0, 41.0, 37.9])
    told: list[str] = []
    wait_until_cool(CooldownConfig(below_c=38, within=60.0), lambda: {"temperature_c": next(readings)}, told.append,
                    lambda _: None)
    assert told == ["cooling down: 45.0 C, wanted below 38 C", "cooling down: 41.0 C, wanted below 38 C"]


def test_a_device_that_stays_hot_is_a_device_fault() -> None:
    with pytest.raises(DeviceError, match=r"still 45\.0 C after 0 s; wanted below 38 C"):
        wait_until_cool(CooldownConfig(below_c=38, within=0.0), lambda: {"temperature_c": 45.0}, lambda _: None)


def test_a_device_without_a_thermometer_is_not_waited_for() -> None:
    wait_until_cool(CooldownConfig(below_c=38), lambda: {"temperature_c": None}, pytest.fail)


def test_the_real_agent_tells_its_conditions_when_asked(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    with local_session(folder) as session:
        seen = session.look()
        report = session.trial(fake_trial(folder, {}))
    assert seen["when"] == "asked"
    assert "temperature_c" in seen
    assert report.samples_ns
