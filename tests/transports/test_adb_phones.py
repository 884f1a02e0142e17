"""Phones that are there, that are not ready, and what a person is told to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.config.devices import AdbConfig, DeviceConfig
from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, DeviceError, InfrastructureError
from bench.testing.adb_server import AdbServer
from bench.testing.adbd.conversation import FEATURES
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports import adb_phones
from bench.transports.adb_phones import await_phone, listed, phones, preferred
from bench.transports.connect import connect
from tests.fakes.adb_server import answering
from tests.fakes.handset import reach

LISTING = """\
R58N123ABC             device usb:1-2 product:beyond1 model:SM_G973F device:beyond1 transport_id:7
0123456789ABCDEF       unauthorized usb:1-3 transport_id:3
adb-9A1-b (2)._adb-tls-connect._tcp device product:husky model:Pixel_8_Pro device:husky transport_id:9
????????????           no permissions (user in plugdev group; are your udev rules wrong?); see \
[http://developer.android.com/tools/device.html] usb:1-4 transport_id:4
(no serial number)     offline usb:1-5 transport_id:5
twin                   device usb:1-6 product:a model:b device:c transport_id:11
twin                   device usb:1-7 product:a model:b device:c transport_id:12
old                    recovery usb:2-1 product:a model:b device:c transport_id:13
side                   sideload usb:2-2
boot                   bootloader usb:2-3 transport_id:15
slow                   authorizing usb:2-4 transport_id:16
new                    connecting usb:2-5 transport_id:17
strange                somewhat usb:2-6 transport_id:18
"""


@contextmanager
def connected(server: AdbServer, phone: Phone, state: str = "device") -> Iterator[Phone]:
    server.connect(phone, state=state)
    try:
        yield phone
    finally:
        server.run("disconnect", phone.serial)


def test_the_list_of_phones_is_read_whole() -> None:
    with answering(LISTING) as server:
        found = listed(server, Deadline(5))
    assert [(phone.serial, phone.state) for phone in found] == [
        ("R58N123ABC", "device"), ("0123456789ABCDEF", "unauthorized"),
        ("adb-9A1-b (2)._adb-tls-connect._tcp", "device"), ("????????????", "no permissions"),
        ("(no serial number)", "offline"), ("twin", "device"), ("twin", "device"), ("old", "recovery"),
        ("side", "sideload"), ("boot", "bootloader"), ("slow", "authorizing"), ("new", "connecting"),
        ("strange", "somewhat")]
    assert (found[0].model, found[0].product, found[0].usb, found[0].transport_id) == (
        "SM_G973F", "beyond1", "usb:1-2", "7")
    assert found[2].model == "Pixel_8_Pro"
    assert all(phone.ready != bool(phone.remedy) for phone in found)


@pytest.mark.parametrize(("serial", "message", "hint"), [
    ("0123456789ABCDEF", "is 'unauthorized', not ready", "tap Allow"),
    ("????????????", "is 'no permissions'", "udev"),
    ("(no serial number)", "is 'offline'", "plug it in again"),
    ("old", "is 'recovery'", "adb reboot"),
    ("side", "is 'sideload'", "adb reboot"),
    ("boot", "is 'bootloader'", "fastboot reboot"),
    ("strange", "is 'somewhat'", "boot it into Android"),
    ("twin", "2 devices have the serial 'twin': usb:1-6, usb:1-7", "unplug one"),
    ("R58N123ABD", r"no phone has the serial 'R58N123ABD'; there are: R58N123ABC, ", "did you mean 'R58N123ABC'"),
    ("nowhere", "no phone has the serial 'nowhere'", "allow USB debugging"),
])
def test_a_phone_that_is_not_ready_is_named_with_its_remedy(
        serial: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_phones, "PATIENCE_S", 0.0)
    with answering(LISTING) as server, pytest.raises(InfrastructureError, match=message) as caught:
        await_phone(server, serial, "phone", Deadline(5))
    assert hint in caught.value.hint
    assert caught.value.message.startswith("phone: ")


@pytest.mark.parametrize("serial", ["slow", "new"])
def test_a_phone_that_is_connecting_is_waited_for_up_to_the_deadline(serial: str) -> None:
    with answering(LISTING) as server, pytest.raises(DeadlineExceeded, match=r"is still [a-z]+ after 0\.5 s") as caught:
        await_phone(server, serial, "phone", Deadline(0.5))
    assert caught.value.hint


def test_a_usb_port_serves_in_place_of_a_serial() -> None:
    with answering(LISTING) as server:
        await_phone(server, "usb:1-7", "phone", Deadline(5))


def test_no_phone_at_all_is_told() -> None:
    with answering("") as server, pytest.raises(InfrastructureError, match="no phone is there at all"):
        await_phone(server, "serial", "phone", Deadline(5))


def test_the_environments_serial_narrows_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(LISTING) as server:
        found = listed(server, Deadline(5))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    assert preferred(found) == found
    monkeypatch.setenv("ANDROID_SERIAL", "twin")
    assert [phone.usb for phone in preferred(found)] == ["usb:1-6", "usb:1-7"]


def test_two_phones_are_listed_and_reached_each_by_its_serial(
        use_adb: AdbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_SERIAL", "another")
    roots = [HostRoot(tmp_path / name) for name in ("one", "two")]
    with running_phone(roots[0]) as one, running_phone(roots[1]) as two, \
            connected(use_adb, one), connected(use_adb, two):
        found = {phone.serial: phone for phone in phones(Deadline(10))}
        assert found[one.serial].ready and found[two.serial].ready
        assert found[one.serial].model == "Bench_Phone"
        for root, phone in zip(roots, (one, two), strict=True):
            assert reach(phone).run(["pwd"], Deadline(10)).stdout.decode().strip() == str(root.folder)


def test_a_phone_that_does_not_allow_this_host_says_where_to_tap(
        use_adb: AdbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_phones, "PATIENCE_S", 0.5)
    with running_phone(HostRoot(tmp_path), secure=True, faults=Faults(accepts_keys=False)) as phone, \
            connected(use_adb, phone, "unauthorized"):
        with pytest.raises(InfrastructureError, match="is 'unauthorized'") as caught:
            reach(phone)
        assert "tap Allow" in caught.value.hint
        phone.allow()
        assert reach(phone).run(["echo", "allowed"], Deadline(10)).stdout == b"allowed\n"


def test_a_phone_in_recovery_is_refused(use_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path), state="recovery") as phone, connected(use_adb, phone, "recovery"), \
            pytest.raises(InfrastructureError, match="is 'recovery'"):
        reach(phone)


def test_a_phone_without_the_second_shell_protocol_is_refused(use_adb: AdbServer, tmp_path: Path) -> None:
    features = [name for name in FEATURES if name != "shell_v2"]
    with running_phone(HostRoot(tmp_path), features=features) as phone, connected(use_adb, phone), \
            pytest.raises(DeviceError, match="has no shell protocol 2") as caught:
        reach(phone)
    assert "Android 7" in caught.value.hint


@pytest.mark.parametrize("version", [0x01000000, 0x01000001])
def test_old_phones_serve_as_well(use_adb: AdbServer, tmp_path: Path, version: int) -> None:
    with running_phone(HostRoot(tmp_path / "phone"), features=["shell_v2", "cmd"], version=version) as phone, \
            connected(use_adb, phone):
        far = reach(phone)
        (tmp_path / "source").write_bytes(b"x" * 300_000)
        target = str(tmp_path / "phone" / "target")
        assert far.push(tmp_path / "source", target, Deadline(10)) == 300_000
        far.pull(target, tmp_path / "back", Deadline(10))
        assert (tmp_path / "back").read_bytes() == b"x" * 300_000


def test_a_phone_on_the_network_is_connected_to_when_it_is_not_listed(use_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path)) as phone:
        try:
            assert reach(phone).run(["echo", "here"], Deadline(10)).stdout == b"here\n"
        finally:
            use_adb.run("disconnect", phone.serial)
        serial = phone.serial
    with pytest.raises(InfrastructureError, match=r"no phone has the serial '127\S+' \(.*refused"):
        connect("gone", DeviceConfig(adb=AdbConfig(serial=serial)), Deadline(20))
