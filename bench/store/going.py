"""Which runs are going on now: a lock beside the store, freed by the kernel when its process ends."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from bench.errors import ConfigError

ATTEMPTS: Final = 3
"""To take the lock: `in_progress` of another process holds it for some microseconds."""
LONGEST_NAME: Final = 255
"""Bytes that a file's name may have."""


@contextmanager
def going(store: Path, run: str) -> Iterator[None]:
    """Mark the run as going on while the body runs. Raises ConfigError when another process has it."""
    path = _lock(store, run)
    with path.open("w") as file:
        if not any(_taken(file, pause_s) for pause_s in (0.0, *[0.02] * (ATTEMPTS - 1))):
            raise ConfigError(f"run {run} is still going on in another process",
                              hint="wait until it has ended, or stop it")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def in_progress(store: Path, run: str) -> bool:
    """Whether a process works on the run now; a lock that a killed one left behind is none."""
    try:
        with _lock(store, run).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(store: Path, run: str) -> Path:
    name = f".{store.name}.{run}.lock"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(store.name)).hexdigest()[:16]}.{run}.lock"
    return store.with_name(name)


def _taken(file: IO[str], pause_s: float) -> bool:
    time.sleep(pause_s)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
