"""The keys that an ssh-agent holds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob

from bench.deadline import Deadline

_NO_SIGNATURE = b"\0\0\0\4none\0\0\0\0"
"""What no server takes: it refuses the key, and the next one is tried."""


class HeldKey(AgentKey):
    """A key that signs in the agent. `certificate` is shown instead of the public key, where there is one."""

    def __init__(self, key: AgentKey, certificate: bytes | None = None) -> None:
        super().__init__(key.agent, key.blob, key.comment)
        self.refused = False
        """Whether the agent would not sign."""
        if certificate is not None:
            shown: Any = PublicBlob(paramiko.Message(certificate).get_text(), certificate)
            self.public_blob = shown

    def asbytes(self) -> bytes:
        """The public key by which the agent knows it: of a certificate alone, the certificate."""
        return bytes(self.blob)

    def sign_ssh_data(self, data: Any, algorithm: str | None = None) -> Any:
        """The agent's signature. An agent that refuses ends the attempt with this key, not the connection."""
        try:
            return super().sign_ssh_data(data, algorithm)
        except (paramiko.SSHException, OSError):
            self.refused = True
            return _NO_SIGNATURE


@contextmanager
def keys_of_agent(path: Path | None, deadline: Deadline) -> Iterator[list[AgentKey]]:
    """The keys of the agent that listens at `path`, in its order; none where nothing answers there as an agent."""
    if path is None:
        yield []
        return
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(max(deadline.left(), 0.001))
        try:
            connection.connect(str(path))
            agent: Any = AgentSSH()  # paramiko's own Agent knows SSH_AUTH_SOCK only
            agent._connect(connection)
            keys = list(agent.get_keys())
        except (OSError, paramiko.SSHException, ValueError):
            keys = []
        yield keys
