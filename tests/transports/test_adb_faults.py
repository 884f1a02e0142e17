"""A phone whose link, disk or adb server fails in the middle of things."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, DeviceError, InfrastructureError
from bench.testing.adb_server import AdbServer
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports import adb_files, adb_process
from bench.transports.base import Transport
from tests.fakes.handset import reach
from tests.fakes.processes import wait_gone

MIB = 1 << 20


@pytest.fixture
def phone(use_adb: AdbServer, tmp_path: Path) -> Iterator[Phone]:
    """A phone to be broken."""
    with running_phone(HostRoot(tmp_path)) as phone:
        use_adb.connect(phone)
        yield phone
        use_adb.run("disconnect", phone.serial)


@pytest.fixture
def far(phone: Phone) -> Transport:
    return reach(phone)


def cut_at_each_message(phone: Phone, act: Callable[[Transport], object], check: Callable[[bool], None]) -> None:
    """Do `act` undisturbed, then with the link cut at each of the messages that it took; `check` each."""
    far = reach(phone)
    before = len(phone.messages)
    act(far)
    check(True)
    for number in range(1, len(phone.messages) - before + 1):
        phone.faults.cut_at_message = number
        try:
            act(far)
            done = True  # the cut came with the goodbyes
        except InfrastructureError as error:
            assert not isinstance(error, DeadlineExceeded), error
            done = False
        phone.faults.cut_at_message = None
        check(done)
        far = reach(phone)
        act(far)
        check(True)


@pytest.mark.slow
@pytest.mark.parametrize("followed", [MIB, 64 * MIB])
def test_a_push_cut_at_any_message_leaves_the_old_file_or_the_new(
        phone: Phone, tmp_path: Path, followed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_files, "FOLLOWED_BYTES", followed)
    target, copies = tmp_path / "there" / "model", iter(range(1000))
    sources = [tmp_path / "a", tmp_path / "b"]
    for source in sources:
        source.write_bytes(os.urandom(3 * MIB))
    newest = b""

    def act(far: Transport) -> None:
        nonlocal newest
        source = sources[next(copies) % 2]
        newest = source.read_bytes()
        far.push(source, str(target), Deadline(20))

    def check(done: bool) -> None:
        found = target.read_bytes()
        assert found == newest or (not done and found in [source.read_bytes() for source in sources])
        wait_for(lambda: [path.name for path in target.parent.iterdir()] == ["model"])

    cut_at_each_message(phone, act, check)


@pytest.mark.slow
def test_a_pull_cut_at_any_message_leaves_the_old_file_or_the_whole_new_one(phone: Phone, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back" / "file"
    there.write_bytes(os.urandom(MIB))

    def check(done: bool) -> None:
        assert back.read_bytes() == (there.read_bytes() if done else b"old")
        assert [path.name for path in back.parent.iterdir()] == ["file"]
        back.write_bytes(b"old")

    cut_at_each_message(phone, lambda far: far.pull(str(there), back, Deadline(20)), check)


def test_a_run_cut_at_any_message_is_never_a_success_with_half_an_output(phone: Phone) -> None:
    outputs: list[bytes] = []

    def act(far: Transport) -> None:
        done = far.run(["sh", "-c", "echo one; sleep 0.01; echo two; exit 3"], Deadline(20))
        assert done.returncode == 3
        outputs.append(done.stdout)

    cut_at_each_message(phone, act, lambda _: None)
    assert set(outputs) == {b"one\ntwo\n"}


@pytest.mark.parametrize("what", ["push", "pull", "run", "start", "receive"])
def test_a_frozen_phone_meets_every_deadline(far: Transport, phone: Phone, tmp_path: Path, what: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(MIB))
    process = far.start(["cat"], Deadline(20))
    phone.freeze()
    calls = {"push": lambda limit: far.push(source, str(tmp_path / "target"), limit),
             "pull": lambda limit: far.pull(str(source), tmp_path / "back", limit),
             "run": lambda limit: far.run(["true"], limit),
             "start": lambda limit: far.start(["true"], limit),
             "receive": process.receive}
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"^phone \(adb .*0\.5 s"):
        calls[what](Deadline(0.5))
    assert time.monotonic() - before < 4.5
    assert not (tmp_path / "back").exists()
    before = time.monotonic()
    process.close()
    far.close()
    assert time.monotonic() - before < 8
    phone.thaw()


@pytest.mark.parametrize("what", ["push", "pull"])
def test_a_frozen_phone_is_not_waited_for_as_long_as_a_large_copy_may_take(
        far: Transport, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr("bench.transports.base.STALL_LIMIT_S", 0.7)
    source = tmp_path / "source"
    source.write_bytes(os.urandom(MIB))
    phone.freeze()
    with pytest.raises(DeadlineExceeded, match=r"0\.7 s"):
        if what == "push":
            far.push(source, str(tmp_path / "target"), Deadline(900))
        else:
            far.pull(str(source), tmp_path / "back", Deadline(900))
    phone.thaw()


def test_a_phone_that_freezes_in_the_middle_of_a_push_meets_its_deadline(
        far: Transport, phone: Phone, tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(64 * MIB)
    phone.faults.bytes_per_s = 10e6
    with ThreadPoolExecutor(1) as pool:
        push = pool.submit(far.push, source, str(tmp_path / "target"), Deadline(2))
        wait_for(lambda: any(path.stat().st_size > MIB for path in tmp_path.glob("target.*.part")))
        phone.freeze()
        with pytest.raises(DeadlineExceeded):
            push.result(8)
    assert not (tmp_path / "target").exists()
    phone.faults.bytes_per_s = None
    phone.thaw()
    wait_for(lambda: not list(tmp_path.glob("target*")))  # the phone clears up when it hears of the end


def test_a_phone_that_thaws_in_time_goes_on(far: Transport, phone: Phone) -> None:
    process = far.start(["cat"], Deadline(20))
    phone.freeze()
    process.send(b"hello")
    with pytest.raises(DeadlineExceeded):
        process.receive(Deadline(0.3))
    phone.thaw()
    assert process.receive(Deadline(20)) == b"hello"
    process.close()


def test_a_frozen_adb_server_meets_every_deadline(far: Transport, use_adb: AdbServer, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    process = far.start(["cat"], Deadline(20))
    os.kill(use_adb.pid, signal.SIGSTOP)
    try:
        for call in (lambda limit: far.push(tmp_path / "source", str(tmp_path / "target"), limit),
                     lambda limit: far.pull(str(tmp_path / "source"), tmp_path / "back", limit),
                     lambda limit: far.run(["true"], limit), process.receive):
            before = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                call(Deadline(0.3))
            assert time.monotonic() - before < 1
        process.close()
        assert time.monotonic() - before < 8
    finally:
        os.kill(use_adb.pid, signal.SIGCONT)


def test_a_link_cut_under_a_running_process_is_no_end_of_output(far: Transport, phone: Phone, tmp_path: Path) -> None:
    process = far.start(["sh", "-c", f"echo $$ >{tmp_path}/pid; echo up; exec cat"], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    phone.unplug()
    with pytest.raises(InfrastructureError, match="link dropped") as caught:
        process.receive(Deadline(20))
    assert "--resume" in caught.value.hint
    with pytest.raises(InfrastructureError, match="link dropped"):
        process.send(b"x")
    process.close()
    wait_gone(int((tmp_path / "pid").read_text()))
    with pytest.raises(InfrastructureError, match=r"link dropped \(starting a command: device"):
        far.run(["true"], Deadline(20))


def test_a_process_that_never_reads_dies_when_the_link_is_cut(far: Transport, phone: Phone, tmp_path: Path) -> None:
    process = far.start(["sh", "-c", f"echo $$ >{tmp_path}/pid; echo up; exec sleep 1000"], Deadline(20))
    assert process.receive(Deadline(20)) == b"up\n"
    phone.unplug()
    wait_gone(int((tmp_path / "pid").read_text()))
    process.close()


def test_nothing_is_sent_after_half_a_packet(far: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_process, "SEND_LIMIT_S", 0.3)
    process = far.start(["sh", "-c", "sleep 1; exec wc -c"], Deadline(20))
    with pytest.raises(DeadlineExceeded):
        process.send(b"x" * (16 * MIB))
    with pytest.raises(InfrastructureError, match="did not read what was sent before"):
        process.send(b"y")
    process.close()


def test_a_pushed_file_bears_the_phones_time(far: Transport, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    os.utime(tmp_path / "source", (0, 0))
    far.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20))
    assert abs((tmp_path / "target").stat().st_mtime - time.time()) < 60, "else it would look like a left-behind file"


def test_a_phone_that_was_away_is_reached_again(far: Transport, phone: Phone) -> None:
    phone.unplug()
    with pytest.raises(BenchError):
        far.run(["true"], Deadline(20))
    phone.plug_in()
    assert reach(phone).run(["echo", "back"], Deadline(20)).stdout == b"back\n"


def test_garbage_from_the_phone_is_a_lost_link(far: Transport, phone: Phone) -> None:
    process = far.start(["cat"], Deadline(20))
    phone.send_garbage()
    with pytest.raises(InfrastructureError, match="link dropped"):
        process.receive(Deadline(20))
    process.close()
    assert reach(phone).run(["echo", "back"], Deadline(20)).stdout == b"back\n"


@pytest.mark.parametrize("size", [MIB, 9 * MIB])
def test_a_flipped_byte_is_noticed_and_nothing_is_left(far: Transport, phone: Phone, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(adb_files, "FOLLOWED_BYTES", 64 * MIB)  # the byte is flipped at the very end of the push
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    source.write_bytes(os.urandom(size))
    phone.faults.flipped_pushes = 1
    with pytest.raises(DeviceError, match="did not arrive whole"):
        far.push(source, str(target), Deadline(20))
    assert list(target.parent.iterdir()) == []
    assert far.push(source, str(target), Deadline(20)) == size


def test_a_large_file_is_checked_while_it_grows(far: Transport, phone: Phone, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    source.write_bytes(os.urandom(20 * MIB))
    phone.faults.bytes_per_s = 20e6
    assert far.push(source, str(target), Deadline(20)) == 20 * MIB
    assert target.read_bytes() == source.read_bytes()
    assert far.push(source, str(target), Deadline(20)) == 0
    source.write_bytes(os.urandom(20 * MIB))
    monkeypatch.setattr(adb_files, "sha256_of", lambda _: "0" * 64)
    with pytest.raises(DeviceError, match="did not arrive whole"):
        far.push(source, str(target), Deadline(20))
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_disk_that_is_too_small_is_named_before_anything_is_sent(
        far: Transport, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_files, "sha256_of", lambda _: "0" * 64)
    size = shutil.disk_usage(tmp_path).free + (64 << 30)
    with (tmp_path / "source").open("wb") as file:
        file.truncate(size)
    with pytest.raises(DeviceError, match=rf"disk is full: {tmp_path} needs {size} bytes and has \d+ free"):
        far.push(tmp_path / "source", str(tmp_path / "target"), Deadline(20))
    assert not any(message.text.startswith("sync:") for message in phone.messages)


def test_a_disk_that_fills_up_in_the_middle_is_named(far: Transport, phone: Phone, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    source.write_bytes(os.urandom(12 * MIB))
    phone.faults.free_bytes = 2 * MIB
    with pytest.raises(DeviceError, match=rf"disk is full: {target.parent} needs {12 * MIB} bytes and has \d+ free"):
        far.push(source, str(target), Deadline(20))
    wait_for(lambda: list(target.parent.iterdir()) == [])


def test_the_phones_own_reason_is_kept(far: Transport, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # which the sync service does not reach
    (elsewhere / "source").write_bytes(b"x")
    with pytest.raises(DeviceError, match=r"cannot write .*: .*Permission denied"):
        far.push(elsewhere / "source", str(elsewhere / "target"), Deadline(20))


def test_an_adb_server_killed_in_the_middle_is_told_and_started_again(
        far: Transport, phone: Phone, use_adb: AdbServer, tmp_path: Path) -> None:
    process = far.start(["cat"], Deadline(20))
    use_adb.kill()
    with pytest.raises(InfrastructureError, match="link dropped"):
        process.receive(Deadline(20))
    with pytest.raises(InfrastructureError, match="the adb server is gone"):
        far.run(["true"], Deadline(20))
    process.close()
    again = reach(phone)  # starts a server, and connects it to the phone
    assert again.run(["echo", "back"], Deadline(20)).stdout == b"back\n"
    use_adb.run("kill-server")
    use_adb.start()


def wait_for(so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return once it is so. Raises AssertionError."""
    deadline = Deadline(seconds)
    while not so():
        assert not deadline.passed()
        time.sleep(0.01)
