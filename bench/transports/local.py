"""This machine as a device: child processes and plain copies."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from bench.deadline import Deadline
from bench.errors import DeviceError
from bench.transports.base import LARGEST_FILE, STDERR_OF_RUN, Completed, complete
from bench.transports.files import disk_full, grows, regular_file, sha256_of, source_file, too_large, whole_file
from bench.transports.local_process import CHUNK, LocalProcess
from bench.transports.quoting import check_remote

LEFT_AFTER_S = 3600.0


class LocalTransport:
    """Implements `Transport` on this machine. `~/` is the home folder of who runs `bench`."""

    def push(self, local: Path, remote: str, deadline: Deadline) -> int:
        target = _expand(check_remote(remote))
        with source_file(local) as (file, size, digest):
            if target.is_dir():
                raise DeviceError(f"cannot write {remote} on this machine: it is a folder")
            with suppress(OSError):
                if target.is_file() and target.stat().st_size == size and sha256_of(target) == digest:
                    return 0
            # Unique, for another run may push the same file.
            part = target.with_name(f"{target.name}.bench-{secrets.token_hex(8)}.part")
            try:
                _clear_left(target.parent)
                _copy_in(part, file, size, deadline)
                if sha256_of(part) != digest:
                    raise DeviceError(f"{remote} did not arrive whole on this machine: its sha256 differs")
                part.replace(target)
            except OSError as error:
                raise _write_error(error, target.parent, size) from error
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        return size

    def pull(self, remote: str, local: Path, deadline: Deadline, most: int = LARGEST_FILE) -> None:
        with ExitStack() as stack:
            try:
                source, size = stack.enter_context(regular_file(_expand(check_remote(remote))))
            except OSError as error:
                raise DeviceError(f"cannot read {remote} on this machine: {error.strerror}") from error
            if size > most:
                raise too_large(f"{remote} on this machine", size, most)
            file, left = stack.enter_context(whole_file(local)), size
            while data := source.read(CHUNK):
                deadline.check(f"copy of {remote}")
                left -= len(data)
                if left < 0:
                    raise grows(f"{remote} on this machine", size)
                file.write(data)

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        deadline.check(f"start of {argv[0]}")
        return complete(LocalProcess([_home(word) for word in argv], None, STDERR_OF_RUN), deadline)

    def start(self, argv: Sequence[str], deadline: Deadline, env: Mapping[str, str] | None = None) -> LocalProcess:
        deadline.check(f"start of {argv[0]}")
        home_env = {name: _home(value) for name, value in (env or {}).items()}
        return LocalProcess([_home(word) for word in argv], home_env)

    def close(self) -> None:
        """Nothing to give back."""


def _clear_left(folder: Path) -> None:
    """Remove what was being written there when this machine lost its power, an hour ago or earlier."""
    for left in folder.glob("*.bench-*.part"):
        with suppress(OSError):  # gone already, or a folder
            if left.stat().st_mtime < time.time() - LEFT_AFTER_S:
                left.unlink()


def _copy_in(part: Path, file: BinaryIO, size: int, deadline: Deadline) -> None:
    """Write the open file to `part` and sync it to disk. Raises OSError, DeviceError (disk full), DeadlineExceeded."""
    part.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(part.parent).free
    if size > free:
        raise disk_full(str(part.parent), size, free)
    with part.open("wb") as copy:
        while data := file.read(CHUNK):
            deadline.check(f"copy to {part.name}")
            copy.write(data)
        copy.flush()
        os.fsync(copy.fileno())


def _write_error(error: OSError, folder: Path, size: int) -> DeviceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        with suppress(OSError):
            return disk_full(str(folder), size, shutil.disk_usage(folder).free)
        return disk_full(str(folder), size, None)
    return DeviceError(f"cannot write into {folder} on this machine: {error.strerror}",
                       hint="make it writable, or point `workdir` of this device elsewhere")


def _home(word: str) -> str:
    return str(Path.home()) + word[1:] if word.startswith("~/") else word


def _expand(remote: str) -> Path:
    return Path(_home(remote))
