"""Putting a report on disk: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from bench.errors import ConfigError


def write_report(content: str | bytes, path: Path) -> None:
    """Write `content` to `path`: to a file through a temporary name beside it, to a FIFO or a device as it is; a link
    is followed. Raises ConfigError when that cannot be done."""
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    try:
        place = Path(os.path.realpath(path))
        if place.exists() and not place.is_file() and not place.is_dir():
            _write(place, data, os.O_WRONLY)
        else:
            _write_whole(place, data)
    except OSError as error:
        raise ConfigError(f"the report cannot be written to {path}: {error.strerror}",
                          hint="name another place with --output") from error


def _write_whole(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f"{place.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        _write(temporary, data, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        temporary.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _write(place: Path, data: bytes, flags: int) -> None:
    with os.fdopen(os.open(place, flags, 0o666), "wb") as file:
        file.write(data)
