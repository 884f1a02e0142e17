"""What `bench devices` shows of phones: asked by their own shells, in parallel, each within a limit."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.agents.probes import android
from bench.cli.devices import _text
from bench.config.devices import AdbConfig, DeviceConfig, LocalConfig
from bench.config.load import parse_devices
from bench.deadline import Deadline
from bench.devices import survey as module
from bench.devices.shell_facts import ask
from bench.devices.survey import DeviceState, survey, unlisted
from bench.testing.adb_server import AdbServer
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import HostRoot
from bench.testing.android.answers import answers, properties
from bench.testing.android.profiles import PIXEL, SAMSUNG, Profile
from bench.testing.phone import Phone, running_phone
from bench.transports.connect import connect


class Answering(HostRoot):
    """A phone whose tools answer from a profile; the rest is this machine's."""

    def __init__(self, folder: Path, profile: Profile) -> None:
        super().__init__(folder)
        tools = folder / "tools"
        tools.mkdir()
        texts = {"getprop": properties(profile), **{f"dumpsys {name}": answers(profile)[f"dumpsys {name}"]
                                                    for name in ("battery", "thermalservice")}}
        for line, text in texts.items():
            (folder / line).write_text(text)
        for tool in ("getprop", "dumpsys"):
            (tools / tool).write_text(f'#!/bin/sh\nexec cat "{folder}/{tool}${{1:+ $1}}"\n')
            (tools / tool).chmod(0o755)
        (tools / "uname").write_text('#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || echo 5.15.137-android14\n')
        (tools / "uname").chmod(0o755)

    def spawn(self, line: str, *, pty: bool = False):  # type: ignore[no-untyped-def]
        return super().spawn(f"PATH={self.folder}/tools:$PATH; {line}", pty=pty)


def config(phone: Phone, **changes: object) -> DeviceConfig:
    assert isinstance(phone.root, HostRoot)
    return DeviceConfig(adb=AdbConfig(serial=phone.serial), workdir=f"{phone.root.folder}/work").model_copy(
        update=changes)


