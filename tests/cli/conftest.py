from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.runs import Place


@pytest.fixture
def place(tmp_path: Path, cache_root: Path) -> Place:
    """A folder with the small network, a suite of it in fp32, and this machine as the device."""
    place = Place(tmp_path, cache_root)
    place.net()
    place.suite()
    place.devices()
    return place
