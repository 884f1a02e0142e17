from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.proxy import Proxy
from tests.fakes.sshd import Sshd


@pytest.fixture
def proxy(sshd: Sshd) -> Iterator[Proxy]:
    """A way to the server that can be cut; its port's host key is known."""
    with Proxy(sshd.port) as way:
        sshd.know(way.port)
        yield way
