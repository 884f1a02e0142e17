"""The battery: by Android's `dumpsys battery`, elsewhere by the kernel's power supplies."""

from __future__ import annotations

import glob
import os
import re
from typing import Any, Dict, List, Optional

from bench.agents.probes import files
from bench.agents.probes.problems import refuse

POWER_SUPPLIES = "/sys/class/power_supply"
COLDEST_C, HOTTEST_C = -40.0, 150.0

_HEADER = "Current Battery Service state:"
_SOURCES = (("AC", "ac"), ("USB", "usb"), ("Wireless", "wireless"), ("Dock", "dock"))
_KERNEL_SOURCES = {"Mains": "ac", "USB": "usb", "Wireless": "wireless"}
_FAKED = "(UPDATES STOPPED -- use 'reset' to restart)"
_KNOWN = ("status", "present", "level", "scale", "temperature", _FAKED, *(key + " powered" for key, _ in _SOURCES))
_CHARGING = {"1": None, "2": True, "3": False, "4": False, "5": False}
"""By Android's number: unknown, charging, discharging, not charging, full."""
_KERNEL_CHARGING = {"Unknown": None, "Charging": True, "Discharging": False, "Not charging": False, "Full": False}


def parse(text: str, problems: List[str]) -> Optional[Dict[str, Any]]:
    """The state that `dumpsys battery` tells: a scale-free level, degrees. None without a battery, or a level.

    `charging` is False when it is full, None when the phone does not know; `source` is what it is plugged into;
    `faked` says that somebody has set the values by `dumpsys battery set`.
    """
    _, header, state = text.partition(_HEADER)
    if not header:
        refuse(problems, "dumpsys battery: not understood", text.strip())
        return None
    fields = _fields(state, problems)
    if fields.get("present") == "false":
        return None
    level = _level(fields, problems)
    if level is None:
        return None
    return {"level_percent": level, "charging": _charging(fields.get("status"), _CHARGING, problems),
            "source": next((name for key, name in _SOURCES if fields.get(key + " powered") == "true"), None),
            "temperature_c": _tenths(fields.get("temperature"), problems), "faked": _FAKED in fields}


def from_power_supplies(problems: List[str], folder: str = POWER_SUPPLIES) -> Optional[Dict[str, Any]]:
    """The same of the first battery that the kernel names; None without one, or where it tells no level."""
    supplies = sorted(glob.glob(os.path.join(folder, "*")))
    told = [(path, files.text(os.path.join(path, "type"))) for path in supplies]
    # A scope of Device is the battery of a mouse.
    ours = [path for path, kind in told if kind == "Battery" and files.text(os.path.join(path, "scope")) != "Device"]
    if not ours:
        return None
    capacity, status, tenths = (files.text(os.path.join(ours[0], name)) for name in ("capacity", "status", "temp"))
    level = _level({"level": capacity, "scale": "100"} if capacity else {}, problems)
    if level is None:
        return None
    plugged = [kind or "" for path, kind in told if files.number(os.path.join(path, "online")) == 1]
    sources = [name for kind, name in _KERNEL_SOURCES.items() if any(there.startswith(kind) for there in plugged)]
    return {"level_percent": level, "charging": _charging(status, _KERNEL_CHARGING, problems),
            "source": sources[0] if sources else None,
            "temperature_c": _tenths(tenths, problems) if tenths else None, "faked": False}


def _fields(state: str, problems: List[str]) -> Dict[str, str]:
    """The lines that are known, by name; a line without a colon is a name."""
    found: Dict[str, str] = {}
    for line in state.split("\n"):
        key, _, value = (part.strip() for part in line.partition(":"))
        if key.startswith("["):  # vendors append logs, which repeat the names
            break
        if key in _KNOWN and found.setdefault(key, value) != value:
            refuse(problems, "battery: two values of {}".format(key), value)
            found[key] = ""
    return found


def _level(fields: Dict[str, str], problems: List[str]) -> Optional[int]:
    level, scale = fields.get("level", ""), fields.get("scale", "")
    if re.fullmatch("[0-9]{1,6}", level) and re.fullmatch("[0-9]{1,6}", scale) and int(level) <= int(scale) > 0:
        return round(100 * int(level) / int(scale))
    refuse(problems, "battery: not a level of a scale", "{} of {}".format(level, scale))
    return None


def _charging(status: Optional[str], meanings: Dict[str, Optional[bool]], problems: List[str]) -> Optional[bool]:
    if status not in meanings:
        refuse(problems, "battery: not a known status", str(status))
        return None
    return meanings[status]


def _tenths(value: Optional[str], problems: List[str]) -> Optional[float]:
    if value and re.fullmatch("-?[0-9]{1,6}", value) and COLDEST_C <= int(value) / 10 <= HOTTEST_C:
        return int(value) / 10
    refuse(problems, "battery: not a temperature in tenths of a degree", str(value))
    return None
