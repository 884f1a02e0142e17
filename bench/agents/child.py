"""A worker process as its supervisor sees it: started, listened to, ended."""

from __future__ import annotations

import os
import signal
import site
import subprocess
import sys
import time
from typing import List, Optional

from bench import protocol

LOG_TAIL = 16 * 1024
GONE_WITHIN_S = 2.0
ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bench.agents.worker import main; sys.exit(main())"


def python() -> str:
    """The command that starts Python here: not always sys.executable, which a device's own loader may not start."""
    return os.environ.get("BENCH_PYTHON") or sys.executable


class Child:
    """One trial's worker, in a process group and a folder of its own."""

    def __init__(self, trial: protocol.Message, folder: str, archive: str) -> None:
        self.trial = trial
        self.lines = protocol.Lines()
        self.result_seen = False
        self.deadline = time.monotonic() + trial["deadline_s"]
        home = os.path.join(folder, "home")
        os.makedirs(home)
        self._log = open(os.path.join(folder, "log.txt"), "w+b")
        # A throw-away home, for some runtimes write caches and telemetry there; packages of the real one stay in reach.
        environment = dict(os.environ, HOME=home, TMPDIR=home, XDG_CACHE_HOME=home, PYTHONUSERBASE=site.getuserbase(),
                           PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(
            [python(), "-c", ENTRY, archive], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            env=environment, cwd=folder, start_new_session=True)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdout = self.process.stdout
        os.set_blocking(self.stdout.fileno(), False)
        try:
            self.process.stdin.write(protocol.encode(trial))
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it died at once; its exit status tells

    def read(self) -> Optional[List[bytes]]:
        """The lines it has written since; None at the end of its output."""
        try:
            data = os.read(self.stdout.fileno(), 1 << 16)
        except BlockingIOError:
            return []
        return self.lines.feed(data) if data else None

    def kill(self) -> None:
        """End the whole process group at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def end(self) -> None:
        """Kill it, and return when it is gone, for it writes files until then; or after 2 s: the kernel may hold it."""
        self.kill()
        try:
            self.process.wait(GONE_WITHIN_S)
        except subprocess.TimeoutExpired:
            pass

    def wait(self) -> int:
        """Its exit status, negative for a signal, after everything it started is gone too."""
        self.kill()
        status = self.process.wait()
        self.stdout.close()
        return status

    def log_tail(self) -> str:
        """The end of what it printed."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - LOG_TAIL))
        return self._log.read().decode("utf-8", "replace")

    def close(self) -> None:
        self._log.close()
