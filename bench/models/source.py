"""From a suite's `source:` to a Source: found, checked to be what it is called, and hashed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import get_args

from bench.config.suite import SourceConfig
from bench.errors import ConfigError
from bench.models.code import factory_sha256
from bench.models.files import require_file, sha256_file
from bench.models.open import check_format
from bench.models.spec import Source, SourceKind


def resolve_source(config: SourceConfig, root: Path) -> Source:
    """The source that `config` names; `root` is the suite's folder.

    Raises ConfigError for what is not there, ModelError for a file that cannot be opened.
    """
    given: list[SourceKind] = [kind for kind in get_args(SourceKind) if getattr(config, kind) is not None]
    if len(given) != 1:
        raise ConfigError(f"wanted one of {', '.join(get_args(SourceKind))} in source:, "
                          f"found {' and '.join(given) or 'none'}")
    if given[0] == "torch":
        return _factory(str(config.torch), config.weights, root)
    return _file(given[0], root / getattr(config, given[0]), root)


def _factory(location: str, weights: Path | None, root: Path) -> Source:
    digest = factory_sha256(location, root)
    if weights is None:
        return Source("torch", location, root, digest)
    path = require_file(root / weights, "the file of weights")
    both = hashlib.sha256(f"{digest} {sha256_file(path)}".encode()).hexdigest()
    return Source("torch", location, root, both, path)


def _file(kind: SourceKind, path: Path, root: Path) -> Source:
    check_format(path, kind)
    if kind == "onnx":
        from bench.models.onnx import content_sha256

        return Source(kind, str(path), root, content_sha256(path))
    return Source(kind, str(path), root, sha256_file(path))
