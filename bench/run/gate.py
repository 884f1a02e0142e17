"""The start gate: a latency trial begins on a device that is charged, cool and not throttled, or it does not begin.

A trial is a fresh process, so whatever was waited for, its warm-up is done anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.conditions import Reading, read, thermal
from bench.config.devices import CooldownConfig, DeviceConfig
from bench.deadline import Deadline
from bench.errors import DeviceError

LOOK_EVERY_S = 2.0
ALWAYS_COOL = CooldownConfig()


def wait_until_fit(device: DeviceConfig, known: Reading | None, look: Callable[[], Mapping[str, Any]],
                   tell: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> Reading:
    """Return when nothing that the device tells of speaks against measuring: charge, throttling, temperature.

    `known` is what this returned before the device's last trial (None before the first). A device that was
    understood and told of nothing to judge is not asked again; any other costs one look, and one every 2 s while it
    must wait, with the reason told each time. Returns the newest reading.

    Raises DeviceError: the battery is low and not charging; values are faked, which are never trusted; or something
    is still wrong after `cooldown.within` seconds. Raises what `look` raises.
    """
    if known is not None and not known.problems and not _judged(device, known):
        return known
    cooldown = device.cooldown or ALWAYS_COOL
    deadline = Deadline(cooldown.within)
    while True:
        seen = read(look())
        _refuse(device, seen)
        wrong = _wrong(device, cooldown, seen)
        if not wrong:
            return seen
        if deadline.passed():
            raise DeviceError(f"after {cooldown.within:g} s still {'; '.join(wrong)}",
                              hint="let it charge or cool, or change battery_at_least: or cooldown: in devices.yaml")
        tell(f"waiting: {'; '.join(wrong)}")
        sleep(LOOK_EVERY_S)


def _judged(device: DeviceConfig, seen: Reading) -> bool:
    """Whether anything that the device tells decides about a start."""
    warm = device.cooldown is not None and device.cooldown.below_c is not None and seen.temperature_c is not None
    charge = bool(device.battery_at_least) and seen.battery is not None
    return warm or charge or seen.thermal_status is not None or seen.thermal_faked


def _refuse(device: DeviceConfig, seen: Reading) -> None:
    """Raise for what waiting does not mend."""
    battery, least = seen.battery, device.battery_at_least
    if seen.thermal_faked:
        raise DeviceError("its thermal status is faked, so nobody knows whether it throttles",
                          hint="undo it with: adb shell cmd thermalservice reset")
    if battery is None or not least:
        return
    if battery.faked:
        raise DeviceError("its battery's values are faked, so nobody knows its charge",
                          hint="undo it with: adb shell dumpsys battery reset")
    if battery.level_percent is not None and battery.level_percent < least and battery.charging is False:
        raise DeviceError(f"battery at {battery.level_percent} %, wanted at least {least} %; it is not charging",
                          hint="charge it, or change battery_at_least: in devices.yaml")


def _wrong(device: DeviceConfig, cooldown: CooldownConfig, seen: Reading) -> list[str]:
    """What speaks against a start now, in words."""
    found = []
    level, least = seen.battery.level_percent if seen.battery else None, device.battery_at_least or 0
    if level is not None and level < least:
        found.append(f"battery at {level} %, wanted at least {least} %")
    if seen.thermal_status:
        found.append(f"{thermal(seen.thermal_status)}, wanted 0")
    if cooldown.below_c is not None and seen.temperature_c is not None and seen.temperature_c >= cooldown.below_c:
        found.append(f"{seen.temperature_c:.1f} C, wanted below {cooldown.below_c:g} C")
    return found
