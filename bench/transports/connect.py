"""From a device of devices.yaml to the transport that reaches it."""

from __future__ import annotations

from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.errors import ConfigError
from bench.transports.base import Transport


def connect(name: str, device: DeviceConfig, deadline: Deadline) -> Transport:
    """An open transport; the caller closes it.

    Raises ConfigError, InfrastructureError (no way there, host key, log-in refused) and DeadlineExceeded.
    """
    if device.local is not None:
        from bench.transports.local import LocalTransport

        return LocalTransport()
    if device.ssh is not None:
        from bench.transports.ssh import SshTransport

        return SshTransport(name, device.ssh, deadline)
    raise ConfigError(f"device {name!r}: adb devices are not supported by this version",
                      hint="reach it by `ssh:`, or leave it out with -d")
