from __future__ import annotations

from pathlib import Path

import pytest

from bench.config.devices import DevicesConfig
from bench.config.load import parse_devices, parse_suite
from bench.config.select import resolve_devices, select_devices
from bench.config.suite import SuiteConfig
from bench.errors import ConfigError

DEVICES = parse_devices("""version: 1
defaults: {ssh: {known_hosts: /etc/known}, cooldown: {below_c: 38, within: 5m}}
devices:
  here: {local: {}, cooldown: {below_c: 60}}
  board: {ssh: {host: b}, labels: {tier: edge, soc: orin}}
  other: {ssh: {host: o, known_hosts: /mine}, labels: {tier: edge}}
  phone: {adb: {serial: "1"}, labels: {tier: flagship}}
""", Path("d.yaml"))


def suite(labels: str = "{}") -> SuiteConfig:
    text = f"version: 1\nname: s\nmodels: {{m: {{source: {{onnx: m}}}}}}\ndevices: {{labels: {labels}}}"
    return parse_suite(text, Path("s.yaml"), Path()).config


def test_defaults_hold_for_every_device_that_does_not_say_otherwise() -> None:
    devices = resolve_devices(DEVICES).devices
    hosts = {name: device.ssh.known_hosts for name, device in devices.items() if device.ssh is not None}
    limits = {name: device.cooldown.below_c for name, device in devices.items() if device.cooldown is not None}
    assert hosts == {"board": Path("/etc/known"), "other": Path("/mine")}
    assert limits == {"here": 60.0, "board": 38.0, "other": 38.0, "phone": 38.0}


def test_resolving_twice_changes_nothing() -> None:
    assert resolve_devices(resolve_devices(DEVICES)) == resolve_devices(DEVICES)


@pytest.mark.parametrize(("labels", "names"), [
    ("{}", ["here", "board", "other", "phone"]), ("{tier: edge}", ["board", "other"]),
    ("{tier: [edge, flagship]}", ["board", "other", "phone"]), ("{tier: edge, soc: orin}", ["board"]),
])
def test_labels_select_devices(labels: str, names: list[str]) -> None:
    assert list(select_devices(suite(labels), DEVICES, [])) == names


def test_names_win_over_labels_and_keep_their_order() -> None:
    chosen = select_devices(suite("{tier: edge}"), DEVICES, ["phone", "here", "phone"])
    assert list(chosen) == ["phone", "here"]
    assert chosen["phone"].cooldown is not None


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        select_devices(suite(), DEVICES, ["bord"])
    assert caught.value.message == "no device 'bord', did you mean 'board'? (known: here, board, other, phone)"


def test_labels_that_no_device_has_say_which_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        select_devices(suite("{tier: [edgy, x], soc: orin}"), DEVICES, [])
    assert caught.value.message == ("no device has the labels that the suite asks for (tier: edgy or x, soc: orin), "
                                    "found soc: orin; tier: edge, flagship")


def test_devices_without_labels_are_said_to_have_none() -> None:
    bare: DevicesConfig = parse_devices("version: 1\ndevices: {here: {local: {}}}", Path("d.yaml"))
    with pytest.raises(ConfigError, match=r"\(tier: edge\), found no labels"):
        select_devices(suite("{tier: edge}"), bare, [])
