"""A server that is shared, a home folder and an ssh-agent that are not anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.transports.base import Transport
from bench.transports.connect import connect
from bench.transports.local import LocalTransport
from tests.fakes.proxy import Proxy
from tests.fakes.sshd import Sshd, running_sshd, why_not


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own: the real ~/.ssh is never read."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if why_not():
        pytest.skip(why_not())
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


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


@pytest.fixture(params=["local", "ssh"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each transport in turn."""
    if request.param == "local":
        return LocalTransport()
    board: Transport = request.getfixturevalue("board")
    return board
