"""A board without any package over a real OpenSSH server, and phones behind a real adb server of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.config.devices import DeviceConfig
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from tests.fakes.sshd import Sshd


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, and a port where no adb server runs unless the test brings one."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    return folder


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without any package."""
    folder = tmp_path_factory.mktemp("bare") / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def bare_board(sshd: Sshd, bare_python: Path, tmp_path: Path) -> DeviceConfig:
    """A board with that Python and a work folder of its own."""
    return sshd.device().model_copy(update={"python": str(bare_python), "workdir": str(tmp_path / "board work")})


@pytest.fixture(scope="session")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    if bundled_adb() is None and shutil.which("adb") is None:
        pytest.skip("needs adb (pip install 'bench[adb]')")
    with running_adb_server(tmp_path_factory.mktemp("adb")) as server:
        yield server


@pytest.fixture
def with_adb(adb: AdbServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> AdbServer:
    """The server, as the one that this process uses; it knows no phone yet."""
    adb.run("disconnect")
    for name, value in adb.environment.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    return adb


@pytest.fixture
def phone(with_adb: AdbServer, tmp_path: Path) -> Iterator[Phone]:
    """A phone, connected, whose inside is a folder of this machine."""
    with running_phone(HostRoot(tmp_path / "phone")) as phone:
        with_adb.connect(phone)
        yield phone
