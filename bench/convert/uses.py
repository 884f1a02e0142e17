"""Who uses the cache now: what a command that still runs has touched is not removed under it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bench.convert.cache import disk_errors

if TYPE_CHECKING:
    from bench.convert.cache import Cache

FOLDER: Final = "uses"
"""Under the cache's root: an empty file for each command, locked while it runs."""


@contextlib.contextmanager
def using(cache: Cache) -> Iterator[None]:
    """Mark the cache as in use while the body runs. Raises InfrastructureError when it cannot be written."""
    path = cache.root / FOLDER / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with disk_errors(cache.root):
        path.parent.mkdir(exist_ok=True)
        file = path.open("w")
    with file:
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def used_since(cache: Cache) -> float | None:
    """When the oldest command that uses the cache now began, as a file's time; None where none does."""
    begun = []
    for path in (cache.root / FOLDER).glob("*"):
        with contextlib.suppress(FileNotFoundError), path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                begun.append(path.stat().st_mtime)
            else:
                path.unlink(missing_ok=True)  # of one that was killed
    return min(begun, default=None)
