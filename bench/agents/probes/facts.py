"""What the device is: system, processor, memory, Python."""

from __future__ import annotations

import os
import platform
import re
from typing import Any, Dict, List, Optional

from bench.agents.probes import conditions, files


def facts(workdir: str) -> Dict[str, Any]:
    """Facts that hold for a whole run. What the device does not tell is None."""
    cpuinfo = files.text("/proc/cpuinfo") or ""
    return {
        "os": _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "soc": _soc(cpuinfo),
        "cpu_flags": _flags(cpuinfo),
        "cores": os.cpu_count(),
        "max_clocks_mhz": conditions.max_clocks_mhz(),
        "memory_bytes": _total_memory(),
        "disk_free_bytes": _disk_free(workdir),
        "temperature_c": conditions.temperature_c(),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "emulated": emulated(cpuinfo),
    }


def boot_id() -> Optional[str]:
    """A value that changes with each boot."""
    return files.text("/proc/sys/kernel/random/boot_id")


def emulated(cpuinfo: str) -> bool:
    """Whether this is known to be an emulator: QEMU's generic arm board, or a processor that says so."""
    compatible = files.text("/proc/device-tree/compatible") or ""
    return "dummy-virt" in compatible or bool(re.search(r"QEMU TCG|qemu-user", cpuinfo))


def _os_name() -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', files.text("/etc/os-release") or "", re.MULTILINE)
    return match.group(1) if match else platform.system()


def _soc(cpuinfo: str) -> Optional[str]:
    model = files.text("/proc/device-tree/model")
    if model:
        return model
    match = re.search(r"^(?:model name|Hardware|cpu model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return match.group(1).strip() if match else None


def _flags(cpuinfo: str) -> List[str]:
    match = re.search(r"^(?:flags|Features|isa)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return sorted(match.group(1).split()) if match else []


def _total_memory() -> Optional[int]:
    match = re.search(r"^MemTotal:\s+(\d+) kB", files.text("/proc/meminfo") or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def _disk_free(folder: str) -> Optional[int]:
    try:
        usage = os.statvfs(folder)
    except OSError:
        return None
    return usage.f_bavail * usage.f_frsize
