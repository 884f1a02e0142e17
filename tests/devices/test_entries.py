from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.load import load_devices, parse_devices
from bench.devices.discover import Found, missing, named
from bench.devices.entries import entries_text, write_file
from bench.errors import InfrastructureError

HEAD = "version: 1\ndevices:\n"
HERE = Found("this-machine", "local")
ODD = st.text() | st.sampled_from(["null", "true", "12", "0x1f", "1e5", "~", "a: b", "# no", "- x", "\u2028",
                                   "é\x1b[2J", "Pixel 8", "x" * 300, "..", "-", "*", "{}", "\ud800", "\x85"])


def test_a_device_is_named_by_its_model() -> None:
    found = named([Found("Pixel 8 Pro", "adb", "A1"), Found("SM-A525F", "adb", "A2"), Found("", "adb", "A3"),
                   Found("Pixel 8 Pro", "adb", "A4"), Found("Orin.Lab", "ssh", "Orin.Lab")], ["orin.lab"])
    assert [one.name for one in found] == ["pixel-8-pro", "sm-a525f", "phone", "pixel-8-pro-2", "orin.lab-2"]


def test_the_entries_say_what_each_is_and_what_to_do() -> None:
    assert entries_text([
        HERE, Found("pixel-8", "adb", "37261F", "Pixel 8", "device"),
        Found("phone", "adb", "0123", state="unauthorized", remedy="tap Allow on the phone's screen"),
        Found("orin", "ssh", "orin")]) == """\
  this-machine: {local: {}}

  # Pixel 8
  pixel-8: {adb: {serial: "37261F"}}

  # unauthorized: tap Allow on the phone's screen
  phone: {adb: {serial: "0123"}}

  # The hosts of ~/.ssh/config: delete those that are no devices.
  orin: {ssh: {host: "orin"}}
"""


@given(st.lists(st.tuples(ODD, ODD, st.sampled_from(["adb", "ssh"])), max_size=6))
def test_whatever_phones_and_hosts_are_called_the_entries_load_again(odd: list[tuple[str, str, str]]) -> None:
    found = named([HERE, *(Found(text, kind, address, model=text, state="device")
                           for text, address, kind in odd)], [])
    config = parse_devices(HEAD + entries_text(found), Path("devices.yaml"))
    assert list(missing(found, config)) == []
    assert len(config.devices) == len(found)
    phones = {device.adb.serial for device in config.devices.values() if device.adb}
    assert phones <= {address for _, address, _ in odd}


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_file(tmp_path / "new" / "devices.yaml", [HERE])
    assert list(load_devices(tmp_path / "new" / "devices.yaml").devices) == ["this-machine"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["devices.yaml"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot write"):
        write_file(tmp_path / "file" / "devices.yaml", [HERE])
