"""A phone over this machine's shell, and a real adb connected to it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone


@dataclass(frozen=True)
class Lab:
    """Both sides, and the folder that the phone's sync service reaches."""

    adb: AdbServer
    phone: Phone
    folder: Path

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """adb's client, on this phone."""
        return self.adb.run("-s", self.phone.serial, *arguments, **options)

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        """adb's client, on this phone, still running."""
        return self.adb.popen("-s", self.phone.serial, *arguments)

    def shell(self, line: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.run("shell", line, given=given)

    def back(self) -> None:
        """Return once the phone is connected again, and answers."""
        self.adb.wait_answering(self.phone)


@contextmanager
def lab(folder: Path, binary: Path, connect: bool = True, **options: Any) -> Iterator[Lab]:
    """A phone with the options of `running_phone`, connected to a server of its own."""
    with (running_phone(HostRoot(folder / "phone"), **options) as phone,
          running_adb_server(folder / "adb", binary) as server):
        if connect:
            server.connect(phone)
        yield Lab(server, phone, folder / "phone")


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return once the condition holds. Raises AssertionError when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)
