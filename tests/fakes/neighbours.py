"""Others on a device, for as long as a test wants them: who takes the processor, and who holds the device itself."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print('on', flush=True)\nwhile True: pass"


@contextmanager
def neighbours(core: int, count: int) -> Iterator[None]:
    """So many processes that take all they get of a core, until the end of the block."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY, str(core)], stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for each in started:
            assert each.stdout is not None and each.stdout.readline() == b"on\n"
        yield
    finally:
        for each in started:
            each.kill()
            each.communicate()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Ann's agent works in that folder."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        json.dump({"owner": "ann@desk (process 7)", "pid": os.getpid(), "since": 1767225600}, lock)
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
