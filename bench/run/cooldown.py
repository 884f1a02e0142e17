"""Waiting until a device is cool enough to be measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.config.devices import CooldownConfig
from bench.deadline import Deadline
from bench.errors import DeviceError

LOOK_EVERY_S = 2.0


def wait_until_cool(limit: CooldownConfig, look: Callable[[], dict[str, Any]], tell: Callable[[str], None],
                    sleep: Callable[[float], None] = time.sleep) -> None:
    """Return when the device's hottest sensor is below the limit, or when it has none.

    Raises DeviceError when it is still as hot after `limit.within`.
    """
    deadline = Deadline(limit.within)
    while True:
        temperature = look()["temperature_c"]
        if limit.below_c is None or temperature is None or temperature < limit.below_c:
            return
        if deadline.passed():
            raise DeviceError(f"still {temperature:.1f} C after {limit.within:g} s; wanted below {limit.below_c:g} C",
                              hint="cool the device, or raise cooldown: in devices.yaml")
        tell(f"cooling down: {temperature:.1f} C, wanted below {limit.below_c:g} C")
        sleep(LOOK_EVERY_S)
