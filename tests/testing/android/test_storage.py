"""The phone's file systems: what may be written, what may be run, and how much fits."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bench.testing.android.root import AndroidRoot
from tests.fakes.android import on

pytestmark = pytest.mark.slow


def test_the_shell_user_writes_where_androids_may(phone: AndroidRoot) -> None:
    assert on(phone, "ls -ld /data/local/tmp").stdout.split()[:4] == ["drwxrwx--x", "2", "2000", "2000"]
    assert on(phone, "echo hi > /data/local/tmp/hi; cat /data/local/tmp/hi").stdout == "hi\n"
    assert "Read-only file system" in on(phone, "touch /system/x").stderr
    assert "Permission denied" in on(phone, "touch /data/x").stderr


def test_files_reach_the_phone_and_come_from_it_by_their_path(phone: AndroidRoot) -> None:
    on(phone, "echo there > /data/local/tmp/there")
    assert phone.path("/data/local/tmp/there").read_text() == "there\n"
    assert phone.path("/data/local/tmp/there").stat().st_uid == phone.owner[0]
    phone.path("/sdcard/here").write_text("here\n")
    assert on(phone, "cat /storage/emulated/0/here").stdout == "here\n"
    assert stat.S_ISDIR(phone.path("/").lstat().st_mode)
    assert phone.path("/sdcard", follow=False).is_symlink() and not phone.path("/sdcard").is_symlink()


def test_a_link_on_the_phone_does_not_lead_to_this_machines_files(phone: AndroidRoot, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for target in (tmp_path, f"/proc/1/root{tmp_path}", f"../../../../../..{tmp_path}"):
        on(phone, f"ln -sfn {target} /data/local/tmp/out")
        assert on(phone, "readlink /data/local/tmp/out").stdout.strip() == str(target)
        found = phone.path("/data/local/tmp/out/secret")
        assert found.is_relative_to(f"/proc/{phone.init}/root") and not found.exists()


def test_what_the_shell_user_may_not_write_is_refused(phone: AndroidRoot) -> None:
    with pytest.raises(PermissionError):
        phone.path("/data/app")
    with pytest.raises(OSError, match="Read-only"):
        phone.path("/system/x").write_text("x")


def test_shared_storage_runs_nothing(phone: AndroidRoot) -> None:
    on(phone, "cp /system/tools/busybox /sdcard/echo; chmod 755 /sdcard/echo; cp /sdcard/echo /data/local/tmp/echo")
    assert on(phone, "/data/local/tmp/echo hi").stdout == "hi\n"
    refused = on(phone, "/sdcard/echo hi")
    assert refused.returncode == 126 and "Permission denied" in refused.stderr


def test_data_is_as_small_as_wanted_and_full_when_it_is_full(own_phone: AndroidRoot) -> None:
    assert on(own_phone, "df -k /data | tail -1").stdout.split()[1] == "1024"
    filled = on(own_phone, "dd if=/dev/zero of=/data/local/tmp/big bs=64k count=100")
    assert filled.returncode == 1 and "No space left on device" in filled.stderr
    assert 900_000 < own_phone.path("/data/local/tmp/big").stat().st_size <= 1 << 20
    with pytest.raises(OSError, match="No space left"):
        own_phone.path("/data/local/tmp/more").write_bytes(bytes(100_000))
    assert on(own_phone, "rm /data/local/tmp/big; echo again > /data/local/tmp/small").returncode == 0
