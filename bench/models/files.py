"""Files that a suite names: found, or refused; and their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.config.files import not_a_file
from bench.errors import ConfigError


def require_file(path: Path, what: str) -> Path:
    """`path`, when it is a readable file. Raises ConfigError that says what stands there instead, or what is near."""
    why = not_a_file(path)
    if not why:
        try:
            path.open("rb").close()
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
    if why:
        raise ConfigError(f"{what} {path}: {why}")
    return path


def sha256_file(path: Path) -> str:
    """The hex sha256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_files(path: Path, others: list[Path]) -> str:
    """The hash of a model that may have its weights in `others`: the file's own where there are none."""
    if not others:
        return sha256_file(path)
    lines = [f"{other.name} {sha256_file(other)}" for other in [path, *others]]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
