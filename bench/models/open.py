"""Open a model file: what it is, what goes in and what comes out, read from its bytes."""

from __future__ import annotations

import importlib
from pathlib import Path

from bench.errors import ConfigError
from bench.models.files import require_file
from bench.models.sniff import LABELS, sniff
from bench.models.spec import ModelInfo


def check_format(path: Path, expected: str | None = None) -> str:
    """The format of the file at `path`. Raises ConfigError when there is no file or it is not of the `expected` format,
    ModelError when it is no model that can be opened."""
    if not path.is_dir():
        require_file(path, "the model file")
    found = sniff(path)
    if expected is not None and found != expected:
        hint = ("ExecuTorch programs come out of bench; give the model that this one was made from"
                if found == "executorch" else f"write {found}: {path.name} in the suite")
        raise ConfigError(f"wanted {LABELS[expected]}, found {LABELS[found]} in {path}", hint=hint)
    return found


def open_model(path: Path, expected: str | None = None) -> ModelInfo:
    """What the model file at `path` tells. Errors: see `check_format`; MissingExtra where a package is needed."""
    reader = importlib.import_module(f"bench.models.{check_format(path, expected)}")
    info: ModelInfo = reader.read(path)
    return info
