"""What a device offers as a file may have no end, or be larger than it can be: each transport finds out in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.errors import DeviceError
from bench.transports.base import Transport
from bench.transports.talk import MOST_CHATTER, Talk, receive_file

SOON_S = 10.0


def refused(transport: Transport, remote: Path, back: Path, words: str, most: int = 1 << 20) -> None:
    begin = time.monotonic()
    with pytest.raises(DeviceError, match=words):
        transport.pull(str(remote), back / "file", Deadline(60), most)
    assert time.monotonic() - begin < SOON_S
    assert not back.exists() or list(back.iterdir()) == []


def test_a_pipe_is_not_waited_for(transport: Transport, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "there")
    refused(transport, tmp_path / "there", tmp_path / "back", "it is no regular file")


def test_a_link_to_a_device_without_an_end_is_not_followed_into_it(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to("/dev/zero")
    refused(transport, tmp_path / "there", tmp_path / "back", "it is no regular file")


def test_a_file_that_is_larger_than_it_can_be_is_refused_before_it_is_copied(transport: Transport,
                                                                              tmp_path: Path) -> None:
    with (tmp_path / "there").open("wb") as file:
        file.truncate(1 << 40)
    refused(transport, tmp_path / "there", tmp_path / "back", "has 1099511627776 bytes, at most 1048576 were expected")


def test_a_file_of_just_the_size_is_copied(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"x" * 1000)
    transport.pull(str(tmp_path / "there"), tmp_path / "back", Deadline(20), 1000)
    assert (tmp_path / "back").read_bytes() == b"x" * 1000
    refused(transport, tmp_path / "there", tmp_path / "elsewhere", "has 1000 bytes, at most 999", 999)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="a file that has more than its size is one of /proc")
def test_a_file_that_gives_more_than_its_size_is_refused(transport: Transport, tmp_path: Path) -> None:
    refused(transport, Path("/proc/version"), tmp_path / "back", "has 0 bytes, but more came")


@pytest.mark.parametrize("chatter", [b"x" * (1 << 16), b"hello\n" * (1 << 13)])
def test_a_shell_that_prints_without_an_end_is_given_up(chatter: bytes) -> None:
    heard = []

    def receive() -> bytes:
        heard.append(len(chatter))
        return chatter

    with pytest.raises(DeviceError, match="board: its shell printed more than 16 MiB and no answer"):
        Talk("board", b"mark ", receive, lambda: b"").answer()
    assert sum(heard) < 2 * MOST_CHATTER


@pytest.mark.parametrize("answer", [b"mark size\n", b"mark size many\n", b"mark size %s\n" % (b"9" * 5000),
                                    b"mark x\n"])
def test_an_answer_that_is_no_size_is_an_error(tmp_path: Path, answer: bytes) -> None:
    data = iter([answer])
    with pytest.raises(DeviceError, match="cannot read /there"):
        receive_file(Talk("board", b"mark", lambda: next(data, b""), lambda: b""), "/there", tmp_path / "back", 10)
