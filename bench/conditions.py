"""A device's conditions as its agent told them, read with care: what is missing or no sense counts as not told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

THERMAL_STATUS: Final = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
"""Android's names of its thermal status, 0 to 6."""


@dataclass(frozen=True)
class Battery:
    """Charge in percent. `faked`: the values were set by hand and say nothing of the battery."""

    level_percent: int | None
    charging: bool | None
    source: str | None
    temperature_c: float | None
    faked: bool


@dataclass(frozen=True)
class Reading:
    """One look at a device. None is not told; `when` is before, during or after a trial, or asked."""

    when: str
    clocks_mhz: tuple[float | None, ...]
    """By the core's number; None of one that is switched off."""
    temperature_c: float | None
    temperature_of: str | None
    """The sensor that `temperature_c` is of."""
    battery: Battery | None
    thermal_status: int | None
    thermal_faked: bool
    screen_on: bool | None
    problems: tuple[str, ...]
    """What was answered and not understood."""


def read(told: Mapping[str, Any]) -> Reading:
    """The reading in a conditions message; an older agent's lacks some of it."""
    clocks = told.get("clocks_mhz")
    status = _whole(told.get("thermal_status"))
    problems = told.get("problems")
    return Reading(
        when=_text(told.get("when")) or "", clocks_mhz=_numbers(clocks),
        temperature_c=_number(told.get("temperature_c")), temperature_of=_text(told.get("temperature_of")),
        battery=_battery(told.get("battery")),
        thermal_status=status if status is not None and 0 <= status < len(THERMAL_STATUS) else None,
        thermal_faked=told.get("thermal_faked") is True, screen_on=_truth(told.get("screen_on")),
        problems=tuple(map(str, problems)) if isinstance(problems, list) else ())


def thermal(status: int) -> str:
    """`thermal status 2 (moderate)`."""
    return f"thermal status {status} ({THERMAL_STATUS[status]})"


def _battery(told: object) -> Battery | None:
    if not isinstance(told, Mapping):
        return None
    return Battery(_whole(told.get("level_percent")), _truth(told.get("charging")), _text(told.get("source")),
                   _number(told.get("temperature_c")), told.get("faked") is True)


def _numbers(told: object) -> tuple[float | None, ...]:
    """The numbers and gaps of a list, or none of them where anything else is among them."""
    values = told if isinstance(told, list) else []
    numbers = tuple(map(_number, values))
    understood = all(number is not None or value is None for number, value in zip(numbers, values, strict=True))
    return numbers if understood else ()


def _number(told: object) -> float | None:
    if not isinstance(told, int | float) or isinstance(told, bool):
        return None
    try:
        number = float(told)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _whole(told: object) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _truth(told: object) -> bool | None:
    return told if isinstance(told, bool) else None


def _text(told: object) -> str | None:
    return told if isinstance(told, str) else None
