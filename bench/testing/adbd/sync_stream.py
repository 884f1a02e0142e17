"""A sync service's stream: commands and answers of a name and a number, cut into payloads anyhow."""

from __future__ import annotations

import struct

from bench.testing.adbd.stream import Stream

_HEAD = struct.Struct("<4sI")


class Refused(Exception):
    """The command cannot be done; `reason` is what the host is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SyncStream:
    """Reads exact lengths from a stream without copying what lies in one payload."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._view = memoryview(b"")

    async def head(self) -> tuple[bytes, int]:
        """The next name and number. Raises EOFError at the stream's end."""
        name, number = _HEAD.unpack(await self.take(_HEAD.size))
        return name, number

    async def take(self, length: int) -> bytes | memoryview:
        """The next `length` bytes. Raises EOFError."""
        if len(self._view) >= length:
            taken, self._view = self._view[:length], self._view[length:]
            return taken
        whole = bytearray()
        while len(whole) < length:
            whole += await self.some(length - len(whole))
        return bytes(whole)

    async def some(self, most: int) -> memoryview:
        """The next bytes, at least one and at most `most`. Raises EOFError."""
        if not self._view:
            payload = await self.stream.read()
            if not payload:
                raise EOFError
            self._view = memoryview(payload)
        taken, self._view = self._view[:most], self._view[most:]
        return taken

    async def okay(self) -> None:
        """Tell the host that the file was taken."""
        await self.stream.write(_HEAD.pack(b"OKAY", 0))

    async def fail(self, reason: str) -> None:
        """Tell the host what went wrong."""
        text = reason.encode("utf-8", "replace")
        await self.stream.write(_HEAD.pack(b"FAIL", len(text)) + text)
