"""A board reached over SSH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.transports import ssh_files
from bench.transports.base import LARGEST_FILE, STDERR_OF_RUN, Completed, complete
from bench.transports.quoting import below_shell, command_line, replacing_shell
from bench.transports.ssh_connect import open_link
from bench.transports.ssh_process import SshProcess


class SshTransport:
    """Implements `Transport` over one SSH connection. Safe to use from several threads at once.

    The account's login shell may be any that knows `exec` and single quotes (sh, bash, zsh, fish, csh, tcsh ...): it
    gives way to `sh`.
    """

    def __init__(self, device: str, config: SshConfig, deadline: Deadline) -> None:
        """Connect and log in. Raises ConfigError, InfrastructureError (host key, refused, no such host)."""
        self._link = open_link(device, config, deadline)

    def push(self, local: Path, remote: str, deadline: Deadline) -> int:
        return ssh_files.push(self._link, local, remote, deadline)

    def pull(self, remote: str, local: Path, deadline: Deadline, most: int = LARGEST_FILE) -> None:
        ssh_files.pull(self._link, remote, local, deadline, most)

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        return complete(SshProcess(self._link, command_line(argv), below_shell, deadline, STDERR_OF_RUN), deadline)

    def start(self, argv: Sequence[str], deadline: Deadline, env: Mapping[str, str] | None = None) -> SshProcess:
        return SshProcess(self._link, command_line(argv, env), replacing_shell, deadline)

    def close(self) -> None:
        self._link.transport.close()
