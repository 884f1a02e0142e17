"""A command that runs on a phone: adb's shell protocol 2, which keeps the streams apart and tells the exit code."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, InfrastructureError
from bench.transports.adb_link import Link
from bench.transports.announced import Announced
from bench.transports.quoting import command_line, replacing_shell
from bench.transports.scripts import KILL
from bench.transports.text import printable

SHELL = "shell,v2,raw:"
"""The service; the command line follows it."""
PACKET = struct.Struct("<BI")
STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
LARGEST_PACKET = 1 << 16
"""Bytes that are sent in one packet."""
UNREAD_LIMIT = 1 << 20
"""Bytes of standard output that wait to be received; beyond, the command waits."""
SEND_LIMIT_S = 30.0
CLOSE_GRACE_S = 2.0
KILL_LIMIT_S = 3.0
ANNOUNCE_LIMIT_S = 1.0


class AdbProcess:
    """One shell, replaced by its command: when the link drops, adbd hangs up on the shell's process and no other."""

    def __init__(self, link: Link, line: str, deadline: Deadline, stderr_limit: int = 4096,
                 doing: str = "") -> None:
        """Start `line`; `doing` names it in errors. Raises InfrastructureError, DeadlineExceeded."""
        self._link = link
        self._doing = doing
        self._errors = Announced(stderr_limit)
        self._unread = bytearray()
        self._exit: int | None = None
        self._over = False
        """Nothing more comes; without an exit code, the link was lost."""
        self._reason = ""
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._cut_short = False
        self._closed = False
        self._wire = link.open(SHELL + replacing_shell(line, self._errors.marker), deadline,
                               doing or "starting a command")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        deadline = Deadline(SEND_LIMIT_S)
        for start in range(0, len(view), LARGEST_PACKET):
            self._send(STDIN, view[start : start + LARGEST_PACKET], deadline)

    def end_input(self) -> None:
        """Close its standard input."""
        with suppress(BenchError):
            self._send(CLOSE_STDIN, b"", Deadline(KILL_LIMIT_S))

    def receive(self, deadline: Deadline) -> bytes:
        doing = self._doing or "waiting for a command's output"
        with self._changed:
            self._await(lambda: bool(self._unread) or self._over or self._closed, deadline, doing)
            data = bytes(self._unread)
            self._unread.clear()
            self._changed.notify_all()
            if not data and self._exit is None and not self._closed:
                raise self._link.lost(doing, self._reason)
            return data

    def wait(self, deadline: Deadline) -> int:
        """Its exit code; 128 + N when signal N ended it. Raises DeadlineExceeded, InfrastructureError (link lost)."""
        doing = self._doing or "waiting for a command's end"
        with self._changed:
            self._await(lambda: self._over, deadline, doing)
            if self._exit is None:
                raise self._link.lost(doing, self._reason)
            return self._exit

    def stderr(self) -> bytes:
        """What is kept of its standard error; all that it wrote once it has ended."""
        return self._errors.value()

    def stderr_tail(self) -> str:
        return printable(self.stderr())

    def close(self) -> None:
        self.end(CLOSE_GRACE_S)

    def end(self, grace_s: float) -> None:
        """Like `close`, with another time to wait before the kill."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._unread.clear()
            self._changed.notify_all()
        if not self._over:
            self.end_input()
        if not self._ends_within(grace_s):
            with suppress(BenchError):
                self._kill()
        self._wire.shut()
        self._reader.join(0.5)
        self._wire.close()

    def _send(self, kind: int, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send one packet. A packet that was cut short makes all that would follow it unreadable."""
        doing = "sending to a command"
        if not self._sending.acquire(timeout=deadline.left()):
            raise DeadlineExceeded(f"{self._link.where}: {doing}: no answer within {deadline.seconds:g} s")
        try:
            if self._over or self._cut_short:
                raise self._no_input(doing)
            self._cut_short = True
            self._wire.send(b"".join((PACKET.pack(kind, len(data)), data)), deadline, doing)
            self._cut_short = False
        except (OSError, EOFError) as error:
            self._ends_within(ANNOUNCE_LIMIT_S)
            raise self._no_input(doing) from error
        finally:
            self._sending.release()

    def _no_input(self, doing: str) -> InfrastructureError:
        if self._over and self._exit is None:
            return self._link.lost(doing, self._reason)
        ended = "it ended" if self._over else "it did not read what was sent before"
        return InfrastructureError(f"{self._link.where}: the command takes no more input: {ended}")

    def _ends_within(self, seconds: float) -> bool:
        """Whether nothing more comes from it."""
        with self._changed:
            return self._changed.wait_for(lambda: self._over, seconds)

    def _await(self, ready: Callable[[], bool], deadline: Deadline, doing: str) -> None:
        """Return once it is so; the condition is held. Raises DeadlineExceeded, also when it is so, but too late."""
        while True:
            left = deadline.check(f"{self._link.where}: {doing}")
            if self._changed.wait_for(ready, left):
                return

    def _kill(self) -> None:
        pid = self._errors.pid(ANNOUNCE_LIMIT_S)
        if pid is None or self._over:
            return
        doing, deadline = "ending a command", Deadline(KILL_LIMIT_S)
        line = command_line(["sh", "-c", KILL, "bench", str(pid)])
        with self._link.guarded(doing), self._link.open(f"{SHELL}{line}", deadline, doing) as wire:
            while wire.receive(deadline, doing):
                pass

    def _read(self) -> None:
        """Take what comes, until the exit code or the end."""
        try:
            for kind, data in _pieces(lambda: self._wire.receive(None, "")):
                if kind == STDOUT:
                    self._take(data)
                elif kind == STDERR:
                    self._errors.add(data)
                elif kind == EXIT and data:
                    self._exit = data[0]
                    break
                else:
                    self._reason = f"what came is no shell packet: kind {kind}"
                    break
        except (OSError, EOFError) as error:
            self._reason = str(error)
        finally:
            self._errors.end()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._unread) < UNREAD_LIMIT or self._closed)
            if not self._closed:
                self._unread += data
                self._changed.notify_all()


def _pieces(receive: Callable[[], bytes]) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of each packet, a large one in pieces as they come. Ends where the stream ends."""
    pending = bytearray()
    kind, left = -1, 0
    while data := receive():
        pending += data
        while left or len(pending) >= PACKET.size:
            if not left:
                kind, left = PACKET.unpack_from(pending)
                del pending[: PACKET.size]
            if left and not pending:
                break
            piece = bytes(pending[:left])
            del pending[:left]
            left -= len(piece)
            yield kind, piece
