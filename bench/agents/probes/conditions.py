"""What may move a latency: load, clocks, temperature, free memory."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Dict, List, Optional

from bench.agents.probes import files

_CPU = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/"


def conditions() -> Dict[str, Any]:
    """The device now. What it does not tell is None (or an empty list)."""
    return {
        "time": time.time(),
        "load_1m": _load(),
        "clocks_mhz": clocks_mhz(),
        "governor": files.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "temperature_c": temperature_c(),
        "available_memory_bytes": available_memory(),
    }


def _load() -> Optional[float]:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def clocks_mhz() -> List[int]:
    """The current clock of each core: by cpufreq, else as /proc/cpuinfo says."""
    khz = files.numbers(_CPU + "scaling_cur_freq")
    if khz:
        return [value // 1000 for value in khz]
    return [int(float(mhz)) for mhz in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", files.text("/proc/cpuinfo") or "", re.M)]


def max_clocks_mhz() -> List[int]:
    """The highest clock of each core; empty where the kernel does not tell."""
    return [value // 1000 for value in files.numbers(_CPU + "cpuinfo_max_freq")]


def temperature_c() -> Optional[float]:
    """The hottest thermal zone. Zones give millidegrees, some vendors whole degrees; 0 and sentinels are left out."""
    values = files.numbers("/sys/class/thermal/thermal_zone*/temp")
    degrees = [value / 1000 if abs(value) >= 1000 else float(value) for value in values]
    plausible = [value for value in degrees if 0 < value < 150]
    return max(plausible) if plausible else None


def available_memory() -> Optional[int]:
    """Bytes that processes can still take without swapping: MemAvailable."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", files.text("/proc/meminfo") or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None
