"""A private adb server: its own port, folder and keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError
from bench.testing import adb_server
from bench.testing.adb_server import AdbServer, running_adb_server
from tests.fakes.processes import wait_gone
from tests.testing.adbd.conftest import adb

__all__ = ["adb"]


def test_its_keys_and_port_are_its_own(tmp_path: Path, adb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setenv("ANDROID_SERIAL", "not-this-one")
    monkeypatch.setenv("ADB_VENDOR_KEYS", "/nowhere")
    with running_adb_server(tmp_path / "here", adb) as server:
        assert server.port != 5037
        assert b"List of devices" in server.run("devices").stdout
        assert Path(f"/proc/{server.pid}").exists()
        assert b"not-this-one" not in server.run("get-state").stderr
    assert (tmp_path / "here" / ".android" / "adbkey").is_file()


def test_two_servers_stand_side_by_side(tmp_path: Path, adb: Path) -> None:
    with running_adb_server(tmp_path / "one", adb) as one, running_adb_server(tmp_path / "two", adb) as two:
        one.kill()
        assert two.run("devices").returncode == 0


def test_a_killed_server_is_gone_and_can_be_started_again(tmp_path: Path, adb: Path) -> None:
    with running_adb_server(tmp_path, adb) as server:
        pid = server.pid
        server.kill()
        wait_gone(pid)
        with pytest.raises(InfrastructureError, match="does not run"):
            _ = server.pid
        server.start()
        assert server.pid != pid


def test_a_server_that_a_client_started_instead_ends_with_it(tmp_path: Path, adb: Path) -> None:
    with running_adb_server(tmp_path, adb) as server:
        server.kill()
        assert server.run("devices").returncode == 0
        assert server._answers()
    assert not server._answers()


def test_what_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "adb"
    broken.write_text("#!/bin/sh\necho no room in here >&2; exit 1\n")
    broken.chmod(0o700)
    with pytest.raises(InfrastructureError, match="no room in here"), running_adb_server(tmp_path / "home", broken):
        pass


def test_a_client_that_hangs_is_ended(tmp_path: Path) -> None:
    slow = tmp_path / "adb"
    slow.write_text("#!/bin/sh\nexec sleep 5555\n")
    slow.chmod(0o700)
    with pytest.raises(DeadlineExceeded, match="adb devices"):
        AdbServer(tmp_path / "home", slow).run("devices", within_s=0.2)


def test_without_any_adb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_server, "bundled_adb", lambda: None)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ConfigError, match="through adb") as caught:
        adb_server.find_adb()
    assert "bench[adb]" in caught.value.hint
