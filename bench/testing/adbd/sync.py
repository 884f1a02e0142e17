"""The sync service: stat, list, send and receive files, in the forms of both protocol versions."""

from __future__ import annotations

import errno
import os
import stat
import struct
from dataclasses import dataclass

from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import Root
from bench.testing.adbd.stream import Stream
from bench.testing.adbd.sync_files import receive, send
from bench.testing.adbd.sync_stream import Refused, SyncStream

LONGEST_PATH_BYTES = 1024
LISTED_CONTENT = b"this file is not where it says\n"
_V1 = struct.Struct("<III")
_V2 = struct.Struct("<IQQIIIIQqqq")


async def sync(stream: Stream, root: Root, faults: Faults) -> None:
    """Serve `sync:` until QUIT, the stream's end, or a refused command."""
    wire = SyncStream(stream)
    try:
        while await _Command(wire, root, faults).serve():
            pass
    except Refused as refused:
        await wire.fail(refused.reason)
    except EOFError:
        return


@dataclass(frozen=True)
class _Command:
    """The next command of a sync stream."""

    wire: SyncStream
    root: Root
    faults: Faults

    async def serve(self) -> bool:
        """Answer it. False at QUIT. Raises Refused, EOFError, StreamClosed."""
        name, length = await self.wire.head()
        if length > LONGEST_PATH_BYTES:
            raise Refused("path too long")
        remote = bytes(await self.wire.take(length)).decode("utf-8", "surrogateescape")
        match name:
            case b"QUIT":
                return False
            case b"STAT":
                await self.wire.stream.write(b"STAT" + _V1.pack(*_short(self._stat(remote, follow=False))))
            case b"STA2" | b"LST2":
                await self.wire.stream.write(name + _V2.pack(*_long(self._stat(remote, follow=name == b"STA2"))))
            case b"LIST" | b"LIS2":
                await self._list(remote, name == b"LIS2")
            case b"SEND":
                path, _, mode = remote.rpartition(",")
                if not path or not mode.isdecimal():
                    raise Refused("missing , in ID_SEND_V1" if not path else "bad mode")
                await receive(self.wire, self.root, self.faults, path, int(mode))
            case b"SND2":
                _, mode, flags = struct.unpack("<4sII", await self.wire.take(12))
                _no_flags(flags)
                await receive(self.wire, self.root, self.faults, remote, mode)
            case b"RECV" | b"RCV2":
                if name == b"RCV2":
                    _no_flags(struct.unpack("<4sI", await self.wire.take(8))[1])
                await self._send(remote)
            case _:
                raise Refused(f"unknown command '{name.decode('ascii', 'replace')}'")
        return True

    async def _send(self, remote: str) -> None:
        if self._is_made_up(remote):
            await self.wire.stream.write(b"DATA" + struct.pack("<I", len(LISTED_CONTENT)) + LISTED_CONTENT
                                         + b"DONE" + bytes(4))
        else:
            await send(self.wire, self.root, self.faults, remote)

    async def _list(self, remote: str, long: bool) -> None:
        try:
            folder = self.root.path(remote)
            names = [".", "..", *sorted(path.name for path in folder.iterdir()), *self.faults.listed]
        except OSError:
            names = []
        else:
            entries = bytearray()
            for name in names:
                entries += _entry(name, self._stat(f"{remote}/{name}", follow=False), long)
            await self.wire.stream.write(bytes(entries))
        await self.wire.stream.write(b"DONE" + bytes((_V2.size if long else _V1.size) + 4))

    def _stat(self, remote: str, follow: bool) -> os.stat_result | int:
        """What is there, or the error's number."""
        if self._is_made_up(remote):
            return os.stat_result((stat.S_IFREG | 0o644, 1, 1, 1, *self.root.owner, len(LISTED_CONTENT), 0, 0, 0))
        try:
            return self.root.path(remote, follow=follow).stat(follow_symlinks=follow)
        except OSError as error:
            return error.errno or errno.EIO

    def _is_made_up(self, remote: str) -> bool:
        return any(remote.endswith(f"/{name}") for name in self.faults.listed)


def _short(found: os.stat_result | int) -> tuple[int, int, int]:
    """Mode, size, modification time; all 0 when there is nothing. Sizes are cut to 32 bits, as this form has it."""
    if isinstance(found, int):
        return 0, 0, 0
    return found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime) & 0xFFFFFFFF


def _long(found: os.stat_result | int) -> tuple[int, ...]:
    if isinstance(found, int):
        return found, *(10 * [0])
    return (0, found.st_dev, found.st_ino, found.st_mode, found.st_nlink, found.st_uid, found.st_gid, found.st_size,
            int(found.st_atime), int(found.st_mtime), int(found.st_ctime))


def _entry(name: str, found: os.stat_result | int, long: bool) -> bytes:
    encoded = os.fsencode(name)
    if long:
        return b"DNT2" + _V2.pack(*_long(found)) + struct.pack("<I", len(encoded)) + encoded
    if isinstance(found, int):
        return b""
    return b"DENT" + _V1.pack(*_short(found)) + struct.pack("<I", len(encoded)) + encoded


def _no_flags(flags: int) -> None:
    """No compression is announced, so none may be asked for."""
    if flags:
        raise Refused(f"unknown flags: {flags}")
