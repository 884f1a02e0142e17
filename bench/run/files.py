"""Input files as they are pushed: content on this host, named by its hash on a device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InputFile:
    """A file on this host and its sha256."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """What it is called on a device."""
        return self.sha256 + self.path.suffix

    @classmethod
    def of(cls, path: Path) -> InputFile:
        """The file at `path`, hashed now."""
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest())
