"""Every test runs with each adb that this machine has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.transports.adb_server import bundled_adb
from tests.testing.adbd.lab import Lab, lab


@pytest.fixture(params=["adbutils", "PATH"])
def adb(request: pytest.FixtureRequest) -> Path:
    """adbutils' own adb, and the one on PATH."""
    if request.param == "adbutils":
        path = bundled_adb()
        if path is None:
            pytest.skip("needs the package adbutils (pip install 'bench[adb]')")
        return path
    found = shutil.which("adb")
    if found is None:
        pytest.skip("needs an adb on PATH (Debian: adb)")
    return Path(found)


@pytest.fixture
def place(tmp_path: Path, adb: Path) -> Iterator[Lab]:
    """A phone that asks for no key, connected."""
    with lab(tmp_path, adb) as made:
        yield made
