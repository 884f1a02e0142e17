"""Open a model file: what it is, what goes in and what comes out, read from its bytes."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

from bench.agents.reasons import one_line
from bench.errors import BenchError, ConfigError, ModelError
from bench.host import as_told
from bench.models.files import require_file
from bench.models.sniff import LABELS, sniff
from bench.models.spec import ModelInfo


def check_format(path: Path, expected: str | None = None) -> str:
    """The format of the file at `path`. Raises ConfigError when there is no file or it is not of the `expected` format,
    ModelError when it is no model that can be opened."""
    if not path.is_dir():
        require_file(path, "the model file")
    with _damage_told(path):
        found = sniff(path)
    if expected is not None and found != expected:
        hint = ("ExecuTorch programs come out of bench; give the model that this one was made from"
                if found == "executorch" else f"write {found}: {path.name} in the suite")
        raise ConfigError(f"wanted {LABELS[expected]}, found {LABELS[found]} in {path}", hint=hint)
    return found


def open_model(path: Path, expected: str | None = None) -> ModelInfo:
    """What the model file at `path` tells. Errors: see `check_format`; MissingExtra where a package is needed."""
    found = check_format(path, expected)
    reader = importlib.import_module(f"bench.models.{found}")
    with _damage_told(path, f" as {LABELS[found]}"):
        info: ModelInfo = reader.read(path)
    return info


@contextlib.contextmanager
def _damage_told(path: Path, what: str = "") -> Iterator[None]:
    """Raise ModelError for whatever the bytes of a file made its reader meet: no reader foresees every kind of damage.
    What the disk refuses passes."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and as_told(error) is not None:
            raise
        raise ModelError(f"{path} is damaged: it cannot be read{what} ({one_line(error)})") from error
