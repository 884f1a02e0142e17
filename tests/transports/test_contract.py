"""What every transport does alike."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.errors import ConfigError, DeadlineExceeded, DeviceError, InfrastructureError
from bench.transports.base import Transport
from tests.fakes.processes import wait_gone

ODD_NAMES = ["plain.bin", "two words", "quo'te \"both\"", "new\nline", "-dash", "$HOME `id` ;#", "ünïcode ☃",
             "back\\slash"]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("size", [0, 1, 1 << 20])
def test_push_and_pull_bring_back_the_same_bytes(transport: Transport, tmp_path: Path, name: str, size: int) -> None:
    data = os.urandom(size)
    source = tmp_path / "source"
    source.write_bytes(data)
    remote = tmp_path / "new" / "folders" / name
    assert transport.push(source, str(remote), Deadline(20)) == size
    assert remote.read_bytes() == data
    transport.pull(str(remote), tmp_path / "back" / name, Deadline(20))
    assert (tmp_path / "back" / name).read_bytes() == data
    assert [path.name for path in remote.parent.iterdir()] == [name], "nothing is left beside the file"
    assert [path.name for path in (tmp_path / "back").iterdir()] == [name]


def test_push_of_what_is_there_sends_nothing(transport: Transport, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"model" * 1000)
    remote = str(tmp_path / "target")
    assert transport.push(source, remote, Deadline(20)) == 5000
    assert transport.push(source, remote, Deadline(20)) == 0
    source.write_bytes(b"MODEL" * 1000)
    assert transport.push(source, remote, Deadline(20)) == 5000
    assert Path(remote).read_bytes() == source.read_bytes()


def test_push_replaces_what_an_earlier_push_left_unfinished(transport: Transport, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "new" / "target"
    source.write_bytes(b"new")
    target.parent.mkdir()
    for left in (target.with_name("target.part"), target.with_name("target.bench-0123.part")):
        left.write_bytes(b"old and much longer")
        os.utime(left, (0, 0))
    transport.push(source, str(target), Deadline(20))
    assert target.read_bytes() == b"new"
    assert len(list(target.parent.iterdir())) == 2


def test_pushes_of_one_file_by_several_at_once_all_succeed(transport: Transport, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "new" / "target"
    source.write_bytes(bytes(1 << 20))
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: transport.push(source, str(target), Deadline(20)), range(4)))
    assert set(sent) <= {0, 1 << 20} and any(sent)
    assert target.read_bytes() == source.read_bytes() and [target] == list(target.parent.iterdir())


def test_push_onto_a_folder_is_refused(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    (tmp_path / "target").mkdir()
    with pytest.raises(DeviceError, match="it is a folder"):
        transport.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20))
    assert list((tmp_path / "target").iterdir()) == []


def test_push_below_a_file_names_the_folder_it_cannot_make(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceError, match="file/below"):
        transport.push(tmp_path / "source", str(tmp_path / "file" / "below" / "target"), Deadline(20))


def test_push_of_a_missing_file_says_which(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing-here"):
        transport.push(tmp_path / "nothing-here", str(tmp_path / "target"), Deadline(20))


@pytest.mark.parametrize("remote", ["relative/path", "", "/folder/", "~", "-x"])
def test_a_remote_path_that_is_neither_absolute_nor_at_home_is_refused(
        transport: Transport, tmp_path: Path, remote: str) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(ConfigError, match="absolute or starts with"):
        transport.push(tmp_path / "source", remote, Deadline(20))
    with pytest.raises(ConfigError, match="absolute or starts with"):
        transport.pull(remote, tmp_path / "back", Deadline(20))


@pytest.mark.skipif(os.geteuid() != 0 or subprocess.call(["mountpoint", "-q", "/proc"]) != 0, reason="mounts need root")
def test_push_to_a_full_disk_names_the_disk(transport: Transport, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]) != 0:
        pytest.skip("this machine allows no mounts")
    try:
        source = tmp_path / "source"
        source.write_bytes(b"\1" * (2 << 20))
        with pytest.raises(DeviceError, match=rf"is full: {disk}/models needs 2097152 bytes and has 10\d{{5}} free"):
            transport.push(source, f"{disk}/models/m.onnx", Deadline(20))
        assert list((disk / "models").iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_pull_of_a_missing_file_leaves_nothing(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no-such-file"):
        transport.pull(str(tmp_path / "no-such-file"), tmp_path / "back" / "file", Deadline(20))
    assert not (tmp_path / "back").exists() or list((tmp_path / "back").iterdir()) == []


def test_pull_keeps_the_old_file_when_it_fails(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(DeviceError):
        transport.pull(str(tmp_path), tmp_path / "old", Deadline(20))
    assert (tmp_path / "old").read_bytes() == b"old"


def test_pull_onto_an_unwritable_place_blames_this_machine(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"x")
    with pytest.raises(InfrastructureError, match="on this machine"):
        transport.pull(str(tmp_path / "there"), tmp_path / "there" / "below", Deadline(20))


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137),
                                              ("kill -SEGV $$", 139)])
def test_run_gives_exit_code_and_both_streams(transport: Transport, script: str, code: int) -> None:
    done = transport.run(["sh", "-c", f"echo out; echo err >&2; {script}"], Deadline(20))
    assert (done.returncode, done.stdout) == (code, b"out\n")
    assert done.stderr.startswith(b"err\n")  # a shell may add that it was killed


def test_run_of_a_command_that_reads_gets_no_input(transport: Transport) -> None:
    assert transport.run(["cat"], Deadline(20)).stdout == b""


def test_run_brings_a_line_of_a_megabyte(transport: Transport) -> None:
    done = transport.run(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"], Deadline(20))
    assert done.stdout == b"x" * 1_000_000


def test_run_past_its_deadline_kills_the_command(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(DeadlineExceeded):
        transport.run(["sh", "-c", f"echo $$ >{tmp_path}/pid; sleep 1000 & sleep 1000"], Deadline(0.7))
    wait_gone(int((tmp_path / "pid").read_text()))


def test_run_with_a_passed_deadline_does_not_start(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(DeadlineExceeded):
        transport.run(["touch", str(tmp_path / "ran")], Deadline(0))
    assert not (tmp_path / "ran").exists()


def test_run_caps_the_output_that_it_takes(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.transports.base.LARGEST_OUTPUT", 1 << 20)
    with pytest.raises(DeviceError, match="more than 1 MiB"):
        transport.run(["cat", "/dev/zero"], Deadline(20))


def test_a_process_is_spoken_to_and_ends_with_its_input(transport: Transport) -> None:
    process = transport.start(["sh", "-c", 'while read line; do echo "got $line"; done; echo bye'], Deadline(20))
    process.send(b"one\n")
    assert process.receive(Deadline(20)) == b"got one\n"
    process.send(b"two\n")
    assert process.receive(Deadline(20)) == b"got two\n"
    process.close()
    process.close()


def test_a_process_gets_its_environment(transport: Transport) -> None:
    process = transport.start(["sh", "-c", 'printf %s "$ODD"'], Deadline(20), env={"ODD": "a 'b' \"c\" $d \n`e`"})
    assert read_all(process.receive) == b"a 'b' \"c\" $d \n`e`"
    process.close()


def test_the_end_of_output_is_told_once_and_again(transport: Transport) -> None:
    process = transport.start(["echo", "hello"], Deadline(20))
    assert read_all(process.receive) == b"hello\n"
    assert process.receive(Deadline(20)) == b""
    process.close()


def test_receive_reaches_its_deadline_and_the_process_lives_on(transport: Transport) -> None:
    process = transport.start(["cat"], Deadline(20))
    with pytest.raises(DeadlineExceeded, match=r"0\.3 s"):
        process.receive(Deadline(0.3))
    process.send(b"still here")
    assert process.receive(Deadline(20)) == b"still here"
    process.close()


def test_a_process_that_ignores_the_end_of_its_input_is_killed_with_its_group(
        transport: Transport, tmp_path: Path) -> None:
    script = f"trap '' TERM HUP; sleep 1000 & echo $$ $! >{tmp_path}/pids; echo up; wait; sleep 1000"
    process = transport.start(["sh", "-c", script], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    process.close()
    for pid in (tmp_path / "pids").read_text().split():
        wait_gone(int(pid))


def test_a_flood_on_standard_error_blocks_nothing_and_is_shown_safely(transport: Transport) -> None:
    flood = "head -c 20000000 /dev/zero | tr '\\0' y >&2; printf '\\033]0;evil\\007\\377 end' >&2; echo done"
    process = transport.start(["sh", "-c", flood], Deadline(20))
    assert read_all(process.receive) == b"done\n"
    tail = process.stderr_tail()
    assert tail.endswith("yyy\\x1b]0;evil\\x07\\xff end")
    assert len(tail) < 4200
    process.close()


def test_send_to_a_process_that_ended_says_so(transport: Transport) -> None:
    process = transport.start(["true"], Deadline(20))
    assert read_all(process.receive) == b""
    with pytest.raises(InfrastructureError):
        for _ in range(100):
            process.send(b"x" * 65536)
    process.close()


def test_a_process_that_never_reads_does_not_hold_send_for_ever(
        transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.transports.local_process.SEND_LIMIT_S", 0.5)
    monkeypatch.setattr("bench.transports.ssh_process.SEND_LIMIT_S", 0.5)
    monkeypatch.setattr("bench.transports.adb_process.SEND_LIMIT_S", 0.5)
    process = transport.start(["sh", "-c", f"echo $$ >{tmp_path}/pid; echo up; exec sleep 1000"], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    with pytest.raises(DeadlineExceeded):
        process.send(b"x" * (8 << 20))
    process.close()
    wait_gone(int((tmp_path / "pid").read_text()))


def test_commands_and_copies_run_side_by_side(transport: Transport, tmp_path: Path) -> None:
    talker = transport.start(["cat"], Deadline(20))
    source = tmp_path / "source"
    source.write_bytes(os.urandom(1 << 20))

    def one(number: int) -> tuple[bytes, int]:
        sent = transport.push(source, str(tmp_path / f"copy-{number}"), Deadline(60))
        return transport.run(["echo", str(number)], Deadline(60)).stdout, sent

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, range(8)))
    assert results == [(f"{number}\n".encode(), 1 << 20) for number in range(8)]
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("copy-*")} == {
        hashlib.sha256(source.read_bytes()).hexdigest()}
    talker.send(b"alive")
    assert talker.receive(Deadline(20)) == b"alive"
    talker.close()


def test_a_path_at_home_is_found_there(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"at home")
    transport.push(tmp_path / "source", "~/.cache/bench dir/file", Deadline(20))
    assert transport.run(["cat", "~/.cache/bench dir/file"], Deadline(20)).stdout == b"at home"
    transport.pull("~/.cache/bench dir/file", tmp_path / "back", Deadline(20))
    assert (tmp_path / "back").read_bytes() == b"at home"


def test_a_command_that_is_not_there_is_a_failure_with_a_reason(transport: Transport) -> None:
    try:
        done = transport.run(["no-such-command"], Deadline(20))
    except DeviceError as error:
        assert "no-such-command" in str(error)
    else:
        assert done.returncode == 127
        assert b"no-such-command" in done.stderr


def test_close_can_be_repeated(transport: Transport) -> None:
    transport.close()
    transport.close()


def test_a_pushed_file_is_readable(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    transport.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20))
    assert (tmp_path / "target").stat().st_mode & stat.S_IRUSR


def read_all(receive: Callable[[Deadline], bytes]) -> bytes:
    """All output up to its end."""
    output = b""
    while data := receive(Deadline(20)):
        output += data
    return output
