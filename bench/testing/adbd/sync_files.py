"""Files through the sync service, with adbd's own order of doing things: the old file goes before the new one comes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import Root
from bench.testing.adbd.sync_stream import Refused, SyncStream

CHUNK_BYTES = 64 << 10
"""The most that one DATA may carry."""
BLOCK_CHUNKS = 15
"""DATAs that are sent at once: as many as fit into one message."""
_CHUNK_HEAD = b"DATA" + CHUNK_BYTES.to_bytes(4, "little")


async def receive(wire: SyncStream, root: Root, faults: Faults, remote: str, mode: int) -> None:
    """Take a pushed file or symbolic link.

    After a failure the host is told, its data read to the end, the target unlinked, and EOFError raised: adbd closes
    the stream then. Raises StreamClosed.
    """
    target: Path | None = None
    try:
        with _refusals("couldn't create file"):
            target = root.path(remote, follow=False)
        replaceable = _is_replaceable(target, mode)
        if replaceable:
            with suppress(OSError):
                target.unlink()
        if stat.S_ISLNK(mode):
            seconds = await _receive_link(wire, root, target)
        else:
            seconds = await _receive_file(wire, root, faults, remote, target, mode)
    except Refused as refused:
        await wire.fail(refused.reason)
        await _read_to_the_end(wire)
        if target is not None and replaceable:
            _unlink(target)
        raise EOFError from None
    except EOFError:
        if target is not None and replaceable:
            _unlink(target)
        raise
    with suppress(OSError):
        os.utime(target, (seconds, seconds), follow_symlinks=False)
    await wire.okay()


async def send(wire: SyncStream, root: Root, faults: Faults, remote: str) -> None:
    """Give a file to the host. Raises Refused, StreamClosed."""
    with _refusals("open failed"):
        handle = os.open(root.path(remote), os.O_RDONLY | os.O_CLOEXEC)
    flip = faults.flipped_pulls > 0
    faults.flipped_pulls -= flip
    try:
        block = bytearray(BLOCK_CHUNKS * (len(_CHUNK_HEAD) + CHUNK_BYTES))
        while length := _read_block(handle, block):
            if flip:
                block[len(_CHUNK_HEAD)] ^= 0xFF
                flip = False
            await wire.stream.write(memoryview(block)[:length])
        await wire.stream.write(b"DONE" + bytes(4))
    finally:
        os.close(handle)


async def _receive_file(wire: SyncStream, root: Root, faults: Faults, remote: str, target: Path, mode: int) -> int:
    """Write what comes to the target, which is where `remote` lies; its modification time in seconds."""
    mode &= 0o777
    mode |= mode >> 3 & 0o070
    mode |= mode >> 3 & 0o007
    handle = _create(root, remote, target, mode)
    try:
        with _refusals("fchown failed"):
            os.fchown(handle, *root.owner)
        with suppress(OSError):
            os.fchmod(handle, mode)
        while True:
            name, number = await wire.head()
            if name == b"DONE":
                return number
            if name != b"DATA" or number > CHUNK_BYTES:
                raise Refused("invalid data message" if name != b"DATA" else "oversize data message")
            while number:
                data = await wire.some(number)
                number -= len(data)
                if faults.flipped_pushes:
                    faults.flipped_pushes -= 1
                    data = memoryview(bytes([data[0] ^ 0xFF, *data[1:]]))
                with _refusals("write failed"):
                    _write(handle, data, faults)
    finally:
        os.close(handle)


def _write(handle: int, data: memoryview, faults: Faults) -> None:
    """Write all of it, as far as there is room."""
    if faults.free_bytes is not None:
        room = faults.free_bytes
        faults.free_bytes -= os.write(handle, data[:room])
        if room < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return
    while data:
        data = data[os.write(handle, data) :]


async def _receive_link(wire: SyncStream, root: Root, target: Path) -> int:
    name, length = await wire.head()
    if name != b"DATA":
        raise Refused("invalid data message: expected ID_DATA")
    if length > CHUNK_BYTES:
        raise Refused("oversize data message")
    content = bytes(await wire.take(length)).rstrip(b"\0")
    with suppress(OSError):
        target.unlink()
    _make_folders(root, target.parent)
    with _refusals("symlink failed"):
        target.symlink_to(os.fsdecode(content))
    name, seconds = await wire.head()
    if name != b"DONE":
        raise Refused("invalid data message: expected ID_DONE")
    return seconds


async def _read_to_the_end(wire: SyncStream) -> None:
    """Pass over the data of a push that has failed. Raises nothing at the stream's end."""
    with suppress(EOFError):
        while True:
            name, number = await wire.head()
            if name != b"DATA" or number > CHUNK_BYTES:
                return
            while number:
                number -= len(await wire.some(number))


def _create(root: Root, remote: str, target: Path, mode: int) -> int:
    """A handle of the target, its folders made as needed; of what it leads to where it is a link that stays."""
    new, present = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, os.O_WRONLY | os.O_CLOEXEC
    with _refusals("couldn't create file"):
        try:
            return os.open(target, new, mode)
        except FileNotFoundError:
            _make_folders(root, target.parent)
            return os.open(target, new, mode)
        except FileExistsError:
            return os.open(root.path(remote), present)


def _make_folders(root: Root, folder: Path) -> None:
    with _refusals("secure_mkdirs failed"):
        for path in reversed([folder, *folder.parents]):
            if not path.is_dir():
                path.mkdir()
                path.chmod(0o775)  # adbd has no umask
                os.chown(path, *root.owner)


def _is_replaceable(target: Path, mode: int) -> bool:
    """Whether adbd unlinks it first: a file, a link that no link replaces, or nothing at all."""
    try:
        present = target.lstat().st_mode
    except OSError:
        return True
    return stat.S_ISREG(present) or (stat.S_ISLNK(present) and not stat.S_ISLNK(mode))


def _read_block(handle: int, block: bytearray) -> int:
    """Fill a block with DATAs; its length in bytes, 0 at the file's end."""
    step = len(_CHUNK_HEAD) + CHUNK_BYTES
    views = [memoryview(block)[start + len(_CHUNK_HEAD) : start + step] for start in range(0, len(block), step)]
    with _refusals("read failed"):
        read = os.readv(handle, views)
    for start in range(0, len(block), step):
        block[start : start + len(_CHUNK_HEAD)] = _CHUNK_HEAD
    chunks, rest = divmod(read, CHUNK_BYTES)
    if rest:
        block[chunks * step : chunks * step + 8] = b"DATA" + rest.to_bytes(4, "little")
        return chunks * step + 8 + rest
    return chunks * step


def _unlink(target: Path) -> None:
    with suppress(OSError):
        target.unlink()


@contextmanager
def _refusals(doing: str) -> Iterator[None]:
    """Turn an OSError into what adbd tells the host of it."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{doing}: {os.strerror(error.errno or errno.EIO)}") from error