def test_a_phone_without_a_bundle_is_asked_by_its_own_shell_and_given_nothing(
        with_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(Answering(tmp_path / "pixel", PIXEL)) as phone:
        with_adb.connect(phone)
        (state,) = survey({"pixel": config(phone)})
    assert (state.state, state.error, state.runtimes) == ("ready", None, {})
    assert state.bundle == "no bundle on it yet: bench run pushes it, or bench bundle push -d pixel"
    assert state.facts["android"] == android.facts_from(properties(PIXEL))
    assert (state.facts["os"], state.facts["soc"], state.facts["arch"]) == (
        "Android 14 (API 34)", "Google Tensor G3", "aarch64")
    assert state.facts["memory_bytes"] > 1 << 20 and state.facts["disk_free_bytes"] > 1 << 20
    assert state.facts["temperature_c"] == 31.4
    assert state.conditions["battery"] == {"level_percent": 84, "charging": True, "source": "usb",
                                           "temperature_c": 27.4, "faked": False}
    assert state.conditions["thermal_status"] == 0
    assert not (tmp_path / "pixel" / "work").exists()
    text = _text(state)
    assert text.startswith("pixel  [adb]  ready\n  model       Google Pixel 8 Pro\n  system      Android 14 (API 34), ")
    assert "battery     84 %, charging by usb" in text and "throttling  none" in text
    assert "abis        arm64-v8a, armeabi-v7a, armeabi" in text


def test_a_vendors_additions_are_not_taken_for_the_battery(with_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(Answering(tmp_path / "galaxy", SAMSUNG)) as phone:
        with_adb.connect(phone)
        (state,) = survey({"galaxy": config(phone)})
    assert (state.conditions["battery"]["level_percent"], state.facts["temperature_c"]) == (100, 35.8)


def test_what_a_phone_tells_and_nobody_understands_is_shown(with_adb: AdbServer, tmp_path: Path) -> None:
    odd = replace(PIXEL, properties={**PIXEL.properties, "ro.build.version.sdk": "Baklava"})
    with running_phone(Answering(tmp_path / "odd", odd)) as phone:
        with_adb.connect(phone)
        (state,) = survey({"odd": config(phone)})
    assert "not clear" in _text(state) and "Baklava" in _text(state)


def test_a_32_bit_phone_says_so(with_adb: AdbServer, tmp_path: Path) -> None:
    old = replace(PIXEL, properties={**PIXEL.properties, "ro.product.cpu.abilist": "armeabi-v7a,armeabi"})
    with running_phone(Answering(tmp_path / "old", old)) as phone:
        with_adb.connect(phone)
        (state,) = survey({"old": config(phone)})
    assert state.state == "unusable"
    assert state.error == ("bundle not runnable: it is 32-bit only (its ABIs are armeabi-v7a, armeabi), and the bundle "
                           "is for 64-bit arm")
    assert "Google Pixel 8 Pro" in _text(state)


def test_a_phone_with_a_bundle_is_asked_by_its_agent(phone: Phone, tmp_path: Path) -> None:
    folder = tmp_path / "phone" / "work" / "bundle"
    folder.mkdir(parents=True)
    launcher = folder / "py-0123456789abcdef"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    launcher.chmod(0o755)
    (state,) = survey({"phone": config(phone)})
    assert state.error is None, state.error
    assert (state.state, state.bundle) == ("ready", str(launcher))
    assert "onnxruntime" in state.runtimes and state.facts["python"]


def test_a_phone_that_waits_for_consent_is_a_row_with_the_remedy(with_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path / "locked"), secure=True, faults=Faults(accepts_keys=False)) as locked:
        with_adb.connect(locked, state="unauthorized")
        (state,) = survey({"locked": config(locked)})
    assert state.state == "unreachable" and state.error is not None and "'unauthorized'" in state.error
    assert state.hint is not None and "tap Allow" in state.hint


def test_a_frozen_phone_does_not_hold_up_the_others(
        with_adb: AdbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_WITHIN_S", 2.0)
    monkeypatch.setattr(module, "ASK_WITHIN_S", 2.0)
    with running_phone(HostRoot(tmp_path / "frozen")) as frozen, \
            running_phone(Answering(tmp_path / "pixel", PIXEL)) as phone:
        with_adb.connect(frozen)
        with_adb.connect(phone)
        frozen.freeze()
        begun = time.monotonic()
        states = survey({"frozen": config(frozen), "pixel": config(phone)})
        took = time.monotonic() - begun
        frozen.thaw()
    assert [state.state for state in states] == ["unreachable", "ready"]
    assert took < 15


def test_phones_that_nobody_wrote_down_are_told_at_the_end(phone: Phone) -> None:
    (other,) = unlisted(parse_devices("version: 1\ndevices: {here: {local: {}}}\n", Path()))
    assert (other.name, other.state, other.error) == (phone.serial, "unlisted", None)
    assert other.hint == (f"{phone.serial} (Bench Phone) is attached and not in devices.yaml: bench init shows the "
                          "lines to add")


def test_a_board_without_runtimes_is_told_how_to_get_them(bare_python: Path, tmp_path: Path) -> None:
    (state,) = survey({"bare": DeviceConfig(local=LocalConfig(), python=str(bare_python), workdir=f"{tmp_path}/w")})
    assert "runtimes    none found: bench provision -d bare" in _text(state)


def test_a_device_without_getprop_that_is_given_a_bundle_is_asked_too(tmp_path: Path) -> None:
    device = DeviceConfig(local=LocalConfig(), python="bundle", workdir=f"{tmp_path}/not yet/there")
    transport = connect("x", device, Deadline(10))
    told = ask(transport, device.folder, Deadline(10))
    assert told.facts["android"] is None and told.facts["cores"] and told.facts["disk_free_bytes"]
    assert told.launcher is None
    assert json.dumps(told.facts)


def test_the_c_library_of_a_bundle_is_said_of_its_python_not_of_the_phone() -> None:
    facts: dict[str, object] = {
        "os": "Android 14 (API 34)", "kernel": "5.15", "arch": "aarch64", "libc": "glibc 2.36", "soc": None, "cores": 8,
        "max_clocks_mhz": [], "cpu_flags": [], "memory_bytes": None, "disk_free_bytes": None, "temperature_c": None,
        "python": "3.11.2", "emulated": False, "android": {}}
    state = DeviceState("p", "adb", "ready", {}, facts, bundle="/data/local/tmp/bench/bundle/py-1")
    text = _text(state)
    assert "  system      Android 14 (API 34), kernel 5.15, aarch64\n" in text
    assert "  python      3.11.2, glibc 2.36\n" in text
    own = _text(replace(state, bundle=None))
    assert "kernel 5.15, aarch64, glibc 2.36\n" in own and "  python      3.11.2\n" in own
