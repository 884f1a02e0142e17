"""One controller per device: a `flock` under the work folder, freed by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any, Dict, Optional


class Busy(Exception):
    """Somebody else holds the device; `holder` says who and since when."""

    def __init__(self, holder: Dict[str, Any]) -> None:
        super().__init__("busy")
        self.holder = holder


def take(workdir: str, owner: str) -> int:
    """Hold the device until this process ends; gives back the lock's file descriptor. Raises Busy, OSError."""
    descriptor = os.open(os.path.join(workdir, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise Busy(holder or {"owner": "unknown"}) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"owner": owner, "pid": os.getpid(), "since": time.time()}).encode(), 0)
    return descriptor


def _holder(descriptor: int) -> Optional[Dict[str, Any]]:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return None
    return holder if isinstance(holder, dict) else None
