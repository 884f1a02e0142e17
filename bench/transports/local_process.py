"""A child process on this machine, with the streams and limits of a remote one."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, DeviceError, InfrastructureError
from bench.host import shortages_told
from bench.transports.text import Tail, printable

CHUNK = 1 << 18
SEND_LIMIT_S = 30.0
CLOSE_GRACE_S = 2.0


class LocalProcess:
    """A child in a session and process group of its own, so that its whole group can be ended."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None, stderr_limit: int = 4096) -> None:
        self._name = argv[0]
        self._ending = False
        try:
            self._child = subprocess.Popen(list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, bufsize=0, start_new_session=True,
                                           env={**os.environ, **(env or {})})
        except OSError as error:
            raise DeviceError(f"cannot start {argv[0]!r} on this machine: {error.strerror}",
                              hint="install it, or name another in devices.yaml") from error
        self._stdin, self._stdout = _pipe(self._child.stdin), _pipe(self._child.stdout)
        os.set_blocking(self._stdin.fileno(), False)
        self._tail = Tail(stderr_limit)
        self._drain = threading.Thread(target=self._read_stderr, args=(_pipe(self._child.stderr),), daemon=True)
        try:
            with shortages_told():
                self._drain.start()
        except InfrastructureError:
            self._child.kill()
            self._child.wait()
            raise

    def send(self, data: bytes) -> None:
        deadline = Deadline(SEND_LIMIT_S)
        view = memoryview(data)
        while view:
            try:
                _wait(self._stdin, selectors.EVENT_WRITE, deadline, f"{self._name} to read its input")
                view = view[os.write(self._stdin.fileno(), view) :]
            except BlockingIOError:
                continue
            except ValueError as error:
                raise InfrastructureError(f"{self._name} takes no more input: it was closed") from error
            except BrokenPipeError as error:
                raise InfrastructureError(f"{self._name} takes no more input: it ended") from error

    def end_input(self) -> None:
        """Close its standard input."""
        with suppress(OSError):
            self._stdin.close()

    def receive(self, deadline: Deadline) -> bytes:
        try:
            _wait(self._stdout, selectors.EVENT_READ, deadline, f"output of {self._name}")
            data = os.read(self._stdout.fileno(), CHUNK)
        except ValueError:  # closed, perhaps in this moment by another thread
            return b""
        self._ending = not data
        return data

    def wait(self, deadline: Deadline) -> int:
        """Its exit code; 128 + N when signal N ended it. Raises DeadlineExceeded."""
        try:
            code = self._child.wait(max(deadline.left(), 0.001))
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded(f"{self._name}: no end within {deadline.seconds:g} s") from error
        return code if code >= 0 else 128 - code

    def stderr(self) -> bytes:
        """What is kept of its standard error; all that it wrote once it has ended."""
        if self._ending or self._child.poll() is not None:
            self._drain.join(0.5)
        return self._tail.value()

    def stderr_tail(self) -> str:
        return printable(self.stderr())

    def close(self) -> None:
        self.end(CLOSE_GRACE_S)

    def end(self, grace_s: float) -> None:
        """Like `close`, with another time to wait before the kill."""
        self.end_input()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(grace_s)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._drain.join(0.5)
        self._stdout.close()

    def _read_stderr(self, stream: IO[bytes]) -> None:
        with stream:
            while data := os.read(stream.fileno(), CHUNK):
                self._tail.add(data)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _wait(stream: IO[bytes], event: int, deadline: Deadline, waiting_for: str) -> None:
    """Return when the stream is ready. Raises DeadlineExceeded."""
    with shortages_told(), selectors.DefaultSelector() as selector:
        selector.register(stream, event)
        while not selector.select(deadline.check(waiting_for)):
            pass
