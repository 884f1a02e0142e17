"""Reach an SSH server through a command: ProxyCommand, or the `ssh -W` of ProxyJump."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.quoting import for_people
from bench.transports.ssh_lookup import NO_PROMPTS, in_one_line
from bench.transports.text import Tail

LAST_WORDS = 1024
"""Bytes of the command's standard error that are kept."""


@dataclass(frozen=True)
class Proxy:
    """A proxy command, and the connection that it gives."""

    socket: socket.socket
    errors: Tail
    reader: threading.Thread

    def last_words(self) -> str:
        """What it wrote to standard error, in one line, once it has ended; "" for nothing."""
        self.reader.join(0.5)
        return in_one_line(self.errors.value())


def start_proxy(argv: Sequence[str], where: str, hands_over: bool, deadline: Deadline) -> Proxy:
    """Start the command. Its standard streams are the connection, unless it `hands_over` one and ends.

    Raises InfrastructureError, DeadlineExceeded.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.PIPE,
                                     env={**os.environ, **NO_PROMPTS}, start_new_session=True)
        except OSError as error:
            ours.close()
            missing = "install OpenSSH's client, or " if argv[0] == "ssh" else ""
            raise InfrastructureError(f"{where}: cannot start the proxy command {for_people(argv)}: {error.strerror}",
                                      hint=f"{missing}correct ProxyCommand or ProxyJump in ~/.ssh/config") from error
    assert child.stderr is not None
    errors = Tail(LAST_WORDS)
    reader = threading.Thread(target=_read, args=(child, child.stderr, errors), daemon=True)
    reader.start()
    proxy = Proxy(ours, errors, reader)
    return Proxy(_handed_over(proxy, where, deadline), errors, reader) if hands_over else proxy


def _handed_over(proxy: Proxy, where: str, deadline: Deadline) -> socket.socket:
    """The connection that the command passes through its standard output (ProxyUseFdpass)."""
    with proxy.socket as channel:
        channel.settimeout(max(deadline.left(), 0.001))
        try:
            numbers = socket.recv_fds(channel, 1, 1)[1]
        except TimeoutError as error:
            raise DeadlineExceeded(f"{where}: the proxy command handed over no connection within "
                                   f"{deadline.seconds:g} s") from error
        except OSError:
            numbers = []
    if not numbers:
        raise InfrastructureError(f"{where}: the proxy command handed over no connection"
                                  f"{': ' if (said := proxy.last_words()) else ''}{said}",
                                  hint="correct ProxyCommand in ~/.ssh/config, or leave out ProxyUseFdpass")
    made = socket.socket(fileno=numbers[0])
    with suppress(OSError):  # it may be no TCP connection
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _read(child: subprocess.Popen[bytes], stream: IO[bytes], errors: Tail) -> None:
    """Keep its last words, and leave no zombie behind."""
    with stream:
        while data := os.read(stream.fileno(), LAST_WORDS):
            errors.add(data)
    child.wait()
