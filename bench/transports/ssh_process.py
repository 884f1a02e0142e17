"""A command that runs at the other end of an SSH link."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, InfrastructureError
from bench.transports.announced import Announced
from bench.transports.quoting import command_line
from bench.transports.scripts import KILL
from bench.transports.ssh_link import LINK_ERRORS, Link
from bench.transports.text import printable

CHUNK = 1 << 18
SEND_LIMIT_S = 30.0
CLOSE_GRACE_S = 2.0
KILL_LIMIT_S = 3.0
ANNOUNCE_LIMIT_S = 1.0


class SshProcess:
    """One session. Closing a session does not end its process, so the shell tells its number first, to kill it by."""

    def __init__(self, link: Link, line: str, wrap: Callable[[str, str], str], deadline: Deadline,
                 stderr_limit: int = 4096) -> None:
        """Start `line`, wrapped by `replacing_shell` or `below_shell` of quoting.py."""
        self._link = link
        self._errors = Announced(stderr_limit)
        self._closed = False
        self._channel = link.session(wrap(line, self._errors.marker), deadline)
        self._drain = threading.Thread(target=self._read_stderr, daemon=True)
        self._drain.start()

    def send(self, data: bytes) -> None:
        doing = "sending to a command"
        deadline = Deadline(SEND_LIMIT_S)
        if self._channel.exit_status != -1 or (self._channel.closed and self._link.transport.is_active()):
            raise InfrastructureError(f"{self._link.where}: the command takes no more input: it ended")
        with self._link.bounded(deadline, doing, self._channel):
            self._link.send(self._channel, data, deadline, doing)

    def end_input(self) -> None:
        """Close its standard input."""
        with suppress(*LINK_ERRORS):
            self._link.end_input(self._channel)

    def receive(self, deadline: Deadline) -> bytes:
        return self._link.receive(self._channel, CHUNK, deadline, "waiting for a command's output")

    def wait(self, deadline: Deadline) -> int:
        """Its exit code; 128 + N when signal N ended it. Raises DeadlineExceeded, InfrastructureError (link lost)."""
        return self._link.exit_code(self._channel, deadline, "waiting for a command's end")

    def stderr(self) -> bytes:
        """What is kept of its standard error; all that it wrote once it has ended."""
        if self._channel.eof_received or self._channel.closed:
            self._drain.join(0.5)
        return self._errors.value()

    def stderr_tail(self) -> str:
        return printable(self.stderr())

    def close(self) -> None:
        self.end(CLOSE_GRACE_S)

    def end(self, grace_s: float) -> None:
        """Like `close`, with another time to wait before the kill."""
        if self._closed:
            return
        self._closed = True
        limit = Deadline(grace_s + KILL_LIMIT_S)
        with suppress(BenchError), self._link.bounded(limit, "ending a command", self._channel):
            self._link.end_input(self._channel)
            if not self._ends_within(grace_s):
                self._kill()
            self._channel.close()
        self._drain.join(0.5)

    def _ends_within(self, seconds: float) -> bool:
        """Whether the process is known to have ended; a session that a deadline closed says nothing about that."""
        if not self._channel.status_event.wait(seconds):
            return False
        return self._channel.exit_status != -1 or bool(self._channel.eof_received)

    def _kill(self) -> None:
        pid = self._errors.pid(ANNOUNCE_LIMIT_S)
        if pid is None or not self._link.transport.is_active():
            return
        line = command_line(["sh", "-c", KILL, "bench", str(pid)])
        deadline = Deadline(KILL_LIMIT_S)
        channel = self._link.session(line, deadline)
        with suppress(DeadlineExceeded):
            self._link.exit_code(channel, deadline, "ending a command")
        channel.close()

    def _read_stderr(self) -> None:
        while True:
            try:
                data = self._channel.recv_stderr(CHUNK)
            except TimeoutError:
                continue
            if not data:
                break
            self._errors.add(data)
        self._errors.end()
