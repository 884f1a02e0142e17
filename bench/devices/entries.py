"""What was found, as entries of devices.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.devices.discover import Found
from bench.transports.files import whole_file

_HEAD: Final = """\
# The devices, and how each is reached. What else can be said of a device: bench schema devices
version: 1
devices:
"""


def entries_text(found: Iterable[Found]) -> str:
    """The lines that stand below `devices:`."""
    return "".join(line + "\n" for kind in ("local", "adb", "ssh")
                   for line in _lines(kind, [one for one in found if one.transport == kind]))


def write_file(path: Path, found: Sequence[Found]) -> None:
    """A devices.yaml with these, whole or not at all. Raises InfrastructureError when it cannot be written."""
    with whole_file(path) as file:
        file.write((_HEAD + entries_text(found)).encode())


def _lines(kind: str, found: Sequence[Found]) -> list[str]:
    if kind == "local":
        return [f"  {one.name}: {{local: {{}}}}" for one in found]
    if kind == "adb":
        return [line for one in found for line in _phone(one)]
    notes = ["", "  # The hosts of ~/.ssh/config: delete those that are no devices."] if found else []
    return notes + [f"  {one.name}: {{ssh: {{host: {_quoted(one.address)}}}}}" for one in found]


def _phone(one: Found) -> list[str]:
    about = f"{one.state}: {one.remedy}" if one.remedy else one.model
    comment = [f"  # {_comment(about)}"] if about else []
    return ["", *comment, f"  {one.name}: {{adb: {{serial: {_quoted(one.address)}}}}}"]


def _quoted(text: str) -> str:
    """Printable text as a YAML string: JSON's are such strings."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    """What a phone said of itself, on one line that YAML can read."""
    return "".join(char if char.isprintable() else " " for char in text)[:200]
