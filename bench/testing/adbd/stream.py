"""One stream of a link: what an OPEN asks for, and a service answers."""

from __future__ import annotations

import asyncio
from collections import deque

from bench.testing.adbd.link import Link
from bench.testing.adbd.wire import Buffer

UNREAD_LIMIT_BYTES = 1 << 20
"""Above this much unread payload a WRTE is answered only when it has been read."""


class StreamClosed(Exception):
    """The host closed the stream, or the link was lost."""


class Stream:
    """Both directions of a stream, for one service. A write waits for the OKAY of the one before."""

    def __init__(self, link: Link, local: int, remote: int, largest: int) -> None:
        self._link = link
        self._local, self._remote = local, remote
        self._largest = largest
        self._unread: deque[bytearray] = deque()
        self._unread_bytes = 0
        self._unanswered = 0
        self._came = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._closed = False

    async def read(self) -> bytearray:
        """The next payload, at least one byte; empty at the end."""
        while not self._unread:
            if self._closed:
                return bytearray()
            self._came.clear()
            await self._came.wait()
        payload = self._unread.popleft()
        self._unread_bytes -= len(payload)
        if self._unanswered and not self._closed:
            self._unanswered -= 1
            self._link.send(b"OKAY", self._local, self._remote)
        return payload

    async def write(self, data: Buffer) -> None:
        """Send all of `data`. Raises StreamClosed."""
        for start in range(0, len(data), self._largest):
            await self._may_write.wait()
            if self._closed:
                raise StreamClosed
            self._may_write.clear()
            part = data if len(data) <= self._largest else memoryview(data)[start : start + self._largest]
            self._link.send(b"WRTE", self._local, self._remote, part)

    def accept(self) -> None:
        """Tell the host that the stream is open."""
        self._link.send(b"OKAY", self._local, self._remote)

    def close(self) -> None:
        """Tell the host that the stream has ended, once."""
        if not self._closed:
            self.ended()
            self._link.send(b"CLSE", self._local, self._remote)

    def came(self, payload: bytearray) -> None:
        """The host wrote `payload`."""
        if self._closed:
            return
        self._unread.append(payload)
        self._unread_bytes += len(payload)
        self._came.set()
        if self._unread_bytes <= UNREAD_LIMIT_BYTES:
            self._link.send(b"OKAY", self._local, self._remote)
        else:
            self._unanswered += 1

    def acknowledged(self) -> None:
        """The host answered what was written last."""
        self._may_write.set()

    def ended(self) -> None:
        """Nothing can be sent any more; what came before can still be read."""
        self._closed = True
        self._came.set()
        self._may_write.set()
