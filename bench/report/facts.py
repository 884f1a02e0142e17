"""What a report says of the run and its devices, beside the cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.report.text import visible
from bench.results import CellResult, DeviceSummary, RunInfo
from bench.units import mebibytes

UNITS = {"_bytes": "MiB", "_mib": "MiB", "_mhz": "MHz", "_c": "°C", "_time": "s", "timeout": "s"}
"""What a name's ending says of its value's unit; durations of settings are in seconds."""
SHOWN = ("soc", "arch", "cores", "max_clocks_mhz", "memory_bytes", "os", "kernel", "python")


def summary(cells: Sequence[CellResult]) -> str:
    """What became of the cells: `34 of 48 cells measured · 8 failed (model 6, device 2) · 6 skipped`."""
    parts = [f"{sum(cell.status == 'ok' for cell in cells)} of {counted(len(cells), 'cell')} measured"]
    faults = Counter(visible(cell.fault or "unknown", 40) for cell in cells if cell.status == "failed")
    if faults:
        parts.append(f"{faults.total()} failed ({', '.join(f'{name} {n}' for name, n in faults.most_common())})")
    skipped = sum(cell.status == "skipped" for cell in cells)
    return " · ".join(parts + ([f"{skipped} skipped"] if skipped else []))


def counted(count: int, noun: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def when(run: RunInfo) -> str:
    """The run's start, end and state in words."""
    started = _clock(run.started)
    ended = f" to {_clock(run.finished)}" if run.finished else ""
    return f"{started}{ended} UTC" + ("" if run.state == "finished" else f" · {visible(run.state)}")


def settings(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values of nested settings, in order: `warmup min runs`, `5`."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{_words(key)}"
        found += settings(value, f"{name} ") if isinstance(value, Mapping) else [(name, _value(key, value))]
    return found


def facts_line(device: DeviceSummary) -> str:
    """The main facts of a device on one line."""
    facts = device.facts
    parts = [_fact(name, facts[name]) for name in SHOWN if facts.get(name) not in (None, "", [])]
    return " · ".join(dict.fromkeys(parts)) or "the device stated no facts"


def other_facts(device: DeviceSummary) -> list[tuple[str, str]]:
    """The facts that are not on the line, those known."""
    known = {name: value for name, value in device.facts.items() if value not in (None, "", [])}
    return settings({name: value for name, value in known.items() if name not in SHOWN})


def conditions(seen: Iterable[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Each condition over all readings: `min to max` of numbers, the different values of others; unknown ones too."""
    readings: dict[str, list[object]] = {}
    for reading in seen:
        for name, value in reading.items():
            readings.setdefault(name, []).extend(value if isinstance(value, (list, tuple)) else [value])
    return [(_words(name), _spread(name, values)) for name, values in readings.items()
            if name not in ("time", "trial", "when", "type")]


def _spread(name: str, values: list[object]) -> str:
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if numbers:
        low, high = _number(name, min(numbers)), _number(name, max(numbers))
        return (low if low == high else f"{low} to {high}") + _unit(name)
    words = list(dict.fromkeys(visible(value, 60) for value in values if value not in (None, "")))
    return ", ".join(words[:8]) or "not known"


def _value(name: str, value: object) -> str:
    """A value with its unit, which its name's ending tells."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " ".join(visible(item, 60) for item in value)
    if isinstance(value, (int, float)):
        return _number(name, value) + _unit(name)
    return visible(value)


def _number(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return mebibytes(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unit(name: str) -> str:
    return next((f" {unit}" for ending, unit in UNITS.items() if name.endswith(ending)), "")


def _words(name: str) -> str:
    """A name without its unit: `temperature_c` -> temperature."""
    for ending in UNITS:
        if ending.startswith("_") and ending != "_time":
            name = name.removesuffix(ending)
    return visible(name, 60).replace("_", " ")


def _fact(name: str, value: object) -> str:
    if name == "cores":
        return f"{visible(value)} cores"
    if name == "max_clocks_mhz" and isinstance(value, (list, tuple)):
        clocks = sorted({visible(clock) for clock in value}, key=lambda clock: (len(clock), clock))
        return f"up to {'/'.join(clocks)} MHz"
    if name == "memory_bytes" and isinstance(value, (int, float)):
        return f"{mebibytes(value)} MiB memory"
    return f"Python {visible(value)}" if name == "python" else visible(value)


def _clock(stamp: str) -> str:
    """An ISO 8601 time to the second, without its T and zone."""
    return visible(stamp, 40)[:19].replace("T", " ")
