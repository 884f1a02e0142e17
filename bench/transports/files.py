"""What both ends of a copy share: hashing, and a local file that appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from bench.errors import ConfigError, DeviceError, InfrastructureError


def sha256_of(path: Path) -> str:
    """The file's sha256 in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def source_file(local: Path) -> Iterator[tuple[BufferedReader, int, str]]:
    """The open file, its size in bytes and its sha256. Raises ConfigError when it cannot be read."""
    with opened(local) as (file, size):
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        yield file, size, digest


@contextmanager
def opened(local: Path) -> Iterator[tuple[BufferedReader, int]]:
    """The open file and its size in bytes. Raises ConfigError when it cannot be read."""
    try:
        file = local.open("rb")
    except OSError as error:
        raise cannot_read(local, error) from error
    with file:
        yield file, os.fstat(file.fileno()).st_size


def too_large(what: str, size: int, most: int) -> DeviceError:
    """The error of a file that has more bytes than it can have to have."""
    return DeviceError(f"{what} has {size} bytes, at most {most} were expected", hint="see what lies there")


def grows(what: str, size: int) -> DeviceError:
    """The error of a file of which more bytes came than it had."""
    return DeviceError(f"{what} has {size} bytes, but more came",
                       hint="it may have changed while it was read: try again")


@contextmanager
def regular_file(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The open file and its size in bytes, without waiting for a pipe's other end. Raises OSError, DeviceError: it is a
    folder, a pipe or a device, or a link to one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise DeviceError(f"cannot read {path} on this machine: it is no regular file")
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield cast(BinaryIO, file), found.st_size


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write under `path.part`: synced to disk and renamed to `path` at the end, removed on any error.

    Raises InfrastructureError when this machine cannot hold it.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise InfrastructureError(f"cannot write {path} on this machine: {error.strerror or error}",
                                      hint=f"make room in {path.parent}, or make it writable") from error
        raise


def cannot_read(local: Path, error: OSError) -> ConfigError:
    """The error of a file that is to be copied."""
    return ConfigError(f"cannot read {local} to copy it to the device: {error.strerror}")


def disk_full(folder: str, needed: int, free: int | None) -> DeviceError:
    """The error of a device whose disk does not hold a file. Sizes in bytes."""
    has = "too few" if free is None else str(free)
    return DeviceError(f"the device's disk is full: {folder} needs {needed} bytes and has {has} free",
                       hint=f"free space there, or point `workdir` of this device elsewhere than {folder}")
