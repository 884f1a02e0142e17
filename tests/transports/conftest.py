"""A server that is shared, a home folder and an ssh-agent that are not anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from bench.transports.base import Transport
from bench.transports.connect import connect
from bench.transports.local import LocalTransport
from tests.fakes.handset import reach
from tests.fakes.proxy import Proxy
from tests.fakes.sshd import Sshd


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own: the real ~/.ssh is never read."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


@pytest.fixture
def board(sshd: Sshd) -> Iterator[Transport]:
    """A connection straight to the server."""
    transport = connect("board", sshd.device(), Deadline(20))
    yield transport
    transport.close()


@pytest.fixture
def proxy(sshd: Sshd) -> Iterator[Proxy]:
    """A way to the server that can be cut or frozen; its port's host key is known."""
    with Proxy(sshd.port) as way:
        sshd.know(way.port)
        yield way


@pytest.fixture
def far(sshd: Sshd, proxy: Proxy) -> Iterator[Transport]:
    """A connection through the proxy."""
    transport = connect("far", sshd.device(port=proxy.port), Deadline(20))
    yield transport
    transport.close()


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    """A server of the adb that adbutils brings."""
    adb = bundled_adb()
    if adb is None:
        pytest.skip("needs adbutils")
    with running_adb_server(tmp_path_factory.mktemp("adb"), adb) as server:
        yield server


@pytest.fixture(scope="session")
def shared_phone(tmp_path_factory: pytest.TempPathFactory, adb_server: AdbServer) -> Iterator[Phone]:
    """A phone that nobody breaks. The folders of all tests lie on it, under their own paths."""
    with running_phone(HostRoot(tmp_path_factory.getbasetemp())) as phone:
        adb_server.connect(phone)
        yield phone


@pytest.fixture
def handset(shared_phone: Phone, use_adb: AdbServer) -> Transport:
    """A connection to the phone."""
    return reach(shared_phone)


@pytest.fixture
def use_adb(adb_server: AdbServer, monkeypatch: pytest.MonkeyPatch) -> AdbServer:
    """The server, as this process's environment names it."""
    for name, value in adb_server.environment.items():
        monkeypatch.setenv(name, value)
    return adb_server


@pytest.fixture(params=["local", "ssh", "adb"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each transport in turn."""
    if request.param == "local":
        return LocalTransport()
    remote: Transport = request.getfixturevalue("board" if request.param == "ssh" else "handset")
    return remote
