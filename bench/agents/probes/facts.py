"""What the device is: system, processor, memory, Python."""

from __future__ import annotations

import os
import platform
import re
from typing import Any, Dict, List, Optional

from bench.agents import cores
from bench.agents.probes import android, conditions, files, power


def facts(workdir: str, now: Dict[str, Any]) -> Dict[str, Any]:
    """Facts that hold for a whole run, and the temperature of the conditions `now`. What is not told is None."""
    cpuinfo = files.text("/proc/cpuinfo") or ""
    problems: List[str] = []
    properties = android.properties_text(problems) if android.here() else None
    phone = None if properties is None else android.facts_from(properties, problems)
    return {
        "os": android.system_of(phone) if phone else _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "soc": (phone and phone["soc"]) or _soc(cpuinfo),
        "cpu_flags": _flags(cpuinfo),
        "cores": os.cpu_count(),
        "core_capacities": cores.capacities(),
        "max_clocks_mhz": conditions.max_clocks_mhz(),
        "memory_bytes": _total_memory(),
        "disk_free_bytes": _disk_free(workdir),
        "temperature_c": now["temperature_c"],
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "emulated": emulated(cpuinfo) or android.is_emulator(properties or ""),
        "power_mode": power.mode(problems),
        "android": phone,
        "problems": problems,
    }


def boot_id() -> Optional[str]:
    """A value that changes with each boot."""
    return files.text("/proc/sys/kernel/random/boot_id")


def emulated(cpuinfo: str) -> bool:
    """Whether this is known to be an emulator: QEMU's generic arm board, a processor that says so, QEMU's user mode."""
    compatible = files.text("/proc/device-tree/compatible") or ""
    return "dummy-virt" in compatible or bool(re.search(r"QEMU TCG|qemu-user", cpuinfo)) or _run_by_qemu()


def _run_by_qemu() -> bool:
    """Whether this process, or one that it descends from, is qemu-ARCHITECTURE; that one fakes /proc/self/exe."""
    if _is_qemu("thread-self"):
        return True
    parent = os.getppid()
    while parent > 1:
        if _is_qemu(str(parent)):
            return True
        # The name, in parentheses, may hold anything.
        fields = (files.text("/proc/{}/stat".format(parent)) or "").rpartition(")")[2].split()
        parent = int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0
    return False


def _is_qemu(process: str) -> bool:
    try:
        program = os.readlink("/proc/{}/exe".format(process))
    except OSError:
        return False
    return bool(re.match(r"qemu-(?!system)", os.path.basename(program)))


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
