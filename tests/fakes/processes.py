"""Watch other processes end."""

from __future__ import annotations

import os
import select
from pathlib import Path


def wait_gone(pid: int, seconds: float = 10.0) -> None:
    """Return once the process has ended, without polling. Raises AssertionError when it lives on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([handle], [], [], seconds)
        assert ready, f"process {pid} lives on: {Path(f'/proc/{pid}/cmdline').read_bytes()!r}"
    finally:
        os.close(handle)
