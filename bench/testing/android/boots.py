"""The keeper's other side: start it, let it boot the phone, be born in the phone, end it all."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import bench
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.testing.android import kernel
from bench.testing.android.layout import IN_PROC
from bench.testing.android.needs import IDS, QEMU

_ANSWER_WITHIN_S = 20.0
_GONE_WITHIN_S = 20.0


class Keeper:
    """The process that owns the phone's namespaces; `close` ends it and all that runs in them."""

    def __init__(self, folder: Path, data_bytes: int, shell: int) -> None:
        """Start it for the phone laid out in `folder`. Raises InfrastructureError."""
        settings = {"root": str(folder / "root"), "data": str(folder / "data"), "binfmt": str(folder / "binfmt"),
                    "proc_files": str(folder / "proc"), "proc": IN_PROC, "data_bytes": data_bytes, "shell": shell,
                    "qemu": shutil.which(QEMU)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.keeper", json.dumps(settings)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path(bench.__file__).parents[1])},
            start_new_session=True)
        try:
            self._said()
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{self._process.pid}/{kind}").write_text(f"0 0 {IDS}")
            self._send("mapped")
            self._said()
        except BaseException:
            self.close()
            raise

    def boot(self) -> int:
        """The number of a new first process. Raises InfrastructureError."""
        self._send("boot")
        return int(str(self._said()["init"]))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _send(self, word: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise InfrastructureError("the emulated phone's keeper has ended") from None

    def _said(self) -> dict[str, object]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _ANSWER_WITHIN_S)[0]:
            raise DeadlineExceeded(f"the emulated phone's keeper said nothing for {_ANSWER_WITHIN_S:g} s")
        said: dict[str, object] = json.loads(self._process.stdout.readline() or '{"error": "its keeper ended"}')
        if "error" in said:
            raise InfrastructureError(f"the emulated phone did not start: {said['error']}")
        return said


@contextlib.contextmanager
def born_in(init: int, cores: int) -> Iterator[None]:
    """What this thread starts meanwhile is born in the namespace of the process `init`, on its first `cores` cores.

    Born there, not moved there: it needs no process of ours between it and us, so signals and exit status are its own.
    """
    allowed = os.sched_getaffinity(0)
    with _opened(f"/proc/{init}/ns/pid") as theirs, _opened("/proc/self/ns/pid") as ours:
        kernel.children_enter_pids(theirs)
        try:
            os.sched_setaffinity(0, allowed & set(range(cores)) or allowed)
            yield
        finally:
            os.sched_setaffinity(0, allowed)
            kernel.children_enter_pids(ours)


def kill_init(init: int, children: Iterable[subprocess.Popen[bytes]]) -> None:
    """Kill a first process, and with it all in its namespace; return when they are gone. Raises DeadlineExceeded.

    The kernel keeps it until every process born there is reaped, so those that this process started are reaped here.
    """
    try:
        watch = os.pidfd_open(init)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(watch, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GONE_WITHIN_S)
        if not select.select([watch], [], [], _GONE_WITHIN_S)[0]:
            raise DeadlineExceeded(f"the emulated phone was still running {_GONE_WITHIN_S:g} s after it was killed")
    finally:
        os.close(watch)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
