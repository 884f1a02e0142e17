"""The files that users name: read whole, or found missing with the nearest names there are."""

from __future__ import annotations

from pathlib import Path

from bench.config.problems import suggest
from bench.config.yaml import MAX_BYTES
from bench.errors import ConfigError


def read_text(path: Path) -> str:
    """The text of a file of at most 1 MiB in UTF-8. Raises ConfigError."""
    why = not_a_file(path)
    if why:
        raise ConfigError(f"{path}: {why}")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}:1: wanted a file of at most 1 MiB, found a larger one")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: wanted text in UTF-8, found the byte 0x{data[error.start]:02x}") from None


def not_a_file(path: Path) -> str:
    """Why `path` is not a file: "no such file, did you mean ...?". Empty when it is one."""
    try:
        if path.is_file():
            return ""
        if path.exists():
            return f"wanted a file, found {'a folder' if path.is_dir() else 'a device or a pipe'}"
        return _nearest_files(path)
    except (OSError, ValueError) as error:
        return f"wanted a file, found a path that cannot be looked up ({getattr(error, 'strerror', None) or error})"


def _nearest_files(path: Path) -> str:
    folder, name = path.parent, path.name
    while not folder.is_dir() and folder != folder.parent:
        folder, name = folder.parent, folder.name
    is_folder = folder != path.parent
    names = [entry.name for entry in folder.iterdir() if entry.is_dir() or not is_folder]
    return f"no such {f'folder as {name!r}' if is_folder else 'file'}{suggest(name, sorted(names))}"
