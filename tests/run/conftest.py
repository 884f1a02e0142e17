from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.proxy import Proxy
from tests.fakes.runs import Place
from tests.fakes.sshd import Sshd, running_sshd, why_not


@pytest.fixture
def place(tmp_path: Path, cache_root: Path) -> Place:
    """A folder with the small network, a suite of it in fp32, and this machine as the device."""
    place = Place(tmp_path, cache_root)
    place.net()
    place.suite()
    place.devices()
    return place


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if why_not():
        pytest.skip(why_not())
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def proxy(sshd: Sshd) -> Iterator[Proxy]:
    """A way to the server that can be cut; its port's host key is known."""
    with Proxy(sshd.port) as way:
        sshd.know(way.port)
        yield way
