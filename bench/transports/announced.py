"""The standard error of a command that tells its process number first, as quoting.py makes it do."""

from __future__ import annotations

import secrets
import threading

from bench.transports.text import Tail

LONGEST_HEAD = 1 << 18
"""Bytes that are held back while the number has not come."""


class Announced:
    """Takes standard error as it comes: the process number, and the last `limit` bytes of everything else."""

    def __init__(self, limit: int) -> None:
        self.marker = f"bench-{secrets.token_hex(8)}"
        """To be given to `replacing_shell` or `below_shell`."""
        self._tail = Tail(limit)
        self._head: bytes | None = b""
        self._pid: int | None = None
        self._told = threading.Event()

    def add(self, data: bytes) -> None:
        """The next bytes of standard error."""
        if self._head is None:
            self._tail.add(data)
        else:
            self._head = self._take_pid(self._head + data)

    def end(self) -> None:
        """Nothing more comes."""
        if self._head:
            self._tail.add(self._head)
        self._head = None
        self._told.set()

    def value(self) -> bytes:
        """What is kept, without the line that told the number."""
        return self._tail.value()

    def pid(self, within_s: float) -> int | None:
        """The process number on the device; None when it is not told within so many seconds."""
        self._told.wait(within_s)
        return self._pid

    def _take_pid(self, head: bytes) -> bytes | None:
        """None once the line with the process number came; till then what came so far, held back."""
        before, found, after = head.partition(self.marker.encode() + b" ")
        number, newline, rest = after.partition(b"\n")
        if found and newline:
            self._pid = int(number) if number.isdigit() else None
            self._told.set()
            self._tail.add(before + rest)
            return None
        if not found and len(head) > LONGEST_HEAD:
            self._tail.add(head)
            return None
        return head
