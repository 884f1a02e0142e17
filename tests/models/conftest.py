"""Model files that are made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.files import torch_files


@pytest.fixture(scope="session")
def torch_made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that torch made: fixed.pt2, open.pt2, script.pt, checkpoint.pt, old.pt."""
    return torch_files(tmp_path_factory.mktemp("torch"))
