"""Each fault does what it says, and the phone is usable afterwards."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DeadlineExceeded
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.sync import LISTED_CONTENT
from bench.testing.adbd.wire import MAX_PAYLOAD_BYTES
from tests.testing.adbd.lab import Lab, eventually, lab
from tests.testing.adbd.raw_host import RawHost, request

SIZE_BYTES = 3_000_000


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A file to push."""
    path = tmp_path / "sent"
    path.write_bytes(os.urandom(SIZE_BYTES))
    return path


def push(place: Lab, sent: Path) -> bool:
    """Push it to `target`; whether adb says that it went well."""
    return place.run("push", str(sent), str(place.folder / "target")).returncode == 0


@pytest.mark.parametrize("received_bytes", [1, 24, 25])
def test_a_link_that_is_cut_before_a_push_changes_nothing(place: Lab, sent: Path, received_bytes: int) -> None:
    (place.folder / "target").write_text("old")
    place.phone.faults.cut_after_received_bytes = received_bytes
    assert not push(place, sent)
    place.back()
    assert (place.folder / "target").read_text() == "old"


@pytest.mark.parametrize("received_bytes", [MAX_PAYLOAD_BYTES + 500_000, SIZE_BYTES - 1])
def test_a_link_that_is_cut_in_a_push_leaves_no_target_not_even_the_old_one(place: Lab, sent: Path,
                                                                            received_bytes: int) -> None:
    (place.folder / "target").write_text("old")
    place.phone.faults.cut_after_received_bytes = received_bytes
    assert not push(place, sent)
    eventually(lambda: not (place.folder / "target").exists())
    place.back()


@pytest.mark.parametrize("sent_bytes", [1, 24, 100_000, SIZE_BYTES])
def test_a_link_that_is_cut_in_a_pull_is_an_error(place: Lab, sent: Path, sent_bytes: int, tmp_path: Path) -> None:
    assert push(place, sent)
    place.phone.faults.cut_after_sent_bytes = sent_bytes
    assert place.run("pull", str(place.folder / "target"), str(tmp_path / "back")).returncode != 0
    place.back()


def test_the_cut_comes_instead_of_the_message(place: Lab) -> None:
    before = len(place.phone.messages)
    place.phone.faults.cut_at_message = 3
    place.shell("echo out")
    assert [(message.direction, message.command) for message in place.phone.messages[before:]][:2] == [
        ("in", "OPEN"), ("out", "OKAY")]
    assert place.phone.faults.cut_at_message is None
    place.back()


@pytest.mark.slow
def test_wherever_a_push_is_cut_the_target_is_whole_or_not_there(place: Lab, sent: Path) -> None:
    before = len(place.phone.messages)
    assert push(place, sent)
    for number in range(1, len(place.phone.messages) - before + 1):
        (place.folder / "target").unlink(missing_ok=True)
        place.phone.faults.cut_at_message = number
        said_well = push(place, sent)
        eventually(lambda: _whole_or_gone(place, sent))
        assert not said_well or (place.folder / "target").exists()
        place.phone.faults.cut_at_message = None
        place.back()
    assert push(place, sent)


def _whole_or_gone(place: Lab, sent: Path) -> bool:
    target = place.folder / "target"
    return not target.exists() or target.read_bytes() == sent.read_bytes()


def test_after_a_cut_the_phone_can_stay_away_until_it_is_plugged_in(place: Lab) -> None:
    place.phone.faults.stay_away = True
    place.phone.faults.cut_at_message = 1
    place.shell("echo out")
    place.adb.wait_for(place.phone.serial, ["offline", ""])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", place.phone.port), timeout=5)
    place.phone.plug_in()
    place.back()


@pytest.mark.parametrize("act", [lambda place: place.phone.drop(), lambda place: place.phone.send_garbage()],
                         ids=["drop", "garbage"])
def test_a_client_whose_link_ends_is_not_left_waiting(place: Lab, act: Callable[[Lab], None]) -> None:
    client = place.popen("shell", "echo started; read x")
    assert client.stdout is not None and client.stdout.readline() == b"started\n"
    act(place)
    client.communicate(timeout=20)
    place.back()


def test_a_frozen_phone_keeps_the_link_and_answers_nothing_until_it_thaws(place: Lab) -> None:
    place.phone.freeze()
    before = len(place.phone.messages)
    with pytest.raises(DeadlineExceeded):
        place.run("shell", "echo out", within_s=0.5)
    assert place.adb.state(place.phone.serial) == "device"
    assert len(place.phone.messages) == before
    place.phone.thaw()
    assert place.shell("echo out").stdout == b"out\n"


