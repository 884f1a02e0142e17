"""Run a child that may crash, hang or eat the machine, and say in one line how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import site
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import bench
from bench.units import MIB

POLL_SECONDS = 0.1
"""How often memory is looked at: a child can overshoot its limit by what it can touch in this time."""

Ending = Literal["exited", "crashed", "timeout", "memory", "stopped"]


@dataclass(frozen=True)
class Limits:
    """What one child may use, and how many threads it is told to start."""

    timeout_s: float = 900.0
    memory_mib: int = 8192
    threads: int = 1


@dataclass(frozen=True)
class ChildOutcome:
    """How a child ended: `reason` is "" when it exited with status 0, else one line."""

    ending: Ending
    status: int
    reason: str
    seconds: float
    peak_rss_mib: float


def run_child(argv: Sequence[str], *, timeout_s: float, memory_mib: int, log: Path, cwd: Path, threads: int = 1,
              stop: threading.Event | None = None) -> ChildOutcome:
    """Run `argv` in `cwd` as its own process group with a throw-away HOME; everything it prints goes to `log`.

    The group is killed when its resident memory exceeds `memory_mib` (sampled, shared pages counted per process), after
    `timeout_s`, when `stop` is set, and on any exception here. Nothing of it runs when this returns.
    """
    home, scratch = cwd / "home", cwd / "tmp"
    home.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    started = time.monotonic()
    with log.open("ab") as stream:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, cwd=cwd,
                                   env=child_environment(home, scratch, threads), start_new_session=True)
    try:
        ending, peak = _watch(process, timeout_s, memory_mib, stop)
    finally:
        _kill_group(process)
    seconds = time.monotonic() - started
    reason = _reason(ending, process.returncode, peak, timeout_s, memory_mib)
    return ChildOutcome(ending, process.returncode, reason, seconds, peak / MIB)


def child_environment(home: Path, scratch: Path, threads: int) -> dict[str, str]:
    """The environment of a child: this process's, with its own HOME and TMPDIR, few threads and a fixed hash seed.

    The package `bench` and the user's own site-packages stay importable although HOME has moved.
    """
    count = str(threads)
    package_root = str(Path(bench.__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "TMPDIR": str(scratch),
            "PYTHONUSERBASE": site.getuserbase(), "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
            "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}


def python_argv(module: str, *arguments: str) -> list[str]:
    """The command that runs `python -m module arguments` under this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def group_rss_bytes(group: int) -> int:
    """Resident memory of all processes of a process group, from /proc; 0 when there is none."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            # comm may hold spaces and parentheses: the fields are counted behind its last ')'.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * page
    return total


def _watch(process: subprocess.Popen[bytes], timeout_s: float, memory_mib: int,
           stop: threading.Event | None) -> tuple[Ending, int]:
    end = time.monotonic() + timeout_s
    peak = 0
    while True:
        try:
            status = process.wait(timeout=POLL_SECONDS)
            return ("crashed" if status < 0 else "exited"), peak
        except subprocess.TimeoutExpired:
            peak = max(peak, group_rss_bytes(process.pid))
        if peak > memory_mib * MIB:
            return "memory", peak
        if time.monotonic() > end:
            return "timeout", peak
        if stop is not None and stop.is_set():
            return "stopped", peak


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, and collect it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reason(ending: Ending, status: int, peak: int, timeout_s: float, memory_mib: int) -> str:
    if ending == "memory":
        return f"killed: used {_size(peak / MIB)}, limit {_size(memory_mib)}"
    if ending == "timeout":
        return f"no result within {timeout_s:g} s"
    if ending == "stopped":
        return "stopped: interrupted"
    if ending == "crashed":
        return f"crashed: signal {-status} ({_signal_name(-status)})"
    return "" if status == 0 else f"ended with status {status}"


def _size(mib: float) -> str:
    return f"{mib / 1024:.3g} GiB" if mib >= 1024 else f"{mib:.0f} MiB"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
