"""Temperatures: by Android's `dumpsys thermalservice`, elsewhere by the kernel's thermal zones. Degrees Celsius."""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, List, NamedTuple, Optional

from bench.agents.probes import files
from bench.agents.probes.battery import COLDEST_C, HOTTEST_C
from bench.agents.probes.problems import refuse

ZONES = "/sys/class/thermal"
MOST_SENSORS = 128

SKIN = 3
_NO_TEMPERATURES = (6, 7, 8)
"""Android's types of the battery's voltage, current and charge, which it lists among the temperatures."""
_TYPES = range(-1, 20)
"""Unknown, CPU, GPU, battery, skin, USB port, power amplifier, ..., pogo pins."""
_SENSOR = re.compile(r"Temperature\{mValue=([^,]*), mType=(-?[0-9]{1,3}), mName=(.*), mStatus=(-?[0-9]+)\}")
# Qualcomm's zones of the battery's current, voltage and charge; a constant of Jetson boards.
_NO_ZONE = re.compile(r"soc$|PMIC-Die$|(.*[-_])?(ibat|vbat|bcl)([-_]|$)")


class Sensor(NamedTuple):
    name: str
    kind: int
    celsius: float


class Thermal(NamedTuple):
    status: Optional[int]
    faked: bool
    sensors: List[Sensor]


def parse(text: str, problems: List[str]) -> Thermal:
    """What `dumpsys thermalservice` tells: status (0 none ... 6 shutdown), whether it was set by hand, sensors.

    What the hardware says now counts; what the service remembers, which may be old, only where that says nothing.
    """
    if text.strip().startswith("Can't find service"):  # before Android 10
        return Thermal(None, False, [])
    faked = re.search(r"^[ \t]*IsStatusOverride: true[ \r]*$", text, re.MULTILINE) is not None
    sections = _sections(text)
    sensors = _sensors(sections.get("Current temperatures from HAL", ""), problems)
    return Thermal(_status(text, faked, problems), faked,
                   sensors or _sensors(sections.get("Cached temperatures", ""), problems))


def zones(problems: List[str], folder: str = ZONES) -> Dict[str, float]:
    """The kernel's thermal zones by type. They give millidegrees, some vendors whole degrees.

    0, what cannot be read and what is too cold to be true stand for a sensor without power.
    """
    found: Dict[str, float] = {}
    for path in sorted(glob.glob(os.path.join(folder, "thermal_zone[0-9]*")), key=lambda path: (len(path), path)):
        value, name = files.number(os.path.join(path, "temp")), files.text(os.path.join(path, "type"))
        if value is None or not name or _NO_ZONE.match(name):
            continue
        celsius = value / 1000 if abs(value) >= 1000 else float(value)
        if celsius > HOTTEST_C:
            refuse(problems, "thermal zone {}: not plausible".format(name[:40]), "{:g}".format(celsius))
        elif celsius and celsius > COLDEST_C and len(found) < MOST_SENSORS:
            found[_unused(name, found)] = celsius
    return found


def by_name(sensors: List[Sensor]) -> Dict[str, float]:
    """The sensors' temperatures under names that are all different."""
    found: Dict[str, float] = {}
    for sensor in sensors:
        found[_unused(sensor.name, found)] = sensor.celsius
    return found


def skin(sensors: List[Sensor]) -> Optional[Sensor]:
    """The sensor that Android throttles by: the one called so, else the first of that type."""
    there = [sensor for sensor in sensors if sensor.kind == SKIN]
    named = [sensor for sensor in there if sensor.name.upper() in ("SKIN", "VIRTUAL-SKIN")]
    return next(iter(named or there), None)


def _sections(text: str) -> Dict[str, str]:
    parts = re.split(r"^([A-Z][A-Za-z ]+):[ \r]*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def _status(text: str, faked: bool, problems: List[str]) -> Optional[int]:
    match = re.search(r"^[ \t]*Thermal Status:[ \t]*(\S*)[ \r]*$", text, re.MULTILINE)
    if match is None or not re.fullmatch("[0-6]", match.group(1)):
        refuse(problems, "dumpsys thermalservice: no status of 0 to 6", match.group(1) if match else text.strip())
        return None
    if not faked and re.search(r"^[ \t]*HAL Ready: false", text, re.MULTILINE):
        refuse(problems, "dumpsys thermalservice: the hardware's part is not ready, the status means nothing")
        return None
    return int(match.group(1))


def _sensors(section: str, problems: List[str]) -> List[Sensor]:
    found: List[Sensor] = []
    for line in section.split("\n"):
        if "Temperature{" not in line or len(found) >= MOST_SENSORS:
            continue
        sensor = _sensor(line.strip(), problems)
        if sensor is not None:
            found.append(sensor)
    return found


def _sensor(line: str, problems: List[str]) -> Optional[Sensor]:
    match = _SENSOR.fullmatch(line)
    if match is None or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?", match.group(1)):
        refuse(problems, "dumpsys thermalservice: not understood", line)
        return None
    celsius, kind = float(match.group(1)), int(match.group(2))
    if kind in _NO_TEMPERATURES or celsius == 0:  # 0.0 stands for a sensor that is not there
        return None
    if kind not in _TYPES or not COLDEST_C <= celsius <= HOTTEST_C:
        refuse(problems, "dumpsys thermalservice: not plausible", line)
        return None
    return Sensor(match.group(3)[:40], kind, celsius)


def _unused(name: str, found: Dict[str, float]) -> str:
    number = 2
    unused = name = name[:40]
    while unused in found:
        unused, number = "{} {}".format(name, number), number + 1
    return unused
