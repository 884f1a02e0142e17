"""Commands on the phone: exit codes, streams, terminals, and what happens to them when the host goes away."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bench.testing.adbd.conversation import FEATURES
from tests.fakes.processes import wait_gone
from tests.testing.adbd.lab import Lab, eventually, lab


@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_code_comes_back(place: Lab, code: int) -> None:
    assert place.shell(f"exit {code}").returncode == code


def test_a_shell_that_a_signal_ends_has_128_and_its_number_as_exit_code(place: Lab) -> None:
    assert place.shell("kill -9 $$").returncode == 128 + signal.SIGKILL


def test_output_and_errors_are_apart(place: Lab) -> None:
    done = place.shell("echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_input_reaches_the_command_and_so_does_its_end(place: Lab) -> None:
    assert place.shell("cat; echo end", given=b"\0some\r\nbytes").stdout == b"\0some\r\nbytesend\n"


@pytest.mark.parametrize("size_bytes", [1, 65535, 65536, 65537, 5_000_000])
def test_a_lot_of_input_comes_back_as_it_was(place: Lab, size_bytes: int) -> None:
    data = os.urandom(size_bytes)
    assert place.shell("cat", given=data).stdout == data


def test_input_that_nobody_reads_does_no_harm(place: Lab) -> None:
    done = place.shell("exec <&-; echo done", given=bytes(3_000_000))
    assert (done.stdout, done.returncode) == (b"done\n", 0)


def test_a_command_has_the_folder_as_its_home_and_nothing_of_the_hosts_environment(place: Lab) -> None:
    assert place.shell("echo $HOME; pwd").stdout.decode().split() == [str(place.folder)] * 2
    assert b"ANDROID_ADB_SERVER_PORT" not in place.shell("env").stdout


def test_an_empty_command_is_a_shell_that_reads_its_input(place: Lab) -> None:
    assert b"from the shell" in place.run("shell", "-T", given=b"echo from the shell\nexit\n").stdout


def test_exec_out_changes_no_byte(place: Lab) -> None:
    (place.folder / "data").write_bytes(b"\n\r\n\0\x04\xff" * 1000)
    assert place.run("exec-out", f"cat {place.folder}/data").stdout == b"\n\r\n\0\x04\xff" * 1000


def test_many_shells_run_at_once(place: Lab) -> None:
    running = [place.popen("shell", f"read x; echo $x {number}") for number in range(12)]
    for process in reversed(running):
        assert process.stdin is not None
        process.stdin.write(b"got\n")
        process.stdin.flush()
    assert [process.communicate(timeout=20)[0] for process in running] == [b"got %d\n" % n for n in range(12)]


def test_without_shell_v2_there_is_a_terminal_and_no_exit_code(tmp_path: Path, adb: Path) -> None:
    features = [feature for feature in FEATURES if feature != "shell_v2"]
    with lab(tmp_path, adb, features=features) as old:
        assert b"shell_v2" not in old.run("features").stdout
        done = old.shell("echo out; echo err >&2; tty >/dev/null && echo terminal; exit 4")
        assert (done.returncode, done.stdout) == (0, b"out\r\nerr\r\nterminal\r\n")


def test_a_terminal_can_be_asked_for(place: Lab) -> None:
    done = place.run("shell", "-tt", "test -t 0 && test -t 1 && echo terminal; exit 3")
    assert (done.returncode, done.stdout) == (3, b"terminal\r\n")


def test_a_shell_whose_host_is_gone_is_hung_up_and_its_child_lives_on(place: Lab) -> None:
    client = place.popen("shell", "sleep 5555 & echo $$ $!; wait; true")
    assert client.stdout is not None
    shell, child = map(int, client.stdout.readline().split())
    client.kill()
    client.communicate()
    wait_gone(shell)
    assert Path(f"/proc/{child}/cmdline").read_bytes() == b"sleep\x005555\0"


def test_what_was_execed_is_hung_up_itself(place: Lab) -> None:
    client = place.popen("shell", "echo $$; exec sleep 5555")
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    place.phone.drop()
    client.communicate(timeout=20)
    wait_gone(pid)


def test_a_process_in_a_session_of_its_own_survives_the_link_and_ends_with_the_phone(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb) as place:
        pid = int(place.shell("setsid sleep 5555 >/dev/null 2>&1 </dev/null & echo $!").stdout)
        place.phone.drop()
        place.back()
        assert Path(f"/proc/{pid}/cmdline").exists()
    wait_gone(pid)


def test_a_terminals_hang_up_reaches_the_children_too(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, features=[]) as old:
        client = old.popen("shell", "sleep 5555 & echo $!; wait")
        assert client.stdout is not None
        child = int(client.stdout.readline())
        client.kill()
        client.communicate()
        wait_gone(child)


def test_a_shell_stays_until_all_that_hold_its_output_have_ended(place: Lab) -> None:
    client = place.popen("shell", "(read x < fifo; echo late) & echo early; exit 5")
    os.mkfifo(place.folder / "fifo")
    assert client.stdout is not None
    first = client.stdout.readline()
    eventually((place.folder / "fifo").exists)
    (place.folder / "fifo").write_text("go\n")
    assert (first, client.communicate(timeout=20)[0], client.returncode) == (b"early\n", b"late\n", 5)
