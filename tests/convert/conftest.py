from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.convert import recipes
from bench.convert.cache import open_cache
from bench.convert.recipe import Recipe
from tests.fakes.workbench import Bench


@pytest.fixture
def workbench(tmp_path: Path) -> Bench:
    return Bench(open_cache(tmp_path / "cache"))


@pytest.fixture
def use_recipes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Recipe]], None]:
    """Replace the table of recipes; everything around them stays real."""
    return lambda chosen: monkeypatch.setattr(recipes, "ALL", tuple(chosen))
