"""Memory of the calling process, from the kernel's own counters. Bytes."""

from __future__ import annotations

import re
from typing import Optional

from bench.agents.probes import files


def _field(path: str, name: str) -> Optional[int]:
    match = re.search(r"^{}:\s+(\d+) kB".format(name), files.text(path) or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def peak_rss() -> Optional[int]:
    """VmHWM: the most physical memory this process ever had mapped, shared and file-backed pages included."""
    return _field("/proc/self/status", "VmHWM")


def pss() -> Optional[int]:
    """Proportional set size now: shared pages are divided among those who share them. Costs milliseconds."""
    return _field("/proc/self/smaps_rollup", "Pss")
