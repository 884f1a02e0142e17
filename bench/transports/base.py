"""The narrow way to a device: five verbs, each with a deadline. Remote paths are absolute or start with `~/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.deadline import Deadline
from bench.errors import DeviceError

LARGEST_OUTPUT = 64 << 20
"""Bytes of standard output that `run` takes; a file is the way for more."""
LARGEST_FILE = 4 << 30
"""Bytes that `pull` takes where it is not told how many to expect."""
STALL_LIMIT_S = 120.0
"""A device may be silent for so long within a copy: what hashing some gigabytes takes."""
STDERR_OF_RUN = 1 << 20
"""Bytes of standard error that `run` keeps: the last ones."""


@dataclass(frozen=True)
class Completed:
    """A command that ran to its end on the device. 128 + N as `returncode` means that signal N ended it."""

    returncode: int
    stdout: bytes
    stderr: bytes


class RemoteProcess(Protocol):
    """A running command on the device, spoken to over its standard streams."""

    def send(self, data: bytes) -> None:
        """Write all of `data` to its standard input. Raises InfrastructureError: link or process gone, 30 s unread."""

    def receive(self, deadline: Deadline) -> bytes:
        """The next bytes of its standard output, at least one; b"" at its end. Raises DeadlineExceeded."""

    def stderr_tail(self) -> str:
        """The last 4 KiB it wrote to standard error, control characters made visible."""

    def close(self) -> None:
        """Close its standard input, wait 2 s for it to end, then kill it. Idempotent; never raises."""


class Transport(Protocol):
    """Push, pull, run, start, close."""

    def push(self, local: Path, remote: str, deadline: Deadline) -> int:
        """Copy a file to `remote`: to a `.part` beside it, sha256 checked, renamed. Bytes sent: 0 if it was there.

        Folders are made as needed. Raises DeviceError (disk full, not writable, hash differs), InfrastructureError.
        """

    def pull(self, remote: str, local: Path, deadline: Deadline, most: int = LARGEST_FILE) -> None:
        """Copy a file of at most `most` bytes from the device, through a temporary name.

        Raises DeviceError: it is not there, no regular file (a pipe or a device has no end), too large, or grows.
        """

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        """Run a command to its end, its standard input empty; past the deadline it is killed.

        Raises DeadlineExceeded, InfrastructureError (link lost); never for an exit code.
        """

    def start(self, argv: Sequence[str], deadline: Deadline, env: Mapping[str, str] | None = None) -> Command:
        """Start a command whose standard streams stay open."""

    def close(self) -> None:
        """Give the link back. Idempotent; never raises."""


class Command(RemoteProcess, Protocol):
    """A running command that can be waited for."""

    def end_input(self) -> None:
        """Close its standard input. Never raises."""

    def wait(self, deadline: Deadline) -> int:
        """Its exit code; 128 + N when signal N ended it. Raises DeadlineExceeded, InfrastructureError (link lost)."""

    def stderr(self) -> bytes:
        """What is kept of its standard error; all that it wrote once it has ended."""

    def end(self, grace_s: float) -> None:
        """Like `close`, with another time to wait before the kill."""


def complete(command: Command, deadline: Deadline) -> Completed:
    """Wait for a command's end, its input closed, and for its output; it is killed on any error. Raises as `run`."""
    try:
        command.end_input()
        stdout = collect(command, deadline)
        return Completed(command.wait(deadline), stdout, command.stderr())
    finally:
        command.end(grace_s=0)


def next_sign(deadline: Deadline) -> Deadline:
    """By when the other end of a copy must have moved on: a device that is frozen is not waited for to the end."""
    return deadline.sooner(STALL_LIMIT_S)


def collect(process: RemoteProcess, deadline: Deadline) -> bytes:
    """All of a process's standard output. Raises DeviceError above `LARGEST_OUTPUT`, and what `receive` raises."""
    output = bytearray()
    while data := process.receive(deadline):
        output += data
        if len(output) > LARGEST_OUTPUT:
            raise DeviceError(f"a command wrote more than {LARGEST_OUTPUT >> 20} MiB to its standard output")
    return bytes(output)
