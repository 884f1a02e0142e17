"""Where tests keep what takes long to download or build."""

from __future__ import annotations

import os
from pathlib import Path


def test_cache() -> Path:
    """The folder that BENCH_TEST_CACHE names; without it, one below pytest's base folder (see tests/conftest.py)."""
    return Path(os.environ["BENCH_TEST_CACHE"])


test_cache.__test__ = False  # type: ignore[attr-defined]  # else pytest takes it for a test wherever it is imported
