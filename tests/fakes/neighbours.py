"""Processes that take the processor from others, for as long as a test wants them to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
