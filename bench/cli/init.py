"""`bench init`: a devices.yaml from what this machine reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.cli.options import DEVICES, AsJson, DevicesFile

if TYPE_CHECKING:
    from bench.devices.discover import Found, Search


def add_to(app: typer.Typer) -> None:
    @app.command()
    def init(devices_file: DevicesFile = DEVICES, as_json: AsJson = False) -> None:
        """Write devices.yaml: this machine, the phones that adb knows, the hosts of ~/.ssh/config.

        A file that is there already is left as it is: what it lacks is printed, to be pasted into it.
        """
        import sys

        from bench.config.files import read_text
        from bench.config.load import parse_devices
        from bench.devices.discover import missing, search
        from bench.devices.entries import write_file

        there = devices_file.exists()
        config = parse_devices(read_text(devices_file), devices_file) if there else None
        result = search()
        lacking = result.found if config is None else missing(result.found, config)
        if config is None:
            write_file(devices_file, lacking)
        if as_json:
            _print_json(devices_file, result, lacking, written=not there)
            return
        print("\n".join(_shown(note) for note in result.notes), end="\n" if result.notes else "", file=sys.stderr)
        if config is None:
            print(f"{devices_file} written: " + ", ".join(one.name for one in lacking))
            return
        _print_missing(devices_file, result, list(lacking))


def _print_missing(path: Path, result: Search, lacking: list[Found]) -> None:
    from bench.devices.entries import entries_text

    if not lacking:
        print(f"{path} has all that was found: {len(result.found)} devices")
        return
    print(f"# {path} is left as it is. What it lacks, to be pasted below its `devices:`")
    print(entries_text(lacking), end="")


def _print_json(path: Path, result: Search, lacking: tuple[Found, ...] | list[Found], written: bool) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps({"file": str(path), "written": written, "found": [asdict(one) for one in result.found],
                      "missing": [] if written else [asdict(one) for one in lacking],
                      "notes": list(result.notes)}, indent=2))


def _shown(text: str) -> str:
    from bench.transports.text import printable

    return printable(text)
