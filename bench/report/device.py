"""What a report says of a device: what it is, how it was during the run, what must be known before trusting it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bench.conditions import THERMAL_STATUS
from bench.report.facts import number, settings, unit, words
from bench.report.text import visible
from bench.results import CellResult, Cores, DeviceSummary
from bench.units import mebibytes, ranges

SHOWN = ("soc", "arch", "cores", "max_clocks_mhz", "memory_bytes", "os", "kernel", "python")
ON_THE_LINE = ("manufacturer", "model", "soc", "release", "api_level", "security_patch")
"""Of a phone's own facts; `os` holds its release and API level."""
ELSEWHERE = ("time", "trial", "when", "type", "services_age_s", "problems", "thermal_faked", "battery faked",
             "processor cores", "processor busy_ns", "processor stolen_ns", "processor monotonic_ns")
"""Conditions that are no readings, or that a warning tells of."""
NOT_EVERYWHERE = ("battery", "thermal_status", "screen_on", "temperature_of")
"""Conditions that many devices have not: left out where none was ever told."""
MOST_READINGS = 40


def facts_line(device: DeviceSummary, cells: Iterable[CellResult] = ()) -> str:
    """The main facts of a device on one line, and the cores that its cells' trials were pinned to."""
    facts, phone = device.facts, _phone(device)
    name = " ".join(visible(phone[key], 60) for key in ("manufacturer", "model") if phone.get(key))
    parts = [name, *(_fact(key, facts[key]) for key in SHOWN if facts.get(key) not in (None, "", []))]
    if phone.get("security_patch"):
        parts.append(f"security patch {visible(phone['security_patch'], 60)}")
    parts += [_pinned(cell.cores) for cell in cells if cell.cores]
    return " · ".join(dict.fromkeys(filter(None, parts))) or "the device stated no facts"


def other_facts(device: DeviceSummary) -> list[tuple[str, str]]:
    """The facts that are not on the line, those known."""
    known = {key: value for key, value in device.facts.items()
             if value not in (None, "", []) and key not in (*SHOWN, "android", "problems")}
    classes = _core_classes(device)
    if classes:
        known["core_capacities"] = classes
    phone = {f"Android {key}": value for key, value in _phone(device).items()
             if value not in (None, "", []) and key not in ON_THE_LINE}
    return settings({**known, **phone})


def warnings(device: DeviceSummary) -> list[str]:
    """What must be known before trusting the device's numbers, each on one line of at most 300 characters."""
    return [visible(text, 300) for text in device.warnings]


def conditions(seen: Iterable[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Each condition over all readings: `min to max` of numbers, the different values of others; unknown ones too.

    At most `MOST_READINGS`, and a line that says how many more there are: some phones have a hundred sensors.
    """
    readings: dict[str, list[object]] = {}
    for reading in seen:
        for name, value in _flat(reading):
            readings.setdefault(name, []).extend(value if isinstance(value, (list, tuple)) else [value])
    told = [(words(name), _spread(name, values)) for name, values in readings.items()
            if name not in ELSEWHERE and not (name in NOT_EVERYWHERE and all(value is None for value in values))]
    more = len(told) - MOST_READINGS
    return told[:MOST_READINGS] + ([("further readings", f"{more} left out")] if more > 0 else [])


def _pinned(cores: Cores) -> str:
    """`trials pinned to big cores: 4-7`; empty where no cores were wanted."""
    kind = f"{cores.wanted} cores:" if isinstance(cores.wanted, str) else "cores"
    return visible(f"trials pinned to {kind} {ranges(cores.used)}", 100) if cores.wanted is not None else ""


def _phone(device: DeviceSummary) -> Mapping[str, object]:
    phone = device.facts.get("android")
    return phone if isinstance(phone, Mapping) else {}


def _core_classes(device: DeviceSummary) -> str:
    """`4 of 160 up to 1704 MHz; 1 of 1024 up to 2914 MHz`, where each core's capacity and clock are told."""
    capacities, clocks = device.facts.get("core_capacities"), device.facts.get("max_clocks_mhz")
    if not isinstance(capacities, list) or not isinstance(clocks, list) or len(capacities) != len(clocks):
        return ""
    alike = Counter(zip(map(str, capacities), map(str, clocks), strict=True))
    return "; ".join(f"{count} of {capacity} up to {clock} MHz" for (capacity, clock), count in alike.items())


def _flat(reading: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Names and values; of a nested one `battery level_percent`, and `sensors AP_c` for `sensors_c`' AP."""
    for name, value in reading.items():
        if isinstance(value, Mapping):
            ending = "_c" if name.endswith("_c") else ""
            yield from ((f"{name.removesuffix(ending)} {key}{ending}", item) for key, item in value.items())
        else:
            yield name, value


def _spread(name: str, values: list[object]) -> str:
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if numbers:
        low, high = _number(name, min(numbers)), _number(name, max(numbers))
        return (low if low == high else f"{low} to {high}") + unit(name)
    known = [("yes" if value else "no") if isinstance(value, bool) else visible(value, 60) for value in values
             if value not in (None, "")]
    return ", ".join(list(dict.fromkeys(known))[:8]) or "not known"


def _number(name: str, value: float) -> str:
    if name == "thermal_status" and value in range(len(THERMAL_STATUS)):
        return f"{value:.0f} ({THERMAL_STATUS[int(value)]})"
    return number(name, value)


def _fact(name: str, value: object) -> str:
    if name == "cores":
        return f"{visible(value)} cores"
    if name == "max_clocks_mhz" and isinstance(value, (list, tuple)):
        clocks = sorted({visible(clock) for clock in value}, key=lambda clock: (len(clock), clock))
        return f"up to {'/'.join(clocks)} MHz"
    if name == "memory_bytes" and isinstance(value, (int, float)):
        return f"{mebibytes(value)} MiB memory"
    return f"Python {visible(value)}" if name == "python" else visible(value)
