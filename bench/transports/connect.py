"""From a device of devices.yaml to the transport that reaches it."""

from __future__ import annotations

from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.errors import ConfigError
from bench.transports.base import Transport


def connect(name: str, device: DeviceConfig, deadline: Deadline) -> Transport:
    """An open transport; the caller closes it.

    Raises ConfigError, InfrastructureError (no way there, host key, log-in refused, a phone that is not ready),
    DeviceError (a phone too old) and DeadlineExceeded.
    """
    if device.local is not None:
        from bench.transports.local import LocalTransport

        return LocalTransport()
    if device.ssh is not None:
        from bench.transports.ssh import SshTransport

        return SshTransport(name, device.ssh, deadline)
    if device.adb is not None:
        from bench.transports.adb import AdbTransport

        return AdbTransport(name, device.adb, deadline)
    raise ConfigError(f"device {name!r} has no transport", hint="write `local:`, `ssh:` or `adb:`")
