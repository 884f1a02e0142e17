"""Takes out of an ELF file what no program loader reads: symbols for debuggers, notes of the compiler, sections.

Done here rather than by `strip`, which knows other processors only where it was built for them. A third of torch's
largest library is such symbols, and they lie in its middle.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian."""
_HEADER_BYTES = 64
_PHOFF, _SHOFF, _PHENTSIZE, _SHNUM = 32, 40, 54, 60
_P_OFFSET, _P_FILESZ, _P_ALIGN = 8, 32, 48
_LOAD = 1


@dataclass(frozen=True)
class _Piece:
    """A stretch of the file that is kept, and where it goes."""

    begin: int
    end: int
    target: int


def slimmed(data: bytes) -> bytes:
    """The same program without what lies outside its segments; what is no 64-bit ELF file is given back as it is."""
    if not data.startswith(_MAGIC) or len(data) < _HEADER_BYTES:
        return data
    (table,) = struct.unpack_from("<Q", data, _PHOFF)
    entry, count = struct.unpack_from("<HH", data, _PHENTSIZE)
    entries = [table + index * entry for index in range(count)]
    pieces = _pieces(data, [(0, _HEADER_BYTES), (table, table + entry * count),
                            *(_range(data, start) for start in entries)], _step(data, entries))
    slim = bytearray(pieces[-1].target + pieces[-1].end - pieces[-1].begin)
    for piece in pieces:
        slim[piece.target:piece.target + piece.end - piece.begin] = data[piece.begin:piece.end]
    for start in entries:
        begin, end = _range(data, start)
        if end > begin:
            struct.pack_into("<Q", slim, _moved(start, pieces) + _P_OFFSET, _moved(begin, pieces))
    struct.pack_into("<Q", slim, _PHOFF, _moved(table, pieces))
    struct.pack_into("<Q", slim, _SHOFF, 0)
    struct.pack_into("<HH", slim, _SHNUM, 0, 0)
    return bytes(slim)


def _range(data: bytes, start: int) -> tuple[int, int]:
    """What a segment takes of the file."""
    (begin,) = struct.unpack_from("<Q", data, start + _P_OFFSET)
    (size,) = struct.unpack_from("<Q", data, start + _P_FILESZ)
    return begin, min(begin + size, len(data))


def _step(data: bytes, entries: list[int]) -> int:
    """A segment may move by multiples of this: its place in the file and in memory agree modulo its alignment."""
    loads = [start for start in entries if struct.unpack_from("<I", data, start)[0] == _LOAD]
    return max([1 << 16, *(int(struct.unpack_from("<Q", data, start + _P_ALIGN)[0]) for start in loads)])


def _pieces(data: bytes, ranges: list[tuple[int, int]], step: int) -> list[_Piece]:
    """The ranges merged, and moved to the front as far as `step` allows."""
    pieces = [_Piece(0, 0, 0)]
    for begin, end in sorted(ranges):
        last = pieces[-1]
        if begin <= last.end:
            pieces[-1] = _Piece(last.begin, max(last.end, end), last.target)
        elif end > begin:
            shift = last.begin - last.target + (begin - last.end) // step * step
            pieces.append(_Piece(begin, end, begin - shift))
    return pieces


def _moved(offset: int, pieces: list[_Piece]) -> int:
    """Where a place of the old file is in the new one."""
    piece = next(piece for piece in pieces if piece.begin <= offset <= piece.end)
    return offset - piece.begin + piece.target
