"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEVICES = Path("devices.yaml")
STORE = Path("reports/bench.sqlite")

DevicesFile = Annotated[Path, typer.Option("--devices", metavar="FILE", help="The devices; default devices.yaml.")]
DeviceNames = Annotated[list[str] | None, typer.Option("-d", "--device", metavar="NAME",
                                                       help="Only this device; may be given several times.")]
StorePath = Annotated[Path, typer.Option("--store", metavar="PATH", help="The SQLite file that holds results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