def test_a_push_to_a_frozen_phone_goes_on_when_it_thaws(place: Lab, sent: Path) -> None:
    before = len(place.phone.messages)
    place.phone.faults.bytes_per_s = 20_000_000
    client = place.popen("push", str(sent), str(place.folder / "target"))
    eventually(lambda: len(place.phone.messages) > before + 6)
    place.phone.freeze()
    halted = (place.folder / "target").stat().st_size
    place.phone.faults.bytes_per_s = None
    assert halted < SIZE_BYTES and client.poll() is None
    place.phone.thaw()
    client.communicate(timeout=20)
    assert (client.returncode, (place.folder / "target").read_bytes()) == (0, sent.read_bytes())


def test_a_pull_from_a_frozen_phone_is_whole_when_it_thaws(place: Lab, sent: Path, tmp_path: Path) -> None:
    assert push(place, sent)
    place.phone.faults.bytes_per_s = 20_000_000
    client = place.popen("pull", str(place.folder / "target"), str(tmp_path / "back"))
    eventually(lambda: (tmp_path / "back").exists() and (tmp_path / "back").stat().st_size > 0)
    place.phone.freeze()
    place.phone.faults.bytes_per_s = None
    assert client.poll() is None
    place.phone.thaw()
    client.communicate(timeout=20)
    assert (tmp_path / "back").read_bytes() == sent.read_bytes()


def test_freezing_can_stop_the_shells_too(place: Lab) -> None:
    client = place.popen("shell", "echo $$; while :; do :; done")
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    place.phone.freeze(children=True)
    eventually(lambda: _state(pid) == "T")
    place.phone.thaw(children=True)
    eventually(lambda: _state(pid) == "R")
    client.kill()
    client.communicate()


def _state(pid: int) -> str:
    """The letter that the kernel gives a process: R runs, T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_a_slow_link_takes_its_time(place: Lab, sent: Path, tmp_path: Path, verb: str) -> None:
    assert verb == "push" or push(place, sent)
    place.phone.faults.bytes_per_s = SIZE_BYTES * 2
    start = time.monotonic()
    if verb == "push":
        assert push(place, sent)
    else:
        assert place.run("pull", str(place.folder / "target"), str(tmp_path / "back")).returncode == 0
        assert (tmp_path / "back").read_bytes() == sent.read_bytes()
    assert 0.45 < time.monotonic() - start < 10


def test_a_full_disk_is_named_and_leaves_no_target(place: Lab, sent: Path) -> None:
    place.phone.faults.free_bytes = SIZE_BYTES - 1
    done = place.run("push", str(sent), str(place.folder / "target"))
    assert done.returncode == 1
    assert b"write failed: No space left on device" in done.stdout + done.stderr
    eventually(lambda: not (place.folder / "target").exists())
    place.phone.faults.free_bytes = SIZE_BYTES
    assert push(place, sent)
    assert place.phone.faults.free_bytes == 0


def test_a_byte_of_a_pushed_file_is_flipped_once(place: Lab, sent: Path) -> None:
    place.phone.faults.flipped_pushes = 1
    assert push(place, sent)
    assert _differing(sent, place.folder / "target") == 1
    assert push(place, sent)
    assert _differing(sent, place.folder / "target") == 0


def test_a_byte_of_a_pulled_file_is_flipped_once(place: Lab, sent: Path, tmp_path: Path) -> None:
    assert push(place, sent)
    place.phone.faults.flipped_pulls = 1
    for flipped in (1, 0):
        assert place.run("pull", str(place.folder / "target"), str(tmp_path / "back")).returncode == 0
        assert _differing(sent, tmp_path / "back") == flipped


def _differing(one: Path, other: Path) -> int:
    first, second = one.read_bytes(), other.read_bytes()
    assert len(first) == len(second)
    return sum(left != right for left, right in zip(first, second, strict=True))


def test_a_listing_can_name_what_lies_elsewhere(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, faults=Faults(listed=("../../escaped",))) as place:
        host = RawHost(place.phone.port)
        host.connect()
        for verb in (b"LIST", b"LIS2"):
            assert b"../../escaped" in host.sync(request(verb, str(place.folder)), request(b"QUIT"))
        host.close()
        name = f"{place.folder}/folder/../../escaped"
        assert place.run("pull", name, str(tmp_path / "back")).returncode == 0
        assert (tmp_path / "back").read_bytes() == LISTED_CONTENT
