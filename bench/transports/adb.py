"""A phone reached over ADB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.config.devices import AdbConfig
from bench.deadline import Deadline
from bench.transports import adb_files
from bench.transports.adb_link import open_link
from bench.transports.adb_process import AdbProcess
from bench.transports.base import LARGEST_FILE, STDERR_OF_RUN, Completed, complete
from bench.transports.quoting import command_line


class AdbTransport:
    """Implements `Transport` through the adb server. Safe to use from several threads: each call has its own socket."""

    def __init__(self, device: str, config: AdbConfig, deadline: Deadline) -> None:
        """Find the phone, starting an adb server if need be. Raises ConfigError, DeviceError, InfrastructureError."""
        self._link = open_link(device, config, deadline)

    def push(self, local: Path, remote: str, deadline: Deadline) -> int:
        return adb_files.push(self._link, local, remote, deadline)

    def pull(self, remote: str, local: Path, deadline: Deadline, most: int = LARGEST_FILE) -> None:
        adb_files.pull(self._link, remote, local, deadline, most)

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        return complete(AdbProcess(self._link, command_line(argv), deadline, STDERR_OF_RUN), deadline)

    def start(self, argv: Sequence[str], deadline: Deadline, env: Mapping[str, str] | None = None) -> AdbProcess:
        return AdbProcess(self._link, command_line(argv, env), deadline)

    def close(self) -> None:
        """Nothing to give back: the adb server keeps the phone."""
