"""`bench devices`: what each device is, and whether it can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bench.cli.options import DEVICES, AsJson, DeviceNames, DevicesFile, devices_text

if TYPE_CHECKING:
    from bench.devices.survey import DeviceState


def add_to(app: typer.Typer) -> None:
    @app.command()
    def devices(device: DeviceNames = None, devices_file: DevicesFile = DEVICES, as_json: AsJson = False) -> None:
        """Show the devices: state, system, processor, memory, temperature, Python and runtimes."""
        import json
        from dataclasses import asdict

        from bench.config.load import parse_devices
        from bench.config.select import named_devices
        from bench.devices.survey import survey
        from bench.errors import EXIT_INCOMPLETE
        from bench.transports.text import printable

        states = survey(named_devices(parse_devices(devices_text(devices_file), devices_file), device or []))
        if as_json:
            print(json.dumps([asdict(state) for state in states], indent=2))
        else:
            print(printable("\n\n".join(_text(state) for state in states).encode(), 1 << 20))
        if any(state.error for state in states):
            raise typer.Exit(EXIT_INCOMPLETE)


def _text(state: DeviceState) -> str:
    from bench import units

    head = f"{state.name}  [{state.transport}]  {state.state}"
    if state.error:
        return "\n".join([head, f"  {state.error}", *([f"  {state.hint}"] if state.hint else [])])
    facts = state.facts
    clocks = sorted(set(facts["max_clocks_mhz"]))
    temperature = facts["temperature_c"]
    rows = {
        "system": f"{facts['os']}, kernel {facts['kernel']}, {facts['arch']}, {facts['libc'] or 'libc unknown'}",
        "processor": f"{facts['soc'] or 'unknown'}, {facts['cores']} cores"
                     + (f", at most {'/'.join(map(str, clocks))} MHz" if clocks else ", maximum clocks not told"),
        "cpu flags": " ".join(facts["cpu_flags"]) or "not told",
        "memory": f"{units.mebibytes(facts['memory_bytes'])} MiB",
        "free disk": f"{units.mebibytes(facts['disk_free_bytes'])} MiB",
        "temperature": "not told" if temperature is None else f"{temperature:.1f} C",
        "python": facts["python"],
        "runtimes": ", ".join(state.runtimes.values()) or "none found",
    }
    if facts["emulated"]:
        rows["emulated"] = "yes: its timings say nothing about a real device"
    return "\n".join([head, *(f"  {name:<12}{value}" for name, value in rows.items())])
