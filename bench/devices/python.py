"""Which Python runs the agent on a device, put there where it has to be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bench.bundles.layers import Bundle
from bench.config.devices import DeviceConfig
from bench.devices.bundle import deploy
from bench.errors import ConfigError
from bench.transports.base import Transport


@dataclass(frozen=True)
class ReadyPython:
    """A Python that starts on the device, as a command, and what putting it there took."""

    command: str
    pushed_bytes: int = 0


def ready_python(transport: Transport, device: DeviceConfig, bundle: Bundle | None, runtimes: Collection[str],
                 tell: Callable[[str], None] = lambda _: None) -> ReadyPython:
    """The configured one, else this very one (local) or `python3`; where a device brings none, the bundle's.

    Of the bundle only the layers that `runtimes` need are pushed. Raises ConfigError (no bundle has been built) and
    what `deploy` raises.
    """
    if not device.brings_python:
        return ReadyPython(python_of(device))
    if bundle is None:
        raise ConfigError("the device has no Python of its own to use, and no bundle has been built for it",
                          hint="bench bundle build")
    deployed = deploy(transport, device.folder, bundle.for_runtimes(runtimes), tell)
    return ReadyPython(deployed.python, deployed.pushed_bytes)


def python_of(device: DeviceConfig) -> str:
    """The command of a Python that is there already: the configured one, else this very one (local) or `python3`."""
    return device.python or (sys.executable if device.transport == "local" else "python3")
