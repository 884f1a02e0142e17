"""A QEMU process: its command line, its console, and the socket by which it takes orders."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.testing.board.image import BoardImage

QEMU = "qemu-system-aarch64"
CPU = "cortex-a76"
"""With dot products and half floats, as recent boards have; ones without, like cortex-a72, can be asked for."""
CORES, MEMORY_MIB = 2, 2048
TRANSLATED_MIB = 256
"""Memory for translated code, beside the board's own."""
COMMAND_LINE = "console=ttyAMA0 sysctl.debug.exception-trace=1"
"""The console also tells of each process that dies of a signal like SIGILL."""
LINES_KEPT = 500
UP = "Server listening on 0.0.0.0"
ORDER_WITHIN_S = 20.0


class Console:
    """What the board prints, read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._changed = threading.Condition()
        self._starts = 0
        self._ended = False
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    @property
    def starts(self) -> int:
        """How often the board's sshd has begun to listen."""
        return self._starts

    def tail(self, lines: int = LINES_KEPT) -> str:
        """The last lines."""
        with self._changed:
            return "\n".join(list(self._lines)[-lines:])

    def wait_up(self, starts: int, within_s: float) -> None:
        """Return once sshd has begun to listen for that many times. Raises InfrastructureError, DeadlineExceeded."""
        with self._changed:
            self._changed.wait_for(lambda: self._starts >= starts or self._ended, within_s)
        if self._starts >= starts:
            return
        last = self.tail(5) or "nothing"
        if self._ended:
            raise InfrastructureError(f"the emulated board ended before it was up; the end of its console: {last}")
        raise DeadlineExceeded(f"the emulated board was not up within {within_s:g} s; the end of its console: {last}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.rstrip())
                    self._starts += UP in line
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Monitor:
    """QEMU's control socket: one order at a time, one JSON object a line."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._unread = b""

    def order(self, name: str, **arguments: object) -> Any:
        """What QEMU answers. Raises InfrastructureError (it is gone, or refuses), DeadlineExceeded (it is stopped)."""
        deadline = Deadline(ORDER_WITHIN_S)
        try:
            self._socket.settimeout(ORDER_WITHIN_S)
            self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
            while True:
                said = json.loads(self._line(deadline, name))
                if "error" in said:
                    raise InfrastructureError(f"{QEMU} refused {name}: {said['error'].get('desc')}")
                if "return" in said:
                    return said["return"]
        except TimeoutError:
            raise DeadlineExceeded(f"{QEMU}: {name}: no answer within {ORDER_WITHIN_S:g} s") from None
        except OSError as error:
            raise InfrastructureError(f"{QEMU} is gone ({error.strerror or error})") from None

    def _line(self, deadline: Deadline, name: str) -> bytes:
        while b"\n" not in self._unread:
            self._socket.settimeout(deadline.check(f"{QEMU}: {name}"))
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("it ended")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line


class Machine:
    """A running QEMU."""

    def __init__(self, process: subprocess.Popen[str], monitor: Monitor) -> None:
        self.process = process
        self.console = Console(process)
        self._monitor = monitor

    def port(self) -> int:
        """The port of 127.0.0.1 that leads to the board's port 22. Raises InfrastructureError."""
        self._monitor.order("qmp_capabilities")
        said = self._monitor.order("human-monitor-command", **{"command-line": "info usernet"})
        match = re.search(r"HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", said)
        if match is None:
            raise InfrastructureError(f"{QEMU} names no port of the board: {said}")
        return int(match[1])

    def reset(self) -> None:
        """Restart the board as its reset button would."""
        self._monitor.order("system_reset")


@contextmanager
def running_machine(image: BoardImage, folder: Path, cpu: str) -> Iterator[Machine]:
    """A QEMU that runs the image, killed at the end, and by the kernel when the thread that started it is gone.

    What the board writes goes to a file in `folder` that has no name, and ends with it.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            argv = ["setpriv", "--pdeathsig", "KILL", QEMU, *_options(image, cpu, theirs.fileno())]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                                       env={**os.environ, "TMPDIR": str(folder)}, pass_fds=(theirs.fileno(),))
        try:
            yield Machine(process, Monitor(ours))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _options(image: BoardImage, cpu: str, control: int) -> list[str]:
    """No network but the way in, no device that the board does not use, nothing written to the image."""
    return ["-machine", "virt", "-cpu", cpu, "-smp", str(CORES), "-m", str(MEMORY_MIB),
            "-accel", f"tcg,thread=multi,tb-size={TRANSLATED_MIB}", "-nodefaults", "-display", "none",
            "-serial", "stdio", "-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control",
            "-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", COMMAND_LINE,
            "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={str(image.disk).replace(',', ',,')}",
            "-device", "virtio-blk-device,drive=disk",
            "-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", "-device", "virtio-net-device,netdev=net"]
