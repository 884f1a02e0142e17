"""The shell services: `shell:` on a terminal, `shell,v2:` in packets with an exit code, `exec:` on plain pipes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any

from bench.testing.adbd.root import Root
from bench.testing.adbd.stream import Stream, StreamClosed

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN, WINDOW_SIZE = range(6)
CHUNK_BYTES = 1 << 18
CANNOT_START = 126
_PACKET = struct.Struct("<BI")


class Children:
    """The running children of all shell services."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    @contextmanager
    def running(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """Count it among them."""
        self._running.add(child)
        try:
            yield
        finally:
            self._running.discard(child)

    def signal(self, number: int) -> None:
        """Send a signal to the process group of each."""
        for child in self._running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)


async def shell(stream: Stream, root: Root, children: Children, options: str, line: str) -> None:
    """Serve `shell,OPTIONS:LINE`. Without v2 it runs on a terminal, as phones without shell_v2 have it."""
    words = options.split(",")
    packets = "v2" in words
    pty = not packets or "pty" in words or (not line and "raw" not in words)
    await _run(stream, partial(root.spawn, line, pty=pty), children, packets)


async def execute(stream: Stream, root: Root, children: Children, line: str) -> None:
    """Serve `exec:LINE`: standard error is merged, nothing is rewritten, no exit code.

    adbd runs it on a terminal in raw mode. The pipes differ from it only where a program asks for a terminal; its
    hang-up, which reaches the whole group, is sent.
    """
    await _run(stream, partial(root.spawn, line), children, packets=False)


async def _run(stream: Stream, spawn: Callable[[], subprocess.Popen[bytes]], children: Children,
               packets: bool) -> None:
    try:
        child = spawn()
    except OSError as error:
        await stream.write(_refusal(f"error: {error.strerror}\n".encode(), packets))
        return
    with children.running(child):
        await _Run(stream, child, packets).serve()


class _Run:
    """A child and its stream, until one of them ends."""

    def __init__(self, stream: Stream, child: subprocess.Popen[bytes], packets: bool) -> None:
        assert child.stdin is not None and child.stdout is not None
        self._stream = stream
        self._child = child
        self._packets = packets
        self._stdin: IO[bytes] = child.stdin
        self._stdout: IO[bytes] = child.stdout
        self._is_terminal = child.stderr is None
        for file in (child.stdin, child.stdout, child.stderr):
            if file is not None:
                os.set_blocking(file.fileno(), False)

    async def serve(self) -> None:
        """Pass data both ways; at the child's end send its exit code, at the host's hang up."""
        outputs = [self._pass_output(self._stdout, STDOUT)]
        if self._child.stderr is not None:
            outputs.append(self._pass_output(self._child.stderr, STDERR))
        output = asyncio.ensure_future(_all(outputs))
        given = asyncio.ensure_future(self._pass_input())
        try:
            await asyncio.wait((output, given), return_when=asyncio.FIRST_COMPLETED)
            gone = not output.done() or isinstance(output.exception(), StreamClosed)
            if gone:
                self._hang_up()
        finally:
            await _stop(output, given)
            for file in (self._stdin, self._stdout, self._child.stderr):
                if file is not None:
                    file.close()
        code = await self._ended()
        if self._packets and not gone:
            await self._stream.write(_packet(EXIT, bytes([code])))

    async def _pass_output(self, file: IO[bytes], kind: int) -> None:
        while data := await _read(file.fileno()):
            await self._stream.write(_packet(kind, data) if self._packets else data)

    async def _pass_input(self) -> None:
        """Until the host closes the stream."""
        if not self._packets:
            while data := await self._stream.read():
                await self._give(data)
            return
        buffer = bytearray()
        while data := await self._stream.read():
            buffer += data
            while len(buffer) >= _PACKET.size:
                kind, length = _PACKET.unpack_from(buffer)
                if len(buffer) < _PACKET.size + length:
                    break
                packet = bytes(buffer[_PACKET.size : _PACKET.size + length])
                del buffer[: _PACKET.size + length]
                await self._packet_came(kind, packet)

    async def _packet_came(self, kind: int, data: bytes) -> None:
        if kind == STDIN:
            await self._give(data)
        elif kind == CLOSE_STDIN and not self._is_terminal:
            self._stdin.close()
        elif kind == WINDOW_SIZE and self._is_terminal and (size := re.findall(rb"\d+", data)) and len(size) == 4:
            fcntl.ioctl(self._stdin, termios.TIOCSWINSZ, struct.pack("<4H", *map(int, size)))

    async def _give(self, data: bytes | bytearray) -> None:
        """Write to the child's standard input; what it does not want any more is dropped."""
        view = memoryview(data)
        while view and not self._stdin.closed:
            try:
                view = view[os.write(self._stdin.fileno(), view) :]
            except BlockingIOError:
                await _ready(self._stdin.fileno(), write=True)
            except OSError:
                return

    def _hang_up(self) -> None:
        """What adbd does when the host goes: SIGHUP to the shell alone; a terminal's end does it for a whole group."""
        if self._packets:
            self._child.send_signal(signal.SIGHUP)
        elif not self._is_terminal:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGHUP)

    async def _ended(self) -> int:
        """The exit code once the child has ended; 128 + N for signal N."""
        if self._child.poll() is None:
            handle = os.pidfd_open(self._child.pid)
            try:
                await _ready(handle)
            finally:
                os.close(handle)
        code = self._child.wait()
        return code if code >= 0 else 128 - code


def _packet(kind: int, data: bytes) -> bytes:
    return _PACKET.pack(kind, len(data)) + data


def _refusal(reason: bytes, packets: bool) -> bytes:
    return _packet(STDERR, reason) + _packet(EXIT, bytes([CANNOT_START])) if packets else reason


async def _read(handle: int) -> bytes:
    """The next bytes; empty at the end, which a terminal tells by an error."""
    while True:
        try:
            return os.read(handle, CHUNK_BYTES)
        except BlockingIOError:
            await _ready(handle)
        except OSError:
            return b""


async def _ready(handle: int, write: bool = False) -> None:
    """Return when the file can be read (or written)."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    (loop.add_writer if write else loop.add_reader)(handle, ready.set)
    try:
        await ready.wait()
    finally:
        (loop.remove_writer if write else loop.remove_reader)(handle)


async def _all(parts: list[Coroutine[Any, Any, None]]) -> None:
    """Do all of them; when one fails, the others end before it is told."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _stop(*tasks)


async def _stop(*tasks: asyncio.Future[None]) -> None:
    """Cancel what still runs, and wait for it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
