"""`bench devices`: what each device is, and whether it can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from bench.cli.options import DEVICES, AsJson, DeviceNames, DevicesFile, devices_text

if TYPE_CHECKING:
    from bench.devices.survey import DeviceState

WIDTH = 118
_THERMAL = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")


def add_to(app: typer.Typer) -> None:
    @app.command()
    def devices(device: DeviceNames = None, devices_file: DevicesFile = DEVICES, as_json: AsJson = False) -> None:
        """Show the devices: state, system, processor, memory, battery, temperature, Python and runtimes.

        Phones that are attached and not in devices.yaml are named at the end.
        """
        import json
        from dataclasses import asdict

        from bench.config.load import parse_devices
        from bench.config.select import named_devices
        from bench.devices.survey import survey, unlisted
        from bench.errors import EXIT_INCOMPLETE
        from bench.transports.text import printable

        config = parse_devices(devices_text(devices_file), devices_file)
        states = survey(named_devices(config, device or []))
        others = () if device else unlisted(config)
        if as_json:
            print(json.dumps([asdict(state) for state in (*states, *others)], indent=2))
        else:
            texts = [*map(_text, states), *(str(other.hint) for other in others)]
            print(printable("\n\n".join(texts), 1 << 20))
        if any(state.error for state in states):
            raise typer.Exit(EXIT_INCOMPLETE)


def _text(state: DeviceState) -> str:
    lines = [f"{state.name}  [{state.transport}]  {state.state}"]
    lines += [f"  {text}" for text in (state.error, state.hint) if text]
    rows = _rows(state) if state.facts else {}
    if state.facts and not state.error:
        lacking = "none" if state.bundle else f"none found: bench provision -d {state.name}"
        rows |= {"bundle": state.bundle} if state.bundle else {}
        rows["python"] = state.facts["python"] and _joined(state.facts["python"], _libc(state, of_python=True))
        rows["runtimes"] = ", ".join(state.runtimes.values()) or lacking
    return "\n".join([*lines, *(_row(name, value) for name, value in rows.items() if value)])


def _row(name: str, value: str) -> str:
    import textwrap

    return textwrap.fill(value, WIDTH, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14,
                         break_long_words=False, break_on_hyphens=False)


def _joined(*texts: str | None) -> str:
    return ", ".join(text for text in texts if text)


def _libc(state: DeviceState, *, of_python: bool) -> str | None:
    """The C library, said of the system, or of a Python that brings its own."""
    if of_python != bool(state.bundle):
        return None
    return state.facts["libc"] or (None if state.facts.get("android") else "libc unknown")


def _rows(state: DeviceState) -> dict[str, str | None]:
    from bench import units

    facts, conditions = state.facts, state.conditions
    clocks = sorted(set(facts["max_clocks_mhz"] or ()))
    temperature = facts["temperature_c"]
    phone = facts.get("android") or {}
    status = conditions.get("thermal_status")
    return {
        "model": " ".join(text for text in (phone.get("manufacturer"), phone.get("model")) if text),
        "system": _joined(facts["os"], facts["kernel"] and f"kernel {facts['kernel']}", facts["arch"],
                          _libc(state, of_python=False)),
        "abis": ", ".join(phone.get("abis") or ()),
        "processor": f"{facts['soc'] or 'unknown'}, {facts['cores'] or 'unknown'} cores"
                     + (f", at most {'/'.join(map(str, clocks))} MHz" if clocks else ", maximum clocks not told"),
        "cpu flags": " ".join(facts["cpu_flags"] or ()) or "not told",
        "memory": f"{units.mebibytes(facts['memory_bytes'])} MiB",
        "free disk": f"{units.mebibytes(facts['disk_free_bytes'])} MiB",
        "battery": _battery(conditions.get("battery")),
        "temperature": "not told" if temperature is None else f"{temperature:.1f} C",
        "throttling": None if status is None else _THERMAL[status] if status < len(_THERMAL) else str(status),
        "not clear": "; ".join(facts.get("problems") or ()),
        "emulated": "yes: its timings say nothing about a real device" if facts["emulated"] else None,
    }


def _battery(state: dict[str, Any] | None) -> str | None:
    if state is None:
        return None
    told, level = state.get("charging"), state.get("level_percent")
    charging = "" if told is None else ", charging" if told else ", not charging"
    source = f" by {state['source']}" if told and state.get("source") else ""
    faked = "; the values are faked: dumpsys battery reset" if state.get("faked") else ""
    return f"{'unknown' if level is None else f'{level} %'}{charging}{source}{faked}"
