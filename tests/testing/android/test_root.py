"""What is on the phone and what is not, and its commands as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from bench.testing.android.boots import born_in
from bench.testing.android.programs import TOOLS
from bench.testing.android.root import GROUPS, AndroidRoot
from tests.fakes.android import on

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("missing", ["/lib", "/lib64", "/usr", "/etc/passwd", "/dev/shm", "/tmp", "/home"])
def test_what_a_stock_phone_lacks_is_not_there(phone: AndroidRoot, missing: str) -> None:
    assert on(phone, f"ls -d {missing}").stderr.endswith("No such file or directory\n")


def test_only_androids_tools_are_there(phone: AndroidRoot) -> None:
    assert set(TOOLS) <= set(on(phone, "/system/tools/busybox --list").stdout.split())
    found = on(phone, "ls /system/bin").stdout.split()
    assert sorted(found) == sorted([*TOOLS, "cmd", "dumpsys", "getprop", "settings", "sh", "whoami"])
    assert on(phone, "which sh; which wget vi python3 busybox apt").stdout == "/system/bin/sh\n"


def test_the_shell_is_androids_and_its_processor_is_arm(phone: AndroidRoot) -> None:
    assert on(phone, "echo $KSH_VERSION").stdout.startswith("@(#)MIRBSD KSH")
    assert on(phone, "uname -mnr").stdout == f"localhost {phone.profile.kernel} aarch64\n"


def test_a_program_is_called_by_the_name_that_it_was_given(phone: AndroidRoot) -> None:
    assert on(phone, "exec -a uname /system/tools/busybox -m").stdout == "aarch64\n"


@pytest.mark.parametrize("starter", ["", "env", "setsid", "timeout 60", "echo x | xargs", "find /sys -prune -exec"])
def test_tools_that_start_others_find_the_phones_own(phone: AndroidRoot, starter: str) -> None:
    end = " ';'" if "find" in starter else ""
    assert on(phone, f"{starter} sh -c 'echo $KSH_VERSION'{end}").stdout.startswith("@(#)MIRBSD KSH")
    missing = on(phone, f"{starter} wget{end}")
    assert "BusyBox" not in missing.stdout + missing.stderr


def test_the_devices_are_few_and_work(phone: AndroidRoot) -> None:
    devices = on(phone, "cd /dev; ls; head -c 16 urandom | wc -c; echo > null; head -c 2 zero | xxd -p").stdout.split()
    assert devices == ["fd", "full", "null", "stderr", "stdin", "stdout", "tty", "urandom", "zero", "16", "0000"]
    assert "No space left" in on(phone, "echo x > /dev/full").stderr


def test_commands_run_as_androids_shell_user_with_its_environment(phone: AndroidRoot) -> None:
    groups = ",".join(map(str, GROUPS))
    assert on(phone, "id; whoami; pwd").stdout == f"uid=2000 gid=2000 groups={groups}\nshell\n/\n"
    variables = dict(line.split("=", 1) for line in on(phone, "env").stdout.splitlines())
    assert variables["HOME"] == "/" and variables["TMPDIR"] == "/data/local/tmp" and variables["USER"] == "shell"
    assert "/system/bin" in variables["PATH"].split(":") and "/usr/bin" not in variables["PATH"]
    assert not set(variables) & {"PYTEST_CURRENT_TEST", "LANG", "SSH_AUTH_SOCK", "LD_LIBRARY_PATH"}


def test_it_sees_its_own_processes_and_none_of_this_machines(phone: AndroidRoot) -> None:
    foreign = subprocess.Popen(["sleep", "98765"])
    try:
        assert on(phone, "ps | grep -c '[9]8765'; ls -d /proc/1").stdout.split() == ["0", "/proc/1"]
    finally:
        foreign.kill()
        foreign.wait()


@pytest.mark.parametrize(("line", "code"), [
    ("true", 0), ("exit 7", 7), ("no-such-tool", 127), ("kill -9 $$", -9), ("kill -TERM $$", -15),
    ("sh -c 'kill -9 $$'; exit $?", 137)])
def test_the_shells_own_end_is_the_process_end(phone: AndroidRoot, line: str, code: int) -> None:
    assert on(phone, line).returncode == code


def test_streams_pass_bytes_unchanged_and_apart(phone: AndroidRoot) -> None:
    every = bytes(range(256)) * 300
    process = phone.spawn("cat; echo said >&2")
    assert process.communicate(every, timeout=60) == (every, b"said\n")


def test_with_a_terminal_it_is_one(phone: AndroidRoot) -> None:
    process = phone.spawn("[ -t 0 ] && [ -t 2 ] && cat /dev/tty", pty=True)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"word\n\x04")
    said = b""
    while not said.endswith(b"word\r\nword\r\n"):
        said += process.stdout.read(100)
    assert process.wait(60) == 0
    process.stdin.close()


def test_a_hang_up_reaches_the_shell_and_not_its_child(phone: AndroidRoot) -> None:
    process = phone.spawn("sleep 1000 & echo $!; wait; true")
    assert process.stdout is not None
    child = process.stdout.readline().decode().strip()
    os.kill(process.pid, signal.SIGHUP)
    assert process.wait(60) == 128 + signal.SIGHUP  # mksh catches it while it waits, and says so itself
    assert on(phone, f"cat /proc/{child}/comm; kill {child}").stdout == "sleep\n"
    process.communicate()


def test_orphans_are_adopted_and_leave_nothing_when_they_end(phone: AndroidRoot) -> None:
    line = "child=$(sh -c 'sleep 0 >&2 & echo $!'); while [ -d /proc/$child ]; do :; done; echo gone"
    assert on(phone, line).stdout == "gone\n"


def test_it_has_its_own_cores_and_pinning_is_real(phone: AndroidRoot) -> None:
    if not {0, 1} <= os.sched_getaffinity(0):
        pytest.skip("needs cores 0 and 1")
    assert on(phone, "nproc; grep Cpus_allowed_list /proc/self/status").stdout.split() == [
        "2", "Cpus_allowed_list:", "0-1"]
    assert on(phone, "taskset 2 grep Cpus_allowed_list /proc/self/status").stdout.split()[-1] == "1"


def test_what_another_thread_starts_meanwhile_is_not_on_the_phone(phone: AndroidRoot) -> None:
    inside, done = threading.Event(), threading.Event()

    def be_born_there() -> None:
        with born_in(phone.init, 1):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=be_born_there)
    thread.start()
    try:
        assert inside.wait(60)
        seen = subprocess.run(["readlink", "/proc/self/ns/pid"], capture_output=True, text=True, check=True).stdout
        assert Path(seen.strip()) == Path("/proc/self/ns/pid").readlink()
    finally:
        done.set()
        thread.join()


def test_many_threads_may_start_commands_at_once(phone: AndroidRoot) -> None:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda n=n: codes.append(on(phone, f"exit {n}").returncode)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == list(range(12))
    assert os.sched_getaffinity(0) == os.sched_getaffinity(os.getpid())
