"""Quantities as users write them: `500ms`, `100MiB`, `1.0pp`, `+5%`."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeGuard

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from bench.config.problems import found

DURATION_PATTERN: Final = r"^\d{1,9}(\.\d{1,9})?\s*(ms|s|m|h)$"
_DURATION = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?)\s*(?P<unit>ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZE_PATTERN: Final = r"^\d{1,12}(\.\d{1,6})?\s*(B|kB|KiB|MB|MiB|GB|GiB)$"
_SIZE = re.compile(r"(?P<number>\d{1,12}(?:\.\d{1,6})?)\s*(?P<unit>B|kB|KiB|MB|MiB|GB|GiB)", re.ASCII)
_BYTES = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
POINTS_PATTERN: Final = r"^\d{1,3}(\.\d{1,6})?\s*pp$"
_POINTS = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,6})?)\s*pp", re.ASCII)
CHANGE_PATTERN: Final = r"^\+?\d{1,6}(\.\d{1,6})?\s*%$"
SHARE_PATTERN: Final = r"^\d{1,2}(\.\d{1,6})?\s*%$"
_SHARE = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,6})?)\s*%", re.ASCII)
_CHANGE = re.compile(r"\+?(?P<number>\d{1,6}(?:\.\d{1,6})?)\s*%", re.ASCII)


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
        if round(count) >= 1 and abs(count - round(count)) < 1e-9 * count:  # 0.35 s are 350 ms but for rounding
            return f"{count:.0f}{unit}"
    return f"{seconds:g}s"


def parse_size(text: object) -> float:
    """Bytes in `text`. Raises ValueError unless it is a number followed by B, kB, KiB, MB, MiB, GB or GiB."""
    match = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        unit = f", no unit: write {text:g}MiB" if _is_number(text) else ""
        raise ValueError(f"wanted a size such as 512KiB or 100MiB, found {found(text, None)}{unit}")
    return float(match["number"]) * _BYTES[match["unit"]]


def parse_points(text: object) -> float:
    """Percentage points in `text` as a fraction of one: 1.0pp -> 0.01. Raises ValueError for anything else."""
    match = _POINTS.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        unit = f", no unit: write {text:g}pp" if _is_number(text) else ""
        raise ValueError(f"wanted percentage points such as 1.0pp, found {found(text, None)}{unit}")
    return float(match["number"]) / 100


def parse_change(text: object) -> float:
    """A growth in percent as a fraction of one: +5% -> 0.05. Raises ValueError for anything else."""
    match = _CHANGE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        unit = f", no unit: write +{text:g}%" if _is_number(text) else ""
        raise ValueError(f"wanted a percentage such as +5%, found {found(text, None)}{unit}")
    return float(match["number"]) / 100


def parse_share(text: object) -> float:
    """A percentage as a fraction of one: 1% -> 0.01. Raises ValueError unless it is above 0 % and below 100 %."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or not float(match["number"]):
        unit = f", no unit: write {text:g}%" if _is_number(text) else ""
        raise ValueError(f"wanted a percentage above 0 and below 100 such as 1%, found {found(text, None)}{unit}")
    return float(match["number"]) / 100


def _seconds(value: object, info: ValidationInfo) -> object:
    """In code a duration is a number of seconds; in a file it must say its unit."""
    return value if info.mode == "python" and _is_number(value) else parse_duration(value)


Seconds = Annotated[float, BeforeValidator(_seconds),
                    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["500ms", "1s", "5m"]})]
"""A duration in seconds, written as `1s` in YAML."""


def _bytes(value: object, info: ValidationInfo) -> object:
    """In code a size is a number of bytes; in a file it must say its unit."""
    return value if info.mode == "python" and _is_number(value) else parse_size(value)


def _points(value: object, info: ValidationInfo) -> object:
    """In code a drop is a fraction of one; in a file it must say its unit."""
    return value if info.mode == "python" and _is_number(value) else parse_points(value)


def _change(value: object, info: ValidationInfo) -> object:
    """In code a change is a fraction of one; in a file it must say its unit."""
    return value if info.mode == "python" and _is_number(value) else parse_change(value)


Bytes = Annotated[float, BeforeValidator(_bytes),
                  WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN, "examples": ["512KiB", "100MiB"]})]
"""A size in bytes, written as `100MiB` in YAML."""

Points = Annotated[float, BeforeValidator(_points),
                   WithJsonSchema({"type": "string", "pattern": POINTS_PATTERN, "examples": ["1.0pp"]})]
"""A difference of two shares as a fraction of one, written as `1.0pp` in YAML."""

Change = Annotated[float, BeforeValidator(_change),
                   WithJsonSchema({"type": "string", "pattern": CHANGE_PATTERN, "examples": ["+5%"]})]
"""A growth as a fraction of one, written as `+5%` in YAML."""


def _share(value: object, info: ValidationInfo) -> object:
    """In code a share is a fraction of one; in a file it must be a percentage."""
    return value if info.mode == "python" and _is_number(value) else parse_share(value)


Share = Annotated[float, BeforeValidator(_share),
                  WithJsonSchema({"type": "string", "pattern": SHARE_PATTERN, "examples": ["1%"]})]
"""A part as a fraction of one, written as `1%` in YAML."""
