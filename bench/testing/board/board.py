"""An arm64 board of our own: Debian under QEMU, reached by SSH. It has a Python and no runtimes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.config.devices import DeviceConfig, SshConfig
from bench.testing.board.image import BoardImage
from bench.testing.board.qemu import CPU, QEMU, Machine, running_machine
from bench.testing.board.root import USER

UP_WITHIN_S = 120.0
_TOOLS = {QEMU: "qemu-system-arm", "mkfs.ext4": "e2fsprogs", "ssh-keygen": "openssh-client", "setpriv": "util-linux",
          "apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg"}


@dataclass(frozen=True)
class Board:
    """A running board. `config()` is what a user would write to reach it."""

    image: BoardImage
    port: int
    known_hosts: Path
    machine: Machine

    @property
    def user(self) -> str:
        return USER

    @property
    def key(self) -> Path:
        return self.image.key

    @property
    def log(self) -> str:
        """The end of its console."""
        return self.machine.console.tail()

    def config(self, **changes: object) -> SshConfig:
        """What reaches this board, with changes."""
        values = {"host": "127.0.0.1", "port": self.port, "user": self.user, "key": self.key,
                  "known_hosts": self.known_hosts}
        return SshConfig.model_validate(values | changes)

    def device(self, **changes: object) -> DeviceConfig:
        """The same as a device of devices.yaml."""
        return DeviceConfig(ssh=self.config(**changes))

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        os.kill(self.machine.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.machine.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Pull its plug, for good."""
        self.machine.process.kill()
        self.machine.process.wait()

    def reboot(self) -> None:
        """Press its reset button, and wait until it is up. What it wrote to its disk (and synced) is still there.

        Raises InfrastructureError, DeadlineExceeded.
        """
        starts = self.machine.console.starts
        self.machine.reset()
        self.machine.console.wait_up(starts + 1, UP_WITHIN_S)


def why_not() -> str:
    """The reason why no board can be made or started here, or an empty string."""
    missing = [f"{tool} (Debian: {package})" for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    return "needs " + ", ".join(missing) if missing else ""


@contextmanager
def running_board(image: BoardImage, folder: Path, cpu: str = CPU) -> Iterator[Board]:
    """A board that is up and lets its user in; `folder` is for its known_hosts and its disk's changes.

    `cpu` is one that QEMU knows. Its disk is as in the image at each start. It takes up to 2.5 GB of memory.
    Raises InfrastructureError, DeadlineExceeded (with the end of its console).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with running_machine(image, folder, cpu) as machine:
        machine.console.wait_up(1, UP_WITHIN_S)
        port = machine.port()
        known_hosts = folder / "known_hosts"
        public = image.host_key.with_suffix(".pub").read_text().split()[:2]
        known_hosts.write_text(f"[127.0.0.1]:{port} {' '.join(public)}\n")
        yield Board(image, port, known_hosts, machine)
