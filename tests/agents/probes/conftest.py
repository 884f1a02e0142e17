"""A phone's own commands on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.agents.probes import android
from tests.fakes.phone_answers import BATTERY, PIXEL_8_PRO, POWER_ON, THERMAL_S22


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes this machine answer as Android does; gives back the folder of its commands, with the log of `calls`.

    What is not told is a phone in good order; `None` is a service that hangs.
    """
    folder = tmp_path / "bin"
    monkeypatch.setattr(android, "BIN", str(folder))

    def make(properties: str | None = PIXEL_8_PRO, battery: str | None = BATTERY, thermal: str | None = THERMAL_S22,
             power: str | None = POWER_ON, low_power: str | None = "0\n") -> Path:
        folder.mkdir(exist_ok=True)
        for name, said in {"getprop.txt": properties, "battery.txt": battery, "thermalservice.txt": thermal,
                           "power.txt": power, "low_power.txt": low_power}.items():
            (folder / name).unlink(missing_ok=True)
            if said is not None:
                (folder / name).write_text(said)
        for name, file in {"getprop": "getprop.txt", "dumpsys": "$1.txt", "settings": "$3.txt"}.items():
            (folder / name).write_text(f"#!/bin/sh\ncd {folder}\necho {name} $1 >> calls\n"
                                       f'[ -e "{file}" ] || exec sleep 600\nexec cat "{file}"\n')
            (folder / name).chmod(0o755)
        return folder
    return make
