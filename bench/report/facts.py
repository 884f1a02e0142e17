"""What a report says of the run beside the cells, and how names and values are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bench.report.text import visible
from bench.results import CellResult, RunInfo
from bench.units import mebibytes
from bench.words import counted as counted

UNITS = {"_bytes": "MiB", "_mib": "MiB", "_mhz": "MHz", "_c": "°C", "_percent": "%", "_time": "s", "timeout": "s"}
"""What a name's ending says of its value's unit; durations of settings are in seconds."""


def summary(cells: Sequence[CellResult]) -> str:
    """What became of the cells: `34 of 48 cells measured · 8 failed (model 6, device 2) · 6 skipped`."""
    parts = [f"{sum(cell.status == 'ok' for cell in cells)} of {counted(len(cells), 'cell')} measured"]
    faults = Counter(visible(cell.fault or "unknown", 40) for cell in cells if cell.status == "failed")
    if faults:
        parts.append(f"{faults.total()} failed ({', '.join(f'{name} {n}' for name, n in faults.most_common())})")
    in_use = sum(cell.fault == "busy" for cell in cells)
    skipped = sum(cell.status == "skipped" for cell in cells) - in_use
    return " · ".join(parts + ([f"{skipped} skipped"] if skipped else [])
                      + ([f"{in_use} on devices in use"] if in_use else []))


def when(run: RunInfo) -> str:
    """The run's start, end and state in words."""
    started = _clock(run.started)
    ended = f" to {_clock(run.finished)}" if run.finished else ""
    return f"{started}{ended} UTC" + ("" if run.state == "finished" else f" · {visible(run.state)}")


def settings(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values of nested settings, in order: `warmup min runs`, `5`."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{words(key)}"
        found += settings(value, f"{name} ") if isinstance(value, Mapping) else [(name, _value(key, value))]
    return found


def _value(name: str, value: object) -> str:
    """A value with its unit, which its name's ending tells."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " ".join(visible(item, 60) for item in value)
    if isinstance(value, (int, float)):
        return number(name, value) + unit(name)
    return visible(value)


def number(name: str, value: float) -> str:
    """A number as its name's ending asks for, without its unit."""
    if name.endswith("_bytes"):
        return mebibytes(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def unit(name: str) -> str:
    """The unit that a name's ending tells, after a space; empty for none."""
    return next((f" {sign}" for ending, sign in UNITS.items() if name.endswith(ending)), "")


def words(name: str) -> str:
    """A name without its unit: `temperature_c` -> temperature."""
    for ending in UNITS:
        if ending.startswith("_") and ending != "_time":
            name = name.removesuffix(ending)
    return visible(name, 60).replace("_", " ")


def _clock(stamp: str) -> str:
    """An ISO 8601 time to the second, without its T and zone."""
    return visible(stamp, 40)[:19].replace("T", " ")
