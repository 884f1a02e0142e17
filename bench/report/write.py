"""Putting a report on disk: whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bench.errors import ConfigError


def write_report(content: str | bytes, path: Path) -> None:
    """Write `content` to `path`, through a temporary name beside it. Raises ConfigError when that cannot be done."""
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ConfigError(f"the report cannot be written to {path}: {error.strerror}",
                          hint="name another place with --output") from error
