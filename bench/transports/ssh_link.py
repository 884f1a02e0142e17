"""An SSH connection that is up: bounded waits, and sessions on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import paramiko

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.quoting import for_any_shell

TICK_S = 0.2
"""How often a wait for the link looks at its deadline. Data ends a wait at once."""
FORCE_AFTER_S = 1.0
PACKET = 1 << 15
"""Bytes. The largest that OpenSSH takes in one message."""

LINK_ERRORS = (paramiko.SSHException, OSError, EOFError)


@dataclass(frozen=True)
class Link:
    """A logged-in connection, and how to name it in errors."""

    transport: paramiko.Transport
    where: str

    def lost(self, doing: str) -> InfrastructureError:
        """The error for a link that dropped."""
        return InfrastructureError(f"{self.where}: the SSH link dropped ({doing})",
                                   hint="check the device's power and network, then run again with --resume")

    @contextmanager
    def bounded(self, deadline: Deadline, doing: str, channel: paramiko.Channel | None = None) -> Iterator[None]:
        """Turns the link's errors into ours, and ends waits that paramiko does not bound.

        Past the deadline the channel is closed, and where not even that gets through, the whole link.
        """
        deadline.check(f"{self.where}: {doing}")
        finished = threading.Event()
        threading.Thread(target=self._watch, args=(finished, deadline, channel), daemon=True).start()
        try:
            yield
        except LINK_ERRORS as error:
            if deadline.passed():
                raise DeadlineExceeded(f"{self.where}: {doing}: no answer within {deadline.seconds:g} s") from error
            if isinstance(error, paramiko.ChannelException) and self.transport.is_active():
                raise InfrastructureError(f"{self.where}: the server refused another session ({error.text})",
                                          hint="raise MaxSessions in the device's /etc/ssh/sshd_config") from error
            raise self.lost(doing) from error
        finally:
            finished.set()

    def _watch(self, finished: threading.Event, deadline: Deadline, channel: paramiko.Channel | None) -> None:
        if finished.wait(deadline.left()):
            return
        if channel is not None:
            threading.Thread(target=_close_quietly, args=(channel,), daemon=True).start()
        if not finished.wait(FORCE_AFTER_S):
            self.transport.close()

    def session(self, line: str, deadline: Deadline) -> paramiko.Channel:
        """A new session that runs a line of `sh`, whatever the account's login shell is."""
        doing = "starting a command"
        with self.bounded(deadline, doing):
            channel = self.transport.open_session(timeout=max(deadline.left(), 0.001))
        channel.settimeout(TICK_S)
        with self.bounded(deadline, doing, channel):
            channel.exec_command(for_any_shell(line))
        return channel

    def send(self, channel: paramiko.Channel, data: bytes | memoryview, deadline: Deadline, doing: str) -> None:
        """Send all of it; the caller has bounded the block. Raises LINK_ERRORS, DeadlineExceeded."""
        view = memoryview(data)
        while view:
            try:
                sent = channel.send(bytes(view[:PACKET]))
            except TimeoutError:
                deadline.check(f"{self.where}: {doing}")
                continue
            if sent == 0:
                raise EOFError
            view = view[sent:]

    def end_input(self, channel: paramiko.Channel) -> None:
        """Tell the far end that no more input comes, unless the channel is closed. Raises LINK_ERRORS.

        paramiko's own `shutdown_write` sends after it has let go of the channel's lock. When the command ends in
        between, the end of input follows the close, and OpenSSH drops the whole connection for it.
        """
        transport: Any = self.transport
        inner: Any = channel
        with inner.lock:
            message = None if inner.closed else inner._send_eof()
            if message is not None:
                transport._send_user_message(message)

    def receive(self, channel: paramiko.Channel, size: int, deadline: Deadline, doing: str) -> bytes:
        """At least one byte of its standard output, or b"" at a true end. Raises InfrastructureError when cut."""
        while True:
            try:
                data = channel.recv(size)
            except TimeoutError:
                deadline.check(f"{self.where}: {doing}")
                continue
            if data or channel.eof_received or channel.exit_status != -1:
                return data
            deadline.check(f"{self.where}: {doing}")
            raise self.lost(doing)

    def exit_code(self, channel: paramiko.Channel, deadline: Deadline, doing: str) -> int:
        """The command's exit code; -1 when the server told none because a signal ended it."""
        while not channel.status_event.wait(min(TICK_S, max(deadline.left(), 0.001))):
            deadline.check(f"{self.where}: {doing}")
        if channel.exit_status == -1:
            # A cut closes the channels first and the transport a moment later.
            self.transport.join(TICK_S)
            if not self.transport.is_active():
                raise self.lost(doing)
        return channel.exit_status


def _close_quietly(channel: paramiko.Channel) -> None:
    with suppress(*LINK_ERRORS):
        channel.close()
