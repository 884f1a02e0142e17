"""The emulated board: boots, lets in, runs the agent, and fails as boards do."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bundles.agent import build_agent
from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.session import open_session
from bench.testing.board import board as boards
from bench.testing.board.board import Board, running_board
from bench.testing.board.image import BoardImage
from bench.transports.base import Transport
from bench.transports.connect import connect
from tests.fakes.processes import wait_gone

pytestmark = pytest.mark.slow


def shell(transport: Transport, line: str) -> str:
    done = transport.run(["sh", "-c", line], Deadline(60))
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_it_is_an_arm64_debian_with_a_python_that_has_no_numpy(transport: Transport) -> None:
    assert shell(transport, "id -un; uname -m; pwd").split() == ["bench", "aarch64", "/home/bench"]
    assert "Debian GNU/Linux 12" in shell(transport, "cat /etc/os-release")
    assert "No module named 'numpy'" in shell(transport, "python3 -c 'import numpy' 2>&1 || true")
    assert int(shell(transport, "df --output=avail -k /").split()[-1]) > 2_000_000


def test_it_reaches_no_network_not_even_this_machine(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        reach = f"import socket; socket.create_connection(('10.0.2.2', {here.getsockname()[1]}), 5)"
        assert "Error" in shell(transport, f'python3 -c "{reach}" 2>&1 || true')


def test_files_go_there_and_back(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(bytes(range(256)) * 4096)
    assert transport.push(tmp_path / "sent", "~/there/file", Deadline(60)) == 1 << 20
    assert transport.push(tmp_path / "sent", "~/there/file", Deadline(60)) == 0
    transport.pull("~/there/file", tmp_path / "back", Deadline(60))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()


def test_the_agent_says_that_it_is_emulated(transport: Transport, tmp_path: Path) -> None:
    with open_session(transport, build_agent(tmp_path), "python3", "~/.cache/bench") as session:
        facts = session.hello.facts
        assert (facts["emulated"], facts["arch"], facts["cores"]) == (True, "aarch64", 2)
        assert facts["kernel"].endswith("-arm64")
        assert session.hello.runtimes == {}
        assert session.look()["available_memory_bytes"] > 1 << 30


def test_a_frozen_board_is_noticed_at_the_deadline_and_goes_on_later(board: Board, transport: Transport) -> None:
    board.pause()
    try:
        with pytest.raises(DeadlineExceeded, match="within 2 s"):
            transport.run(["true"], Deadline(2))
        with pytest.raises(DeadlineExceeded, match="no SSH greeting within 2 s"):
            connect("board", board.device(), Deadline(2))
    finally:
        board.resume()
    again = connect("board", board.device(), Deadline(60))
    assert shell(again, "echo back") == "back\n"
    again.close()


def test_a_reboot_ends_connections_changes_the_boot_id_and_keeps_the_disk(board: Board, transport: Transport) -> None:
    before = shell(transport, "echo kept > kept; sync; cat /proc/sys/kernel/random/boot_id")
    board.reboot()
    with pytest.raises(InfrastructureError):
        transport.run(["true"], Deadline(10))
    again = connect("board", board.device(), Deadline(60))
    assert shell(again, "cat kept") == "kept\n"
    assert shell(again, "cat /proc/sys/kernel/random/boot_id") != before
    again.close()


def test_each_board_has_a_fresh_disk_and_the_image_stays_as_it_is(
        board: Board, transport: Transport, image: BoardImage, tmp_path: Path) -> None:
    shell(transport, "echo changed > mine; sync")
    before = image.disk.stat().st_mtime_ns
    with running_board(image, tmp_path) as other:
        assert other.port != board.port
        way = connect("other", other.device(), Deadline(60))
        assert shell(way, "ls mine 2>&1 || true").startswith("ls: cannot access")
        other.kill()
        with pytest.raises(InfrastructureError):
            way.run(["true"], Deadline(10))
    assert image.disk.stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [tmp_path / "known_hosts"]


@pytest.mark.parametrize(("missing", "words"), [("disk", "mount"), ("kernel", "could not load kernel")])
def test_a_board_that_cannot_start_ends_with_its_last_words(
        image: BoardImage, tmp_path: Path, missing: str, words: str) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in (image.kernel, image.initramfs, image.disk, image.host_key.with_suffix(".pub")):
        if path.stem != missing:
            (broken / path.name).symlink_to(path)
    if missing == "disk":
        (broken / "disk.ext4").write_bytes(bytes(1 << 20))
    with pytest.raises(InfrastructureError, match=rf"(?s)ended before it was up.*{words}"), \
            running_board(replace(image, folder=broken), tmp_path):
        pass


def test_a_board_that_takes_too_long_is_given_up(
        image: BoardImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "UP_WITHIN_S", 0.1)
    with pytest.raises(DeadlineExceeded, match=r"not up within 0\.1 s"), running_board(image, tmp_path):
        pass


def test_a_board_dies_with_the_process_that_started_it(image: BoardImage, tmp_path: Path) -> None:
    code = ("import sys, pathlib; from bench.testing.board.board import running_board; "
            "from bench.testing.board.image import BoardImage\n"
            "with running_board(BoardImage(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])) as board:\n"
            "    print(board.machine.process.pid, flush=True); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", code, image.folder, tmp_path], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        emulator = int(starter.stdout.readline())
        starter.kill()
        try:
            wait_gone(emulator)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(emulator, signal.SIGKILL)
