from __future__ import annotations

from pathlib import Path

import pytest

from bench.config.load import parse_devices
from bench.devices.discover import Found, missing, search, unlisted_phones
from bench.devices.survey import unlisted as unlisted_states
from bench.errors import ConfigError
from bench.testing.adb_server import AdbServer
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone

NOTHING = "version: 1\ndevices: {here: {local: {}}}\n"


def ssh_config(home: Path, text: str) -> None:
    (home / ".ssh" / "config").write_text(text)


def test_the_concrete_hosts_of_the_ssh_configuration_are_found_with_its_includes(
        home: Path, with_adb: AdbServer) -> None:
    (home / ".ssh" / "lab").write_text("Host=deep\n  User x\n")
    ssh_config(home, "Host orin *.lab !other board-2\n  User bench\nInclude lab\nHost orin\nhost \"quoted\"\nHost a?\n"
                     "Match host elsewhere\n")
    assert [one.address for one in search().found if one.transport == "ssh"] == ["orin", "board-2", "deep", "quoted"]


def test_an_ssh_configuration_that_cannot_be_read_is_one_error(home: Path, with_adb: AdbServer) -> None:
    ssh_config(home, 'Host "orin\n')
    with pytest.raises(ConfigError, match="cannot understand 'Host \"orin'"):
        search()


def test_without_adb_phones_are_not_looked_for_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")
    result = search()
    assert [one.name for one in result.found] == ["this-machine"]
    (note,) = result.notes
    assert note.startswith("phones were not looked for: ADBUTILS_ADB_PATH is '/nonexistent/adb'")


def test_attached_phones_are_found_by_their_models(phone: Phone) -> None:
    (found,) = [one for one in search().found if one.transport == "adb"]
    assert found == Found("bench-phone", "adb", phone.serial, "Bench Phone", "device")


def test_a_phone_that_is_not_ready_is_found_with_its_remedy(with_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path / "locked"), secure=True, faults=Faults(accepts_keys=False)) as locked:
        with_adb.connect(locked, state="unauthorized")
        (found,) = [one for one in search().found if one.address == locked.serial]
        (note,) = search().notes
        (unlisted,) = unlisted_states(parse_devices(NOTHING, Path()))
    assert (found.name, found.state) == ("phone", "unauthorized")
    assert "tap Allow" in found.remedy
    assert note == f"{locked.serial} is unauthorized: {found.remedy}"
    assert unlisted.hint is not None and unlisted.hint.endswith(f"; it is unauthorized: {found.remedy}")


def test_that_adb_knows_no_phone_is_said(with_adb: AdbServer) -> None:
    (note,) = search().notes
    assert note.startswith("adb knows no phone; ")


def test_a_serial_in_the_environment_leaves_that_phone_alone(
        phone: Phone, with_adb: AdbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_phone(HostRoot(tmp_path / "other")) as other:
        with_adb.connect(other)
        assert [one.name for one in search().found] == ["this-machine", "bench-phone", "bench-phone-2"]
        monkeypatch.setenv("ANDROID_SERIAL", other.serial)
        assert [one.address for one in search().found] == ["", other.serial]
        monkeypatch.setenv("ANDROID_SERIAL", "pixel")
        result = search()
    assert [one.name for one in result.found] == ["this-machine"]
    (note,) = result.notes
    assert note.startswith("ANDROID_SERIAL is 'pixel', for which these phones are left out: ")
    assert phone.serial in note and other.serial in note


def test_what_devices_yaml_has_is_not_missing_from_it(home: Path) -> None:
    ssh_config(home, "Host orin\n  HostName 10.0.0.7\n  User bench\n")
    config = parse_devices("version: 1\ndevices:\n  board: {ssh: {host: 10.0.0.7, user: bench}}\n"
                           "  pixel-8: {adb: {serial: A1}}\n", Path("devices.yaml"))
    found = [Found("this-machine", "local"), Found("orin", "ssh", "orin"), Found("nano", "ssh", "nano"),
             Found("pixel-8", "adb", "A1"), Found("pixel-8-2", "adb", "A2"), Found("pixel-8", "adb", "A3")]
    assert [(one.name, one.address) for one in missing(found, config)] == [
        ("this-machine", ""), ("nano", "nano"), ("pixel-8-2", "A2"), ("pixel-8-3", "A3")]


def test_a_phone_that_is_attached_and_not_written_down_is_told(phone: Phone) -> None:
    assert [other.serial for other in unlisted_phones(parse_devices(NOTHING, Path()))] == [phone.serial]
    listed = parse_devices(f'version: 1\ndevices: {{p: {{adb: {{serial: "{phone.serial}"}}}}}}\n', Path())
    assert unlisted_phones(listed) == []


def test_no_adb_server_is_started_where_nothing_speaks_for_a_phone(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "adb").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "adb").chmod(0o755)
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(tmp_path / "adb"))
    assert unlisted_phones(parse_devices(NOTHING, Path())) == []
    assert not (tmp_path / "started").exists()
    unlisted_phones(parse_devices('version: 1\ndevices: {p: {adb: {serial: "A1"}}}\n', Path()))
    assert (tmp_path / "started").exists(), "with a phone in devices.yaml it is"
