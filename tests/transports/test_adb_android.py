"""The transport's scripts on an Android-like phone: its shell, its tools, its user, no glibc, arm64."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, DeviceError
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.android.needs import why_not
from bench.testing.android.root import android_root
from bench.testing.phone import Phone, running_phone
from bench.transports import adb_files
from bench.transports.adb_server import bundled_adb
from bench.transports.base import Transport
from tests.fakes.handset import reach

pytestmark = pytest.mark.slow

MIB = 1 << 20
DATA_BYTES = 64 * MIB
FOLDER = "/data/local/tmp/bench"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    if bundled_adb() is None:
        pytest.skip("needs adbutils")
    with running_adb_server(tmp_path_factory.mktemp("adb"), bundled_adb()) as server:
        yield server


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory, server: AdbServer) -> Iterator[Phone]:
    if why_not():
        pytest.skip(why_not())
    with android_root(tmp_path_factory.mktemp("android"), data_bytes=DATA_BYTES) as root, running_phone(root) as phone:
        server.connect(phone)
        yield phone


@pytest.fixture
def android(server: AdbServer, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transport]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    far = reach(phone)
    yield far
    far.run(["rm", "-rf", FOLDER], Deadline(20))


@pytest.mark.parametrize("name", ["plain", "two words", "quo'te \"both\"", "$HOME `id` ;#", "ünïcode ☃", "new\nline"])
def test_files_go_there_and_back(android: Transport, tmp_path: Path, name: str) -> None:
    (tmp_path / "source").write_bytes(os.urandom(MIB))
    target = f"{FOLDER}/new/{name}"
    assert android.push(tmp_path / "source", target, Deadline(60)) == MIB
    assert android.push(tmp_path / "source", target, Deadline(60)) == 0
    android.pull(target, tmp_path / "back", Deadline(60))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()
    assert android.run(["ls", f"{FOLDER}/new"], Deadline(20)).stdout.count(b"part") == 0


@pytest.mark.parametrize("size", [0, 20 * MIB])
def test_a_file_that_is_followed_while_it_grows_is_taken(android: Transport, tmp_path: Path, size: int,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_files, "FOLLOWED_BYTES", 0)
    (tmp_path / "source").write_bytes(os.urandom(size))
    assert android.push(tmp_path / "source", f"{FOLDER}/model", Deadline(60)) == size
    assert android.push(tmp_path / "source", f"{FOLDER}/model", Deadline(60)) == 0
    android.pull(f"{FOLDER}/model", tmp_path / "back", Deadline(60))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()


def test_a_flipped_byte_is_noticed(android: Transport, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(os.urandom(MIB))
    phone.faults.flipped_pushes = 1
    with pytest.raises(DeviceError, match="did not arrive whole"):
        android.push(tmp_path / "source", f"{FOLDER}/model", Deadline(60))
    assert android.run(["ls", "-A", FOLDER], Deadline(20)).stdout == b""


def test_a_disk_that_is_too_small_is_named_before_anything_is_sent(android: Transport, phone: Phone,
                                                                   tmp_path: Path) -> None:
    with (tmp_path / "source").open("wb") as file:
        file.truncate(DATA_BYTES + MIB)
    before = len(phone.messages)
    with pytest.raises(DeviceError, match=rf"disk is full: {FOLDER} needs {DATA_BYTES + MIB} bytes and has \d+ free"):
        android.push(tmp_path / "source", f"{FOLDER}/model", Deadline(60))
    assert not any(message.text.startswith("sync:") for message in phone.messages[before:])


def test_a_disk_that_fills_up_in_the_middle_is_named(android: Transport, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(os.urandom(12 * MIB))
    phone.faults.free_bytes = 2 * MIB
    try:
        with pytest.raises(DeviceError, match=rf"disk is full: {FOLDER} needs {12 * MIB} bytes and has \d+ free"):
            android.push(tmp_path / "source", f"{FOLDER}/model", Deadline(60))
    finally:
        phone.faults.free_bytes = None
    assert android.run(["ls", "-A", FOLDER], Deadline(20)).stdout == b""


@pytest.mark.parametrize("target", ["/system/model", "/data/model", "~/model", "/sys/model"])
def test_a_folder_that_the_shell_user_may_not_write_is_named(android: Transport, tmp_path: Path, target: str) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(DeviceError, match=r"phone \(adb .*cannot"):
        android.push(tmp_path / "source", target, Deadline(60))


def test_what_cannot_be_read_is_told(android: Transport, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no file"):
        android.pull(f"{FOLDER}/missing", tmp_path / "back", Deadline(60))
    with pytest.raises(DeviceError, match="it is no regular file"):
        android.pull("/data", tmp_path / "back", Deadline(60))
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137),
                                              ("kill -SEGV $$", 139)])
def test_exit_codes_and_streams_are_told(android: Transport, script: str, code: int) -> None:
    done = android.run(["sh", "-c", f"echo out; echo err >&2; {script}"], Deadline(60))
    assert (done.returncode, done.stdout) == (code, b"out\n")
    assert done.stderr.startswith(b"err\n")


def test_a_process_is_spoken_to_with_its_environment_and_ends_with_its_input(android: Transport) -> None:
    process = android.start(["sh", "-c", 'while read line; do echo "$ODD $line"; done'], Deadline(60), {"ODD": "a'b"})
    process.send(b"one\n")
    assert process.receive(Deadline(60)) == b"a'b one\n"
    process.close()


def test_what_does_not_end_is_killed_with_its_children(android: Transport) -> None:
    with pytest.raises(DeadlineExceeded):
        android.run(["sh", "-c", "sleep 4321 & sleep 4321"], Deadline(2))
    process = android.start(["sh", "-c", "trap '' TERM HUP; sleep 4321 & echo up; wait; sleep 4321"], Deadline(60))
    assert process.receive(Deadline(60)) == b"up\n"
    process.close()
    assert b"4321" not in android.run(["ps", "-ef"], Deadline(60)).stdout.replace(b"ps -ef", b"")


def test_a_command_that_is_not_there_is_told(android: Transport) -> None:
    done = android.run(["no-such-command"], Deadline(60))
    assert done.returncode == 127
    assert b"no-such-command" in done.stderr
