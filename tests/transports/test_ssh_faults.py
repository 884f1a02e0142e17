"""A board whose link, disk, account or tools fail in the middle of things."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, DeviceError, InfrastructureError
from bench.transports.base import Transport
from bench.transports.connect import connect
from tests.fakes.processes import wait_gone
from tests.fakes.proxy import Proxy
from tests.fakes.sshd import Sshd, running_sshd

MIB = 1 << 20


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.9, 0.99, 0.9999])
def test_a_link_cut_in_a_push_leaves_nothing_under_the_final_name(
        far: Transport, proxy: Proxy, board: Transport, tmp_path: Path, share: float) -> None:
    source, target = tmp_path / "source", tmp_path / "there" / "model.onnx"
    source.write_bytes(os.urandom(4 * MIB))
    proxy.cut_after(600 + int(4 * MIB * share))
    with pytest.raises(InfrastructureError, match=r"^far \(.*\): the SSH link dropped \((push|starting)"):
        far.push(source, str(target), Deadline(20))
    assert not target.exists()
    assert board.push(source, str(target), Deadline(20)) == 4 * MIB, "what was left behind is no hindrance"
    assert target.read_bytes() == source.read_bytes()


def test_a_push_that_replaces_a_file_keeps_the_old_one_when_cut(far: Transport, proxy: Proxy, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(4 * MIB))
    target.write_bytes(b"old")
    proxy.cut_after(MIB)
    with pytest.raises(InfrastructureError):
        far.push(source, str(target), Deadline(20))
    assert target.read_bytes() == b"old"


def test_a_link_cut_in_a_pull_leaves_nothing(far: Transport, proxy: Proxy, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back" / "file"
    there.write_bytes(os.urandom(32 * MIB))
    proxy.cut_after(3000)  # window adjustments flow up while the file flows down
    with pytest.raises(InfrastructureError):
        for _ in range(50):
            far.pull(str(there), back, Deadline(20))
            back.unlink()
    assert list(back.parent.iterdir()) == []


def test_a_link_cut_under_a_running_process_is_no_end_of_output(far: Transport, proxy: Proxy) -> None:
    process = far.start(["sh", "-c", "echo up; exec cat"], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    proxy.cut()
    with pytest.raises(InfrastructureError, match="link dropped"):
        process.receive(Deadline(20))
    with pytest.raises(InfrastructureError, match="link dropped"):
        process.send(b"x")
    process.close()
    with pytest.raises(InfrastructureError, match="link dropped"):
        far.run(["true"], Deadline(20))


def test_a_link_cut_in_a_run_is_told(far: Transport, proxy: Proxy, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(far.run, ["sh", "-c", f"echo half; echo up >{fifo}; exec cat {fifo}"], Deadline(20))
        fifo.read_text()  # waits until the command is under way
        proxy.cut()
        with pytest.raises(InfrastructureError, match="link dropped"):
            run.result()
    fifo.write_text("")  # lets the command end


def test_a_process_that_reads_its_input_ends_when_the_link_is_cut(
        far: Transport, proxy: Proxy, tmp_path: Path) -> None:
    process = far.start(["sh", "-c", f"echo $$ >{tmp_path}/pid; echo up; exec cat"], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    proxy.cut()
    wait_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("what", ["push", "pull", "run", "start", "receive"])
def test_a_frozen_link_meets_every_deadline(far: Transport, proxy: Proxy, tmp_path: Path, what: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(MIB))
    process = far.start(["cat"], Deadline(20))
    proxy.freeze()
    calls = {"push": lambda limit: far.push(source, str(tmp_path / "target"), limit),
             "pull": lambda limit: far.pull(str(source), tmp_path / "back", limit),
             "run": lambda limit: far.run(["true"], limit),
             "start": lambda limit: far.start(["true"], limit),
             "receive": process.receive}
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"0\.5 s"):
        calls[what](Deadline(0.5))
    assert time.monotonic() - before < 4.5
    assert not (tmp_path / "back").exists()
    before = time.monotonic()
    process.close()
    assert time.monotonic() - before < 8


def test_a_link_that_freezes_in_the_middle_of_a_push_meets_its_deadline(
        far: Transport, proxy: Proxy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(64 * MIB)
    proxy.freeze_after(5 * MIB)
    with pytest.raises(DeadlineExceeded):
        far.push(source, str(tmp_path / "target"), Deadline(2))
    assert not (tmp_path / "target").exists()


def test_a_link_that_thaws_in_time_goes_on(far: Transport, proxy: Proxy) -> None:
    process = far.start(["cat"], Deadline(20))
    proxy.freeze()
    process.send(b"hello")
    with pytest.raises(DeadlineExceeded):
        process.receive(Deadline(0.3))
    proxy.resume()
    assert process.receive(Deadline(20)) == b"hello"
    process.close()


def test_an_account_that_prints_at_log_in_does_not_disturb_files(sshd: Sshd, board: Transport, tmp_path: Path) -> None:
    rc = sshd.home / ".bashrc"
    rc.write_text("printf 'Welcome to the lab, no newline'; echo noise >&2\n")
    try:
        (tmp_path / "source").write_bytes(b"payload")
        assert board.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20)) == 7
        board.pull(str(tmp_path / "target"), tmp_path / "back", Deadline(20))
        assert (tmp_path / "back").read_bytes() == b"payload"
    finally:
        rc.unlink()


@pytest.mark.parametrize("tools", [["busybox"], ["python3"], ["openssl"], []])
def test_a_board_without_sha256sum_uses_what_it_has(
        sshd: Sshd, board: Transport, tmp_path: Path, tools: list[str]) -> None:
    found = {tool: subprocess.run(["which", tool], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
             for tool in ["cat", "df", "tail", "mkdir", "mv", "rm", "wc", "sh", *tools]}
    if not all(found.values()):
        pytest.skip(f"no {' '.join(tools)} here")
    (tmp_path / "bin").mkdir()
    for tool, path in found.items():
        (tmp_path / "bin" / tool).symlink_to(Path(path).resolve() if tool != "python3" else sys.executable)
    (tmp_path / "source").write_bytes(b"payload")
    rc = sshd.home / ".bashrc"
    rc.write_text(f"PATH={tmp_path}/bin\n")
    try:
        if tools:
            assert board.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20)) == 7
            assert board.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20)) == 0
        else:
            with pytest.raises(DeviceError, match="no sha256sum, busybox, shasum, openssl or python3"):
                board.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20))
            assert not (tmp_path / "target.part").exists()
    finally:
        rc.unlink()


def test_a_home_folder_where_nothing_can_be_made_is_named(board: Transport, tmp_path: Path, sshd: Sshd) -> None:
    (tmp_path / "source").write_bytes(b"x")
    (sshd.home / "blocked").write_bytes(b"")  # a file where a folder is wanted: refused to root as well
    with pytest.raises(DeviceError, match="cannot make the folder ~/blocked/bench") as caught:
        board.push(tmp_path / "source", "~/blocked/bench/x", Deadline(20))
    assert "workdir" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's folder needs root")
@pytest.mark.parametrize("late", [False, True])
def test_a_disk_that_fills_up_in_the_middle_is_named(sshd: Sshd, board: Transport, tmp_path: Path, late: bool,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    if late:  # the sender hears of it only when the far end has closed the session
        monkeypatch.setattr(paramiko.Channel, "recv_ready", lambda _: False)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]) != 0:
        pytest.skip("this machine allows no mounts")
    fake_df = tmp_path / "df"
    fake_df.write_text("#!/bin/sh\necho 'fs 9999999 1 9999999 1% /disk'\n")
    fake_df.chmod(0o755)
    rc = sshd.home / ".bashrc"
    rc.write_text(f"PATH={tmp_path}:$PATH\n")  # so that the check before the push sees room
    try:
        (tmp_path / "source").write_bytes(b"\1" * (24 * MIB))
        with pytest.raises(DeviceError, match=f"disk is full: {disk} needs {24 * MIB} bytes"):
            board.push(tmp_path / "source", f"{disk}/model", Deadline(20))
        assert list(disk.iterdir()) == []
    finally:
        rc.unlink()
        subprocess.run(["umount", str(disk)], check=True)


def test_a_server_without_another_session_says_what_to_raise(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "small", "MaxSessions 1\n") as server:
        transport = connect("small", server.device(), Deadline(20))
        first = transport.start(["cat"], Deadline(20))
        with pytest.raises(InfrastructureError, match="refused another session") as caught:
            transport.run(["true"], Deadline(20))
        assert "MaxSessions" in caught.value.hint
        first.close()
        transport.close()


def test_a_shell_that_dies_is_no_success(board: Transport) -> None:
    assert board.run(["sh", "-c", "kill -9 $PPID"], Deadline(20)).returncode != 0
