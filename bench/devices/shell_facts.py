"""What a device without a Python tells by plain shell commands, read by the parsers that the agent uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from bench.agents.probes import android, battery, thermal
from bench.deadline import Deadline
from bench.devices.script import run_script, said
from bench.errors import DeviceError
from bench.transports.base import Transport
from bench.transports.talk import free_bytes

SCRIPT: Final = r"""
export LC_ALL=C
mark=$1 folder=$2
part() { name=$1; shift; "$@" 2>/dev/null | sed "s/^/$mark $name |/"; printf '\n'; }
cpus=/sys/devices/system/cpu
part folder pwd
part machine uname -m
part kernel uname -r
part memory cat /proc/meminfo
part cpu cat /proc/cpuinfo
part clocks sh -c "cat $cpus/cpu[0-9]*/cpufreq/cpuinfo_max_freq"
part capacities sh -c "cat $cpus/cpu[0-9]*/cpu_capacity"
part system cat /etc/os-release
part launcher sh -c 'cd "$1/bundle" && pwd && ls -t py-*' sh "$folder"
while [ ! -d "$folder" ] && [ "$folder" != "${folder%/*}" ]; do folder=${folder%/*}; done
part disk sh -c 'df -Pk "$1/" | tail -n 1' sh "$folder"
command -v getprop >/dev/null 2>&1 || { printf '\n%s end |\n' "$mark"; exit 0; }
part properties getprop
part battery dumpsys battery
part thermal dumpsys thermalservice
printf '\n%s end |\n' "$mark"
"""
"""Arguments: marker, work folder. Answers `NAME |LINE` for each line of each part, and `end |` last."""


@dataclass(frozen=True)
class Told:
    """The agent's facts and conditions, as far as they can be had without it; and the bundle's Python there, if any."""

    facts: dict[str, Any]
    conditions: dict[str, Any]
    launcher: str | None
    lacks: str | None = None
    """Why no bundle can run there."""


@dataclass
class _Parts:
    lines: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return "".join(f"{line}\n" for line in self.lines.get(name, ()))

    def number_of(self, pattern: str, name: str) -> int | None:
        match = re.search(pattern, self.text(name), re.MULTILINE)
        return int(match[1]) if match else None

    def numbers(self, name: str) -> list[int]:
        return [int(line) for line in self.lines.get(name, ()) if re.fullmatch(r"\d{1,9}", line)]


def ask(transport: Transport, folder: str, deadline: Deadline) -> Told:
    """Ask the device. Raises DeviceError (no POSIX shell there), and what the link raises."""
    done, answers = run_script(transport, SCRIPT, [folder], deadline.check("the device's facts"))
    if ("end", "|") not in answers:
        raise DeviceError(f"the device's shell does not tell what it is: {said(done)}")
    parts = _Parts()
    for name, line in answers:
        parts.lines.setdefault(name, []).append(line.removeprefix("|"))
    return told_by(parts)


def told_by(parts: _Parts) -> Told:
    """The parsers' part of it."""
    problems: list[str] = []
    properties = parts.text("properties")
    phone = android.facts_from(properties, problems) if properties else None
    state = battery.parse(parts.text("battery"), problems) if parts.text("battery") else None
    heat = thermal.parse(parts.text("thermal"), problems) if parts.text("thermal") else thermal.Thermal(None, False, [])
    skin = thermal.skin(heat.sensors)
    system = re.search(r'^PRETTY_NAME="?([^"\n]+)', parts.text("system"), re.MULTILINE)
    machine = parts.text("machine").strip() or None
    memory_kb = parts.number_of(r"^MemTotal:\s+([0-9]{1,15}) kB", "memory")
    facts = {
        "os": android.system_of(phone) if phone else system[1] if system else "unknown system",
        "kernel": parts.text("kernel").strip() or None, "arch": machine, "soc": phone and phone["soc"],
        "cpu_flags": sorted(_word(r"^(?:flags|Features)\s*:\s*(.+)$", parts.text("cpu")).split()),
        "cores": len(re.findall(r"^processor\s*:", parts.text("cpu"), re.MULTILINE)) or None,
        "core_capacities": parts.numbers("capacities"),
        "max_clocks_mhz": [khz // 1000 for khz in parts.numbers("clocks")],
        "memory_bytes": None if memory_kb is None else memory_kb * 1024,
        "disk_free_bytes": free_bytes(["df", parts.text("disk")]),
        "temperature_c": skin.celsius if skin else state["temperature_c"] if state else None,
        "python": None, "libc": None, "emulated": android.is_emulator(properties), "android": phone,
        "problems": problems,
    }
    conditions = {"battery": state, "thermal_status": heat.status, "thermal_faked": heat.faked, "problems": problems}
    return Told(facts, conditions, _launcher(parts.lines.get("launcher", [])), _lacks(phone, machine))


def _launcher(lines: list[str]) -> str | None:
    names = [line for line in lines[1:] if re.fullmatch(r"py-[0-9a-f]{16}", line)]
    return f"{lines[0]}/{names[0]}" if names else None


def _lacks(phone: dict[str, Any] | None, machine: str | None) -> str | None:
    abis = phone["abis"] if phone else []
    if "arm64-v8a" in abis or (not abis and machine in ("aarch64", "arm64")):
        return None
    has = f"its ABIs are {', '.join(abis)}" if abis else f"it is {machine}"
    narrow = not any("64" in abi for abi in abis) if abis else re.fullmatch(r"arm(v[5-8].*)?|i.86", machine or "")
    return f"it is 32-bit only ({has})" if narrow else has


def _word(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else ""
