"""Sending a file by adb's sync service.

Version 1 of its messages: every phone takes it, and all that version 2 adds to it is compression.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader

from bench.deadline import Deadline
from bench.errors import InfrastructureError
from bench.transports.adb_link import Link
from bench.transports.adb_wire import LONGEST_FAILURE, Wire
from bench.transports.base import next_sign
from bench.transports.text import printable

HEADER = struct.Struct("<4sI")
CHUNK = 1 << 16
"""Bytes. The largest that a phone takes in one DATA message."""
CHUNKS_AT_ONCE = 16
MODE = 0o100644


class Rejected(Exception):
    """The phone did not take the file; the reason in its own words."""


def send_file(link: Link, file: BufferedReader, target: str, clock: int, deadline: Deadline, doing: str) -> None:
    """Send the open file to the absolute path `target`, dated `clock` (Unix time in seconds).

    A file that is there is removed first. Raises Rejected, InfrastructureError, DeadlineExceeded.
    """
    path = f"{target},{MODE}".encode("utf-8", "surrogateescape")
    with link.guarded(doing), link.open("sync:", deadline, doing) as wire:
        with suppress(OSError):  # a connection that is closed may still hold the phone's reason, which is read below
            wire.send(HEADER.pack(b"SEND", len(path)) + path, deadline, doing)
            for block in _blocks(file):
                if wire.heard():
                    break
                wire.send(block, next_sign(deadline), doing)
            else:
                wire.send(HEADER.pack(b"DONE", clock & 0xFFFFFFFF), deadline, doing)
        _hear_verdict(link, wire, next_sign(deadline), doing)


def _blocks(file: BufferedReader) -> Iterator[memoryview]:
    """The file as DATA messages, several to a block, so that few writes carry it."""
    block = memoryview(bytearray(CHUNKS_AT_ONCE * (HEADER.size + CHUNK)))
    while True:
        end = 0
        while end < len(block):
            start = end + HEADER.size
            got = file.readinto(block[start : start + CHUNK])
            if not got:
                break
            HEADER.pack_into(block, end, b"DATA", got)
            end = start + got
        if not end:
            return
        yield block[:end]


def _hear_verdict(link: Link, wire: Wire, deadline: Deadline, doing: str) -> None:
    """Return when the phone has taken the file."""
    verdict, length = HEADER.unpack(wire.exactly(HEADER.size, deadline, doing))
    if verdict == b"FAIL":
        raise Rejected(printable(wire.exactly(min(length, LONGEST_FAILURE), deadline, doing)).strip())
    if verdict != b"OKAY":
        raise InfrastructureError(f"{link.where}: {doing}: the phone answered {verdict!r}, which is no answer",
                                  hint="plug it in again, then try again")
