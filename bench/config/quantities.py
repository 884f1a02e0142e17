"""Quantities as users write them: `500ms`, `1s`, `5m`."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeGuard

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from bench.config.problems import found

DURATION_PATTERN: Final = r"^\d{1,9}(\.\d{1,9})?\s*(ms|s|m|h)$"
_DURATION = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?)\s*(?P<unit>ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: object) -> float:
    """Seconds in `text`. Raises ValueError unless it is a number followed by ms, s, m or h."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        unit = f", no unit: write {text:g}s or {text:g}ms" if _is_number(text) else ""
        raise ValueError(f"wanted a duration such as 500ms, 1s or 5m, found {found(text, None)}{unit}")
    return float(match["number"]) * _SECONDS[match["unit"]]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def format_duration(seconds: float) -> str:
    """`seconds` as `parse_duration` reads it, in the largest unit that keeps it whole: 300.0 -> 5m, 0.5 -> 500ms."""
    for unit, factor in sorted(_SECONDS.items(), key=lambda pair: -pair[1]):
        count = seconds / factor
        if count >= 1 and count == round(count):
            return f"{count:.0f}{unit}"
    return f"{seconds:g}s"


def _seconds(value: object, info: ValidationInfo) -> object:
    """In code a duration is a number of seconds; in a file it must say its unit."""
    return value if info.mode == "python" and _is_number(value) else parse_duration(value)


Seconds = Annotated[float, BeforeValidator(_seconds),
                    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["500ms", "1s", "5m"]})]
"""A duration in seconds, written as `1s` in YAML."""
