"""The house stays small: files, functions, documentation."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("bench", "benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION = 400, 150, 60


@pytest.mark.parametrize("path", SOURCES + sorted((ROOT / "tests").rglob("*.py")),
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_most_files_are_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES if path.name != "__init__.py"]
    assert statistics.median(lengths) <= MEDIAN_FILE


def test_no_function_is_too_long_and_nearly_all_are_short() -> None:
    lengths = {f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
               for path, node in _functions()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 35


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path.relative_to(ROOT)) for path in SOURCES
              if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(_parsed(path))]
    assert silent == []


def test_every_public_function_of_a_module_is_documented() -> None:
    silent = [f"{path.relative_to(ROOT)}:{node.name}" for path in SOURCES if "runtimes" not in path.parts
              for node in _parsed(path).body
              if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)]
    assert [name for name in silent if not name.endswith(":add_to")] == []


def _functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in SOURCES:
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
