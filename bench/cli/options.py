"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEVICES = Path("devices.yaml")
STORE = Path("reports/bench.sqlite")

DevicesFile = Annotated[Path, typer.Option("--devices", metavar="FILE", help="The devices.")]
DeviceNames = Annotated[list[str] | None, typer.Option("-d", "--device", metavar="NAME",
                                                       help="Only this device; may be given several times.")]
StorePath = Annotated[Path, typer.Option("--store", metavar="PATH", help="The SQLite file that holds results.")]
Wait = Annotated[str | None, typer.Option("--wait", metavar="TIME", help="How long to wait for a device that another "
                                          "controller uses, such as 10m; without it, not at all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def devices_text(path: Path) -> str:
    """The devices file's text; where there is no devices.yaml and none was named, this machine alone."""
    from bench.config.files import read_text

    if path == DEVICES and not path.exists():
        return "version: 1\ndevices:\n  this-machine: {local: {}}\n"
    return read_text(path)


def wait_seconds(text: str | None) -> float:
    """What --wait says in seconds, 0 where it was not given. Raises ConfigError."""
    from bench.config.quantities import parse_duration
    from bench.errors import ConfigError

    try:
        return 0.0 if text is None else parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--wait: {error}") from None


def runtime_names(text: str) -> list[str]:
    """The runtimes of a list such as onnxruntime,tflite, each once. Raises ConfigError for others, and for none."""
    from bench.errors import ConfigError
    from bench.words import RUNTIMES, nearest

    names = [word.strip() for word in text.split(",") if word.strip()]
    for name in names:
        if name not in RUNTIMES:
            raise ConfigError(f"--runtimes: no runtime {name!r}{nearest(name, RUNTIMES)}")
    if not names:
        raise ConfigError(f"--runtimes: wanted names such as onnxruntime,tflite, found {text!r}")
    return list(dict.fromkeys(names))
