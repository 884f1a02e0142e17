"""The output of a device's own command: bounded in time and size, without this agent's libraries and input."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from typing import List, Optional

MOST_BYTES = 1 << 20


class Unanswered(Exception):
    """A command that did not start, did not end in time, or would not stop talking."""


def output(argv: List[str], within_s: float) -> str:
    """What `argv` prints, on both its outputs. Raises Unanswered; never takes much longer than `within_s`."""
    # What a bundled Python was started with would mislead the system's own programs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LD_", "PYTHON"))}
    try:
        # Not stdin: that is the conversation with the host. A session of its own, so that all of it can be ended.
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=environment, start_new_session=True)
    except OSError as error:
        raise Unanswered("{} does not start: {}".format(argv[0], error.strerror)) from None
    assert process.stdout is not None
    try:
        said = _read(process.stdout.fileno(), within_s)
    finally:
        _end(process)
    if said is None:
        raise Unanswered("{} did not end within {:g} s or {} KiB".format(
            " ".join(argv), within_s, MOST_BYTES >> 10))
    return said.decode("utf-8", "replace")


def _read(descriptor: int, within_s: float) -> Optional[bytes]:
    until = time.monotonic() + within_s
    said = b""
    while len(said) <= MOST_BYTES:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        data = os.read(descriptor, 1 << 16)
        if not data:
            return said
        said += data
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    assert process.stdout is not None
    process.stdout.close()
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        pass  # stuck in the kernel: it is reaped when it gets out
