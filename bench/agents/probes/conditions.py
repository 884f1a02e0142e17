"""What may move a latency: load, clocks, temperature, battery, screen, free memory."""

from __future__ import annotations

import glob
import os
import re
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from bench.agents.probes import android, battery, cpu, files, thermal

_CPU = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/"


class Watch:
    """Looks at the device time and again."""

    def __init__(self) -> None:
        self._services = android.Services() if android.here() else None

    def look(self, sparing: bool = False, between: Callable[[], None] = lambda: None) -> Dict[str, Any]:
        """The device now. What it does not tell is None (or empty); what it tells and is not understood, a problem.

        `temperature_c` is that of `temperature_of`: a phone's skin, else its battery, else the hottest of `sensors_c`.
        `thermal_status` is Android's (0 none ... 6 shutdown); `thermal_faked` and the battery's `faked` say that
        somebody set them by hand.

        A phone's services are asked, for up to 2 s each with `between` called before; with `sparing` rarely: then
        what they said `services_age_s` ago is given again.
        """
        found = {
            "time": time.time(),
            "load_1m": _load(),
            "processor": _processor(),
            "clocks_mhz": clocks_mhz(),
            "governor": files.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            "available_memory_bytes": available_memory(),
        }
        if self._services is None:
            return dict(found, **_by_kernel())
        return dict(found, **_by_services(self._services.ask(sparing, between)))


def _by_kernel() -> Dict[str, Any]:
    problems: List[str] = []
    sensors = thermal.zones(problems)
    celsius, name = _hottest(sensors)
    return {"temperature_c": celsius, "temperature_of": name, "sensors_c": sensors, "thermal_status": None,
            "thermal_faked": False, "battery": battery.from_power_supplies(problems), "screen_on": None,
            "services_age_s": None, "problems": problems}


def _by_services(told: android.Told) -> Dict[str, Any]:
    problems = list(told.problems)
    # Zones of phones are many, slow to read and often refused: only where the service tells nothing.
    sensors = thermal.by_name(told.thermal.sensors) or thermal.zones(problems)
    skin = thermal.skin(told.thermal.sensors)
    celsius, name = _hottest(sensors)
    if skin is not None:
        celsius, name = skin.celsius, skin.name
    elif told.battery is not None and told.battery["temperature_c"] is not None:
        celsius, name = told.battery["temperature_c"], "battery"
    return {"temperature_c": celsius, "temperature_of": name, "sensors_c": sensors,
            "thermal_status": told.thermal.status, "thermal_faked": told.thermal.faked, "battery": told.battery,
            "screen_on": told.screen_on, "services_age_s": round(time.monotonic() - told.at, 1), "problems": problems}


def _hottest(sensors: Dict[str, float]) -> Tuple[Optional[float], Optional[str]]:
    name = max(sensors, key=lambda each: sensors[each], default=None)
    return (None, None) if name is None else (sensors[name], name)


def _processor() -> Optional[Dict[str, Any]]:
    """What all processes used of all cores since boot: two looks tell of the time between them."""
    told = cpu.whole()
    return None if told is None else dict(told._asdict(), monotonic_ns=time.monotonic_ns())


def _load() -> Optional[float]:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def clocks_mhz(cpufreq: str = _CPU) -> List[Optional[int]]:
    """The current clock by the core's number, None of one that is switched off: by cpufreq, else by /proc/cpuinfo."""
    paths = glob.glob(cpufreq + "scaling_cur_freq")
    khz = {int(path.split(os.sep)[-3][len("cpu"):]): files.number(path) for path in paths}
    if any(khz.values()):
        told = [khz.get(core) for core in range(max(khz) + 1)]
        return [None if value is None else value // 1000 for value in told]
    return [int(float(mhz)) for mhz in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", files.text("/proc/cpuinfo") or "", re.M)]


def max_clocks_mhz() -> List[int]:
    """The highest clock of each core; empty where the kernel does not tell."""
    return [value // 1000 for value in files.numbers(_CPU + "cpuinfo_max_freq")]


def available_memory() -> Optional[int]:
    """Bytes that processes can still take without swapping: MemAvailable."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", files.text("/proc/meminfo") or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None
