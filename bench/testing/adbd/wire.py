"""adb's messages: a header of six little-endian words, and up to 1 MiB of payload."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

HEADER = struct.Struct("<4sIIII4s")
HEADER_BYTES = HEADER.size
MAX_PAYLOAD_BYTES = 1 << 20
VERSION_WITH_CHECKSUMS = 0x01000000
VERSION_WITHOUT_CHECKSUMS = 0x01000001

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the log keeps it. `text` is the payload's beginning for CNXN and OPEN, else empty."""

    direction: Literal["in", "out"]
    command: str
    arg0: int
    arg1: int
    payload_bytes: int
    text: str = ""


class BadHeader(Exception):
    """What came is no adb message."""


def header(command: bytes, arg0: int, arg1: int, payload: Buffer, checksum: bool) -> bytes:
    """The header of a message; without `checksum` that word is 0."""
    return HEADER.pack(command, arg0, arg1, len(payload), sum(payload) & 0xFFFFFFFF if checksum else 0,
                       _inverted(command))


def parsed(data: Buffer) -> tuple[bytes, int, int, int, int]:
    """Command, both arguments, payload length, checksum. Raises BadHeader."""
    command, arg0, arg1, length, checksum, magic = HEADER.unpack(data)
    if magic != _inverted(command) or length > MAX_PAYLOAD_BYTES:
        raise BadHeader(bytes(data).hex())
    return command, arg0, arg1, length, checksum


def seen(direction: Literal["in", "out"], command: bytes, arg0: int, arg1: int, payload: Buffer) -> Message:
    """The message for the log."""
    text = bytes(payload[:400]).rstrip(b"\0").decode("utf-8", "replace") if command in (b"CNXN", b"OPEN") else ""
    return Message(direction, command.decode("ascii", "replace"), arg0, arg1, len(payload), text)


def _inverted(command: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in command)
