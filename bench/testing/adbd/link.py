"""One connection of an adb server: messages in and out, and everything that may befall them on the way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol, cast

from bench.testing.adbd.faults import Faults
from bench.testing.adbd.wire import HEADER_BYTES, BadHeader, Buffer, Message, header, parsed, seen

SLOW_STEPS_PER_S = 20
_ALWAYS_SUMMED = (b"CNXN", b"AUTH")


class Link(asyncio.BufferedProtocol):
    """Reads each payload straight into a buffer of its size; writes without a copy where the socket takes it all."""

    def __init__(self, faults: Faults, log: deque[Message], frozen: bool, opened: Callable[[Link], Receiver]) -> None:
        self.checksums = True
        """Whether payloads are summed, as version 0x01000000 does. CNXN and AUTH always are."""
        self._faults = faults
        self._log = log
        self._opened = opened
        self._frozen = frozen
        self._slowed: asyncio.TimerHandle | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._held: deque[Buffer] = deque()
        self._header = bytearray(HEADER_BYTES)
        self._message: tuple[bytes, int, int, int, int] | None = None
        self._want: bytearray = self._header
        self._have = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._receiver = self._opened(self)
        self._flow()

    def connection_lost(self, error: Exception | None) -> None:
        for timer in (self._slowed, self._waiting):
            if timer is not None:
                timer.cancel()
        self._receiver.lost(self)

    def send(self, command: bytes, arg0: int, arg1: int, payload: Buffer = b"") -> None:
        """Send a message, now or when the faults let it through. After the link's end, do nothing."""
        if self._transport.is_closing() or not self._passes("out", command, arg0, arg1, payload):
            return
        self._write(header(command, arg0, arg1, payload, self.checksums or command in _ALWAYS_SUMMED))
        if payload:
            self._write(payload)

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no message."""
        self._write(data)

    def cut(self) -> None:
        """End the connection; what was sent before still arrives."""
        self._transport.close()
        self._receiver.lost(self)

    def freeze(self, frozen: bool) -> None:
        """Read and write nothing, the connection open; False: go on where it stopped."""
        self._frozen = frozen
        self._flow()
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:
        room = len(self._want) - self._have
        if self._faults.bytes_per_s is not None:
            room = min(room, max(1, int(self._faults.bytes_per_s / SLOW_STEPS_PER_S)))
        if self._faults.cut_after_received_bytes is not None:
            room = min(room, max(1, self._faults.cut_after_received_bytes))
        return memoryview(self._want)[self._have : self._have + room]

    def buffer_updated(self, nbytes: int) -> None:
        self._have += nbytes
        if self._faults.cut_after_received_bytes is not None:
            self._faults.cut_after_received_bytes -= nbytes
            if self._faults.cut_after_received_bytes <= 0:
                self._faults.cut_after_received_bytes = None
                self._receiver.cut(self)
                return
        if self._faults.bytes_per_s is not None:
            self._slowed = asyncio.get_running_loop().call_later(nbytes / self._faults.bytes_per_s, self._quick_again)
            self._flow()
        if self._have == len(self._want):
            self._filled()

    def _filled(self) -> None:
        """A header or a payload is whole."""
        self._have = 0
        if self._message is None:
            try:
                self._message = parsed(self._header)
            except BadHeader:
                self.cut()
                return
            if self._message[3]:
                self._want = bytearray(self._message[3])
                return
            self._want = bytearray()
        (command, arg0, arg1, _, checksum), payload = self._message, self._want
        self._message, self._want = None, self._header
        if self.checksums and command not in _ALWAYS_SUMMED and checksum != sum(payload) & 0xFFFFFFFF:
            self.cut()
        elif self._passes("in", command, arg0, arg1, payload):
            self._receiver.received(self, command, arg0, arg1, payload)

    def _passes(self, direction: Literal["in", "out"], command: bytes, arg0: int, arg1: int, payload: Buffer) -> bool:
        """False when the link is cut instead of this message."""
        if self._faults.cut_at_message is not None:
            self._faults.cut_at_message -= 1
            if self._faults.cut_at_message <= 0:
                self._faults.cut_at_message = None
                self._receiver.cut(self)
                return False
        self._log.append(seen(direction, command, arg0, arg1, payload))
        return True

    def _flow(self) -> None:
        """Read on, or not, as the faults say."""
        if self._transport.is_closing():
            return
        if self._frozen or self._slowed is not None:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _quick_again(self) -> None:
        self._slowed = None
        self._flow()

    def _write(self, data: Buffer) -> None:
        if self._frozen or self._held or self._waiting or self._faults.bytes_per_s is not None:
            self._held.append(bytes(data))  # the caller may use its buffer again
            self._flush()
        else:
            self._put(data)

    def _flush(self) -> None:
        """Write what was held back, as far as the faults let it go."""
        while self._held and not self._frozen and self._waiting is None:
            data, rate = self._held.popleft(), self._faults.bytes_per_s
            if rate is not None:
                step = max(1, int(rate / SLOW_STEPS_PER_S))
                if len(data) > step:
                    self._held.appendleft(memoryview(data)[step:])
                    data = memoryview(data)[:step]
                self._waiting = asyncio.get_running_loop().call_later(len(data) / rate, self._waited)
            self._put(data)

    def _waited(self) -> None:
        self._waiting = None
        self._flush()

    def _put(self, data: Buffer) -> None:
        left = self._faults.cut_after_sent_bytes
        if left is not None:
            data = data[:left]
            self._faults.cut_after_sent_bytes = left - len(data)
        self._transport.write(data)
        if self._faults.cut_after_sent_bytes == 0:
            self._faults.cut_after_sent_bytes = None
            self._held.clear()
            self._receiver.cut(self)


class Receiver(Protocol):
    """What a link reports to."""

    def received(self, link: Link, command: bytes, arg0: int, arg1: int, payload: bytearray) -> None:
        """A whole message has come."""

    def cut(self, link: Link) -> None:
        """A fault wants the link cut."""

    def lost(self, link: Link) -> None:
        """The link has ended. May come twice."""
