"""Which Python runs the agent on a device."""

from __future__ import annotations

import sys

from bench.config.devices import DeviceConfig


def python_of(device: DeviceConfig) -> str:
    """The configured one, else this very one (local) or `python3`."""
    return device.python or (sys.executable if device.transport == "local" else "python3")
