"""A phone's life: reboots, states, several at once, its end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.testing.adb_server import find_adb, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import running_phone
from tests.fakes.processes import wait_gone
from tests.testing.adbd.lab import Lab, eventually, lab


@pytest.fixture
def binary() -> Path:
    try:
        return find_adb()
    except ConfigError as error:
        pytest.skip(error.line)


@pytest.fixture
def place(tmp_path: Path, binary: Path) -> Iterator[Lab]:
    with lab(tmp_path, binary) as made:
        yield made


def test_a_reboot_ends_all_that_runs_and_comes_back_at_the_same_port(place: Lab) -> None:
    detached = int(place.shell("setsid sleep 5555 >/dev/null 2>&1 </dev/null & echo $!").stdout)
    client = place.popen("shell", "echo $$; sleep 5555")
    assert client.stdout is not None
    shell, port = int(client.stdout.readline()), place.phone.port
    place.phone.reboot(down_s=0.1)
    for pid in (detached, shell):
        wait_gone(pid)
    client.communicate(timeout=20)
    assert place.phone.port == port
    place.back()


def test_it_can_be_told_to_reboot_through_adb(place: Lab) -> None:
    pid = int(place.shell("setsid sleep 5555 >/dev/null 2>&1 </dev/null & echo $!").stdout)
    place.run("reboot")
    wait_gone(pid)
    place.back()


def test_an_unplugged_phone_refuses_connections_and_keeps_its_port(place: Lab) -> None:
    place.phone.unplug()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", place.phone.port), timeout=5)
    with pytest.raises(OSError, match="in use"), socket.socket() as other:
        other.bind(("127.0.0.1", place.phone.port))
    place.phone.plug_in()
    place.back()


def test_a_phone_in_recovery_says_so(tmp_path: Path, binary: Path) -> None:
    with lab(tmp_path, binary, connect=False, state="recovery") as place:
        place.adb.connect(place.phone, state="recovery")


def test_several_phones_are_told_apart(tmp_path: Path, binary: Path) -> None:
    with (running_phone(HostRoot(tmp_path / "one")) as one, running_phone(HostRoot(tmp_path / "two")) as two,
          running_adb_server(tmp_path / "adb", binary) as server):
        for phone in (one, two):
            server.connect(phone)
        told = [server.run("-s", phone.serial, "shell", "pwd").stdout.decode().strip() for phone in (one, two)]
    assert told == [str(tmp_path / "one"), str(tmp_path / "two")]


def test_a_stopped_phone_leaves_no_process_and_no_thread(tmp_path: Path, binary: Path) -> None:
    before = threading.active_count()
    with lab(tmp_path, binary) as place:
        pid = int(place.shell("setsid sleep 5555 >/dev/null 2>&1 </dev/null & echo $!").stdout)
        client = place.popen("shell", "sleep 5555")
        place.phone.stop()
        wait_gone(pid)
        client.communicate(timeout=20)
        eventually(lambda: threading.active_count() == before)
