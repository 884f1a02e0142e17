"""Reading FlatBuffers without generated code: a table's fields by their number in the schema.

The layout is that of https://flatbuffers.dev/internals: a table starts with the (signed) distance back to its vtable,
which holds each field's distance from the table's start (0: absent); field numbers never change in a schema.
Reading beyond the buffer raises struct.error, IndexError or ValueError: callers say what that means for their file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table at position `at` of `data`."""

    data: memoryview
    at: int

    def number(self, field: int, code: str, default: int = 0) -> int:
        """An integer field; `code` is its struct format (b B h H i I q Q)."""
        place = self.place(field)
        return default if place is None else self._unpack(code, place)

    def table(self, field: int) -> Table | None:
        """The table that a field (or a union's value) refers to, None when absent."""
        place = self.place(field)
        return None if place is None else Table(self.data, place + self._unpack("I", place))

    def tables(self, field: int) -> list[Table]:
        """The tables of a vector field; none when it is absent."""
        start, count = self._vector(field)
        places = (start + 4 * i for i in range(count))
        return [Table(self.data, place + self._unpack("I", place)) for place in places]

    def numbers(self, field: int, code: str) -> tuple[int, ...]:
        """The integers of a vector field; none when it is absent."""
        start, count = self._vector(field)
        return struct.unpack_from(f"<{count}{code}", self.data, start)

    def text(self, field: int) -> str:
        """A string field; empty when absent."""
        return bytes(self.blob(field)).decode()

    def blob(self, field: int) -> memoryview:
        """A vector of bytes; empty when absent."""
        start, count = self._vector(field)
        if start + count > len(self.data):
            raise IndexError("a vector reaches beyond the buffer")
        return self.data[start:start + count]

    def place(self, field: int) -> int | None:
        """Where in the buffer a field's value lies, None when it is absent."""
        vtable = self.at - self._unpack("i", self.at)
        if vtable < 0:
            raise IndexError("a table's vtable lies before the buffer")
        entry = 4 + 2 * field
        if entry + 2 > self._unpack("H", vtable):
            return None
        offset = self._unpack("H", vtable + entry)
        return self.at + offset if offset else None

    def _unpack(self, code: str, place: int) -> int:
        value: int = struct.unpack_from(f"<{code}", self.data, place)[0]
        return value

    def _vector(self, field: int) -> tuple[int, int]:
        """Where a vector's elements start and how many there are; (0, 0) when it is absent."""
        place = self.place(field)
        if place is None:
            return 0, 0
        start = place + self._unpack("I", place)
        return start + 4, self._unpack("I", start)


def root(data: memoryview) -> Table:
    """The root table of a buffer."""
    offset: int = struct.unpack_from("<I", data, 0)[0]
    return Table(data, offset)
