"""What lies behind the daemon: where a phone's commands run and its files lie."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from bench.deadline import Deadline

END_WITHIN_S = 10.0
MARK = "BENCH_PHONE"
"""The environment variable by which a HostRoot knows its processes again."""


class Root(Protocol):
    """The inside of a phone."""

    @property
    def owner(self) -> tuple[int, int]:
        """User and group, on this machine, of the files that are pushed."""

    def spawn(self, line: str, *, pty: bool = False) -> subprocess.Popen[bytes]:
        """Run `sh -c line` (a login shell for an empty line) as the phone's shell user; see `start` for its streams.

        The process id is the shell's own: what stands before the shell must exec it.
        """

    def path(self, remote: str, *, follow: bool = True) -> Path:
        """The path on this machine of a file on the phone; of a link itself without `follow`.

        Raises OSError for one that the shell user may not reach.
        """

    def power_cycle(self) -> None:
        """End all that runs on the phone, as a power cut does; a root with a boot id of its own takes a new one.

        Raises DeadlineExceeded.
        """


def start(argv: Sequence[str], *, pty: bool = False, folder: Path | None = None,
          environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, unbuffered.

    Without `pty` its three streams are pipes. With it, they are a terminal: `stdin` and `stdout` are its other end,
    `stderr` is None. Raises OSError.
    """
    if not pty:
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                start_new_session=True, cwd=folder, env=environment)
    ours, theirs = os.openpty()
    try:
        child = subprocess.Popen(["setsid", "--ctty", *argv], stdin=theirs, stdout=theirs, stderr=theirs,
                                 cwd=folder, env=environment)
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    child.stdin = child.stdout = os.fdopen(ours, "r+b", buffering=0)
    return child


class HostRoot:
    """This machine's own shell in a folder: quick, and no Android.

    Paths on the "phone" are this machine's; the sync service reaches only those below the folder. HOME and TMPDIR are
    the folder. The boot id is this machine's, whatever happens.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._mark = secrets.token_hex(8)

    @property
    def owner(self) -> tuple[int, int]:
        return os.getuid(), os.getgid()

    def spawn(self, line: str, *, pty: bool = False) -> subprocess.Popen[bytes]:
        environment = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "PATH": "/usr/bin:/bin",
                       "TERM": "dumb", MARK: self._mark}
        argv = ["/bin/sh", "-c", line] if line else ["/bin/sh", "-l"]
        return start(argv, pty=pty, folder=self.folder, environment=environment)

    def path(self, remote: str, *, follow: bool = True) -> Path:
        path = Path(os.path.normpath(remote))
        if not path.is_relative_to(self.folder):
            raise PermissionError(13, "Permission denied", remote)
        return path

    def power_cycle(self) -> None:
        """End all processes of this root. Raises DeadlineExceeded."""
        deadline = Deadline(END_WITHIN_S)
        while found := self._processes():
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            deadline.check("the end of the phone's processes")

    def _processes(self) -> list[int]:
        """All living processes that carry this root's mark, wherever they have moved themselves."""
        wanted = f"{MARK}={self._mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # ended meanwhile, or another user's
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found
