"""One phone for all tests that leave it as it was, and one of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.testing.android.programs import Programs
from bench.testing.android.root import AndroidRoot, android_root
from tests.fakes.android import shared_programs


@pytest.fixture(scope="session")
def arm64() -> Programs:
    return shared_programs()


@pytest.fixture(scope="session")
def phone(arm64: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AndroidRoot]:
    with android_root(tmp_path_factory.mktemp("phone"), using=arm64) as root:
        yield root


@pytest.fixture
def own_phone(arm64: Programs, tmp_path: Path) -> Iterator[AndroidRoot]:
    with android_root(tmp_path / "phone", data_bytes=1 << 20, using=arm64) as root:
        yield root
