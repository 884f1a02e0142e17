"""One connection to the adb server, spoken in its own protocol ("smart sockets").

adbutils is not used for this: its calls open connections without a time limit, wait per byte rather than by a wall
clock, and drop what a phone says of a failure. Here each wait has a deadline, and every answer is read whole.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress

from bench.deadline import Deadline
from bench.errors import InfrastructureError
from bench.transports.text import printable

CHUNK = 1 << 18
LONGEST_REQUEST = 0xFFFF
"""Bytes: a request's length is told in four hexadecimal digits."""
LONGEST_FAILURE = 4096
"""Bytes of a phone's own words."""


class Refused(Exception):
    """The server, or the phone, said no; the reason in its own words."""


class Wire:
    """A socket whose waits all end: with data, with an error, or at a deadline.

    One thread may send while another receives. Raises OSError or EOFError for a lost connection, DeadlineExceeded.
    """

    def __init__(self, sock: socket.socket, where: str) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._where = where

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def send(self, data: bytes | memoryview, deadline: Deadline, doing: str) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            deadline.check(f"{self._where}: {doing}")
            try:
                view = view[self._socket.send(view):]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline, doing)

    def receive(self, deadline: Deadline | None, doing: str, size: int = CHUNK) -> bytes:
        """The next bytes, at least one; b"" at the end. Without a deadline, the wait ends with `shut` at the latest."""
        while True:
            try:
                return self._socket.recv(size)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline, doing)

    def exactly(self, size: int, deadline: Deadline, doing: str) -> bytes:
        """So many bytes."""
        data = bytearray()
        while len(data) < size:
            more = self.receive(deadline, doing, size - len(data))
            if not more:
                raise EOFError("the connection was closed")
            data += more
        return bytes(data)

    def heard(self) -> bool:
        """Whether something, or the end, can be received without waiting."""
        return bool(self._poll(select.POLLIN, 0.0))

    def request(self, service: str, deadline: Deadline, doing: str) -> None:
        """Ask for a service and wait until it is granted. Raises Refused, InfrastructureError (no adb server)."""
        data = service.encode("utf-8", "surrogateescape")
        if len(data) > LONGEST_REQUEST:
            raise ValueError(f"over adb a command line is at most {LONGEST_REQUEST} bytes; push a file instead")
        self.send(b"%04x" % len(data) + data, deadline, doing)
        status = self.exactly(4, deadline, doing)
        if status == b"FAIL":
            raise Refused(self.text(deadline, doing)[:LONGEST_FAILURE])
        if status != b"OKAY":
            raise self._no_server(status)

    def text(self, deadline: Deadline, doing: str) -> str:
        """A text that is told with its length, made fit to show."""
        digits = self.exactly(4, deadline, doing)
        try:
            size = int(digits, 16)
        except ValueError as error:
            raise self._no_server(digits) from error
        return printable(self.exactly(size, deadline, doing), size)

    def shut(self) -> None:
        """End the connection; who waits for it, in any thread, wakes up. Never raises."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back. Never raises."""
        self.shut()
        self._socket.close()

    def _wait(self, event: int, deadline: Deadline | None, doing: str) -> None:
        """Return when the socket is ready, or closed."""
        while not self._poll(event, None if deadline is None else deadline.check(f"{self._where}: {doing}")):
            pass

    def _poll(self, event: int, seconds: float | None) -> bool:
        number = self._socket.fileno()
        if number < 0:
            raise EOFError("the connection was closed")
        poll = select.poll()
        poll.register(number, event)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def _no_server(self, said: bytes) -> InfrastructureError:
        return InfrastructureError(f"{self._where}: what answers there is no adb server: it said {said!r}",
                                   hint="is another program on the adb server's port? see ANDROID_ADB_SERVER_PORT")
