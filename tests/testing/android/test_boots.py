"""A boot's beginning and end, and that this machine is left as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bench.errors import ConfigError, InfrastructureError
from bench.testing.android import needs
from bench.testing.android.programs import Programs
from bench.testing.android.root import AndroidRoot, android_root
from tests.fakes.android import on
from tests.fakes.processes import wait_gone

pytestmark = pytest.mark.slow


def test_a_reboot_kills_everything_keeps_data_and_changes_the_boot_id(own_phone: AndroidRoot) -> None:
    first = own_phone.boot_id
    seen = on(own_phone, "echo kept > /data/local/tmp/kept; cat /proc/sys/kernel/random/boot_id").stdout.split()
    assert seen == [first]
    process = own_phone.spawn("setsid sleep 1000 & echo $!; wait; exec sleep 1000")
    assert process.stdout is not None and process.stdout.readline()
    inside = _with(Path(f"/proc/{own_phone.init}/ns/pid").readlink())
    assert len(inside) >= 3
    own_phone.power_cycle()
    assert process.wait(10) == -9
    assert not [pid for pid in inside if Path(f"/proc/{pid}").exists()]
    seen = on(own_phone, "cat /proc/sys/kernel/random/boot_id /data/local/tmp/kept").stdout.split()
    assert seen == [own_phone.boot_id, "kept"] and own_phone.boot_id != first
    process.communicate()


def test_a_phone_that_is_off_starts_nothing_and_shows_no_files(own_phone: AndroidRoot) -> None:
    own_phone.power_off()
    with pytest.raises(OSError, match="the phone is off"):
        own_phone.spawn("true")
    with pytest.raises(OSError, match="the phone is off"):
        own_phone.path("/data")
    own_phone.power_on()
    assert on(own_phone, "true").returncode == 0


def test_this_machine_learns_no_arm64_and_sees_no_mount(arm64: Programs, tmp_path: Path) -> None:
    before, mounts = _formats(), Path("/proc/self/mountinfo").read_text()
    with android_root(tmp_path / "phone", using=arm64) as phone:
        assert on(phone, "true").returncode == 0
        assert _formats() == before
        assert Path("/proc/self/mountinfo").read_text() == mounts
        assert list((tmp_path / "phone/data").iterdir()) == []
    assert _formats() == before


def test_nothing_is_left_when_it_ends(arm64: Programs, tmp_path: Path) -> None:
    with android_root(tmp_path / "phone", using=arm64) as phone:
        on(phone, "setsid sleep 1000 >/dev/null 2>&1 </dev/null &")
        running = phone.spawn("sleep 1000")
        users = Path(f"/proc/{phone.init}/ns/user").readlink()
        assert len(_with(users)) >= 4
    assert _with(users) == []
    assert running.wait(10) == -9
    running.communicate()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_it_ends_with_the_process_that_started_it(arm64: Programs, tmp_path: Path) -> None:
    code = ("import sys, pathlib; from bench.testing.android.root import android_root\n"
            "from bench.testing.android.programs import Programs\n"
            "with android_root(pathlib.Path(sys.argv[1]), using=Programs(*map(pathlib.Path, sys.argv[2:]))) as phone:\n"
            "    print(phone.init, phone.spawn('sleep 1000').pid, flush=True); sys.stdin.read()")
    owner = subprocess.Popen([sys.executable, "-c", code, tmp_path / "phone", arm64.shell, arm64.tools],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert owner.stdout is not None
    pids = [int(word) for word in owner.stdout.readline().split()]
    assert len(pids) == 2
    owner.kill()
    owner.wait()
    for pid in pids:
        wait_gone(pid)
    owner.communicate()


def test_it_ends_with_its_keeper(own_phone: AndroidRoot) -> None:
    running = own_phone.spawn("echo up; exec sleep 1000")
    assert running.stdout is not None and running.stdout.readline() == b"up\n"
    os.kill(_parent(_parent(own_phone.init)), signal.SIGKILL)
    assert running.wait(10) == -9
    running.communicate()
    wait_gone(own_phone.init)
    with pytest.raises(InfrastructureError, match="keeper has ended"):
        own_phone.power_cycle()


def test_a_phone_that_cannot_boot_says_what_was_refused(arm64: Programs, tmp_path: Path) -> None:
    with android_root(tmp_path / "phone", using=arm64) as phone:
        phone.power_off()
        (tmp_path / "phone/root/dev").rmdir()
        with pytest.raises(InfrastructureError, match=r"did not start: .*/root/dev: No such file"):
            phone.power_on()


def test_a_machine_that_cannot_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.release", lambda: "5.15.0-91-generic")
    if "Linux" not in needs.why_not():
        pytest.skip(needs.why_not())
    with pytest.raises(ConfigError, match=r"needs Linux 6\.7, .*; this is 5\.15\.0-91-generic"), android_root(tmp_path):
        pass
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.why_not().startswith("needs qemu-aarch64-static (Debian: qemu-user-static), ")


def _formats() -> list[str]:
    """The binary formats that this machine runs through an interpreter."""
    shown = subprocess.run(["unshare", "--mount", "sh", "-c", "mount -t binfmt_misc none /mnt && ls /mnt"],
                           capture_output=True, text=True, check=True)
    return shown.stdout.split()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _with(namespace: Path) -> list[int]:
    """The processes in a namespace such as pid:[4026532000]."""
    kind, found = str(namespace).partition(":")[0], []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            if (folder / "ns" / kind).readlink() == namespace:
                found.append(int(folder.name))
    return found
