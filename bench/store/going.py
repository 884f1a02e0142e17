"""Which runs are going on now: a lock beside the store, freed by the kernel when its process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import ConfigError


@contextmanager
def going(store: Path, run: str) -> Iterator[None]:
    """Mark the run as going on while the body runs. Raises ConfigError when another process has it."""
    path = store.with_name(f".{store.name}.{run}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"run {run} is still going on in another process",
                              hint="wait until it has ended, or stop it") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
