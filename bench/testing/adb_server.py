"""A server of the real adb that shares nothing with the user's: its own port, keys and folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.deadline import Deadline
from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError
from bench.testing.phone import Phone
from bench.transports.adb_server import bundled_adb

START_WITHIN_S = 30.0
RUN_WITHIN_S = 60.0
CONNECT_WITHIN_S = 30.0
KILL_WITHIN_S = 10.0
POLL_S = 0.02


def find_adb() -> Path:
    """adbutils' adb, else the one on PATH. Raises ConfigError."""
    path = bundled_adb() or shutil.which("adb")
    if path is None:
        raise ConfigError("a phone is reached through adb, and this machine has none",
                          hint="install it with: pip install 'bench[adb]'")
    return Path(path)


class AdbServer:
    """A running adb server and its client. Use `running_adb_server`."""

    def __init__(self, folder: Path, adb: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.adb = adb
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to use this server, and no other.

        A server that is started with it looks for no phone on USB or on the network: those are another server's.
        """
        return {"ANDROID_ADB_SERVER_PORT": str(self.port), "HOME": str(self.folder),
                "ANDROID_USER_HOME": str(self.folder / ".android"), "ADBUTILS_ADB_PATH": str(self.adb),
                "ANDROID_ADB_LOG_PATH": str(self.folder / "adb.log"), "ADB_USB": "0", "ADB_MDNS": "0"}

    @property
    def pid(self) -> int:
        """The server's process. Raises InfrastructureError when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise InfrastructureError("the adb server does not run", hint="start it")
        return self._process.pid

    def start(self, within_s: float = START_WITHIN_S) -> None:
        """Start it, and wait until it answers. Raises InfrastructureError with its last words, DeadlineExceeded."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([self.adb, "-P", str(self.port), "server", "nodaemon"], env=self._whole(),
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = Deadline(within_s)
        while not self._answers():
            if self._process.poll() is not None:
                said = (self.folder / "server.log").read_text(errors="replace").splitlines()
                raise InfrastructureError(f"the adb server ended: {' '.join(said[-3:])}")
            deadline.check("the adb server")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End it by force, as another tool might; nothing starts it again but `start` or a client."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def run(self, *arguments: str, within_s: float = RUN_WITHIN_S,
            given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run the client on this server to its end, with `given` as its input. Raises DeadlineExceeded."""
        try:
            return subprocess.run([self.adb, *arguments], env=self._whole(), input=given, capture_output=True,
                                  timeout=within_s, check=False)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(f"adb {' '.join(arguments)}: no end within {within_s:g} s") from None

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the client on this server, its three streams as pipes."""
        return subprocess.Popen([self.adb, *arguments], env=self._whole(), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def state(self, serial: str) -> str:
        """What `adb devices` says of a phone: `device`, `offline`, `unauthorized`...; empty when it is not listed."""
        lines = self.run("devices").stdout.decode(errors="replace").splitlines()
        states = dict(line.split("\t", 1) for line in lines if "\t" in line)
        return states.get(serial, "")

    def connect(self, phone: Phone, within_s: float = CONNECT_WITHIN_S, state: str = "device") -> None:
        """Connect to a phone, and wait until it is in the state. Raises DeadlineExceeded.

        adb's own answer is not read: at the first connection to a secure phone it tells of a failure that is none.
        """
        self.run("connect", phone.serial)
        self.wait_for(phone.serial, [state], within_s)

    def wait_for(self, serial: str, states: Sequence[str], within_s: float = CONNECT_WITHIN_S) -> str:
        """The phone's state once it is one of `states`. Raises DeadlineExceeded."""
        deadline = Deadline(within_s)
        while (found := self.state(serial)) not in states:
            deadline.check(f"adb to call {serial} {' or '.join(states)} (it says {found or 'nothing'})")
            time.sleep(POLL_S)
        return found

    def wait_answering(self, phone: Phone, within_s: float = CONNECT_WITHIN_S) -> None:
        """Return once a phone that was away runs commands again; adb may call it `device` before it notices the loss.

        Raises DeadlineExceeded.
        """
        deadline = Deadline(within_s)
        while self.run("-s", phone.serial, "shell", "echo", "here", within_s=within_s).stdout.strip() != b"here":
            deadline.check(f"{phone.serial} to run a command")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End it, and a server that a client may have started in its place. Idempotent."""
        self.kill()
        if self._answers():
            with suppress(DeadlineExceeded):
                self.run("kill-server", within_s=KILL_WITHIN_S)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"000chost:version")
                return connection.recv(4) == b"OKAY"
        except OSError:
            return False

    def _whole(self) -> dict[str, str]:
        """This process's environment without what would lead adb elsewhere."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("ANDROID_", "ADB")) and name != "HOME"}
        return kept | self.environment


@contextmanager
def running_adb_server(folder: Path, adb: Path | None = None) -> Iterator[AdbServer]:
    """A server with `folder` as its home, until the block ends. `adb` is by default what `find_adb` finds.

    Raises ConfigError, InfrastructureError, DeadlineExceeded.
    """
    server = AdbServer(folder, adb or find_adb())
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
