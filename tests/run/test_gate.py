"""The start gate, with a device and a sleep that are told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.conditions import read
from bench.config.devices import CooldownConfig, DeviceConfig, LocalConfig
from bench.errors import DeviceError
from bench.run import device as device_module
from bench.run.device import measure_device
from bench.run.events import Event
from bench.run.gate import wait_until_fit
from bench.run.stop import Stop
from bench.session import Session
from bench.store.store import Store
from tests.fakes.device import local_session
from tests.fakes.fake_cells import cells_of, fake_job, fake_run, offer_fake
from tests.fakes.stored_phone import seen

PHONE = DeviceConfig(local=LocalConfig(), battery_at_least=20, cooldown=CooldownConfig(below_c=38, within=60.0))
IMPATIENT = PHONE.model_copy(update={"cooldown": CooldownConfig(below_c=38, within=0.0)})
BOARD = {"when": "asked", "temperature_c": None, "battery": None, "thermal_status": None}


def battery(level: int, *, charging: bool = True, faked: bool = False) -> dict[str, Any]:
    return {"level_percent": level, "charging": charging, "source": None, "temperature_c": 30.0, "faked": faked}


def looks(*changes: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """A phone that answers so, one look after the other."""
    answers = iter([seen("asked", **change) for change in changes])
    return lambda: next(answers)


def waited(config: DeviceConfig, look: Callable[[], dict[str, Any]]) -> list[str]:
    """What is told until the device may start."""
    told: list[str] = []
    wait_until_fit(config, None, look, told.append, lambda _: None)
    return told


def test_a_phone_that_is_well_starts_after_one_look() -> None:
    assert waited(PHONE, looks({})) == []


def test_a_hot_phone_is_waited_for_and_the_wait_is_told() -> None:
    assert waited(PHONE, looks({"temperature_c": 45.0}, {"temperature_c": 38.0}, {"temperature_c": 37.9})) == [
        "waiting: 45.0 C, wanted below 38 C", "waiting: 38.0 C, wanted below 38 C"]


def test_a_phone_that_throttles_or_charges_is_waited_for() -> None:
    assert waited(PHONE, looks({"thermal_status": 2, "battery": battery(12)}, {"battery": battery(19)}, {})) == [
        "waiting: battery at 12 %, wanted at least 20 %; thermal status 2 (moderate), wanted 0",
        "waiting: battery at 19 %, wanted at least 20 %"]


def test_the_thermal_status_counts_without_a_limit_in_degrees() -> None:
    config = PHONE.model_copy(update={"cooldown": None})
    assert waited(config, looks({"thermal_status": 1, "temperature_c": 90.0}, {"temperature_c": 90.0})) == [
        "waiting: thermal status 1 (light), wanted 0"]


def test_a_phone_that_loses_charge_is_not_waited_for() -> None:
    with pytest.raises(DeviceError, match=r"^battery at 12 %, wanted at least 20 %; it is not charging") as caught:
        waited(PHONE, looks({"battery": battery(12, charging=False)}))
    assert "battery_at_least" in caught.value.hint
    assert waited(PHONE, looks({"battery": battery(20, charging=False)})) == []


@pytest.mark.parametrize(("change", "remedy"), [
    ({"battery": battery(100, faked=True)}, "adb shell dumpsys battery reset"),
    ({"thermal_faked": True}, "adb shell cmd thermalservice reset")])
def test_faked_values_are_never_trusted(change: dict[str, Any], remedy: str) -> None:
    with pytest.raises(DeviceError, match="faked") as caught:
        waited(PHONE, looks(change))
    assert remedy in caught.value.hint


def test_who_wants_no_charge_is_not_held_up_by_the_battery() -> None:
    config = PHONE.model_copy(update={"battery_at_least": 0})
    assert waited(config, looks({"battery": battery(1, charging=False, faked=True)})) == []


def test_what_is_still_wrong_after_the_limit_is_named() -> None:
    wrong = {"battery": battery(12), "thermal_status": 3, "temperature_c": 45.0}
    with pytest.raises(DeviceError) as caught:
        waited(IMPATIENT, looks(wrong))
    assert caught.value.message == ("after 0 s still battery at 12 %, wanted at least 20 %; "
                                    "thermal status 3 (severe), wanted 0; 45.0 C, wanted below 38 C")
    assert caught.value.fault == "device"


def test_a_device_that_tells_nothing_to_judge_is_asked_once() -> None:
    first = wait_until_fit(PHONE, None, lambda: BOARD, pytest.fail)
    assert wait_until_fit(PHONE, first, lambda: pytest.fail("asked again"), pytest.fail) is first


@pytest.mark.parametrize("change", [{}, {"battery": None}, {"thermal_status": None, "temperature_c": None},
                                    {"battery": None, "thermal_status": None}])
def test_a_device_that_tells_anything_to_judge_is_asked_before_each_trial(change: dict[str, Any]) -> None:
    with pytest.raises(DeviceError, match="still"):
        wait_until_fit(IMPATIENT, read(seen("asked", **change)), looks({"thermal_status": 1}), pytest.fail)


def test_a_device_that_was_not_understood_is_asked_again() -> None:
    known = replace(read(BOARD), problems=("dumpsys did not answer",))
    with pytest.raises(DeviceError, match="still"):
        wait_until_fit(IMPATIENT, known, looks({"thermal_status": 1}), pytest.fail)


def test_the_real_agent_tells_its_conditions_when_asked(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        assert wait_until_fit(DeviceConfig(local=LocalConfig()), None, session.look, pytest.fail).when == "asked"


def test_a_trial_whose_device_is_not_fit_fails_with_the_reason_and_is_not_begun(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    reasons = iter(["battery at 12 %"])

    def gate(*_: object) -> None:
        for reason in reasons:
            raise DeviceError(reason)

    monkeypatch.setattr(device_module, "wait_until_fit", gate)
    job = fake_job(tmp_path, {"a": {}, "b": {}})
    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        measure_device(job, store, Stop(), lambda _: None)
        trials = store.load(store.find_run(None)).trials
    assert [(trial.cell, trial.number, trial.state, trial.reason, bool(trial.conditions)) for trial in trials] == [
        ("a@here", 1, "failed", "battery at 12 %", False), ("b@here", 1, "ok", None, True),
        ("b@here", 2, "ok", None, True)]


def test_a_stop_ends_the_wait_and_leaves_the_trial_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_fake(monkeypatch)
    monkeypatch.setattr(Session, "look", lambda _: seen("asked", thermal_status=3))
    job, stop = fake_job(tmp_path, {"a": {}, "b": {}}), Stop()
    stop.interruptible = False

    def press(event: Event) -> None:
        if event.text.startswith("waiting"):
            stop.request()

    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(fake_run(), cells_of(job))
        begin = time.monotonic()
        measure_device(job, store, stop, press)
        assert stop.soft.is_set() and store.load(store.find_run(None)).trials == ()
    assert time.monotonic() - begin < 30, "the gate would have waited for minutes"
