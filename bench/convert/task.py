"""Hand one task to a child and bring back its answer, or why there is none."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

from bench.convert.process import ChildOutcome, Limits, python_argv, run_child
from bench.convert.wire import UNANSWERED, Failure, read_json, write_json

ATTEMPTS = 2
FULL_BYTES = 64 * 1024
"""With less free than this a failure is put down to the disk: what native code says of a full disk varies."""


def perform(job: dict[str, Any], folder: Path, log: Path, limits: Limits,
            stop: threading.Event | None = None) -> dict[str, Any] | Failure:
    """The answer of `bench.convert.child` to `job`, run in `folder`, what it prints in `log`; a Failure says why not.

    A child that the system killed is started again, once: for what others did to memory it is not to blame.
    `folder` must be on the file system of what the task writes. OSError when the job cannot be written.
    """
    result = folder / "result.json"
    write_json(folder / "job.json", {**job, "parent": os.getpid(), "result": str(result)})
    for _ in range(ATTEMPTS):
        result.unlink(missing_ok=True)
        outcome = run_child(python_argv("bench.convert.child", str(folder / "job.json")), timeout_s=limits.timeout_s,
                            memory_mib=limits.memory_mib, threads=limits.threads, log=log, cwd=folder, stop=stop)
        if outcome.status != -signal.SIGKILL or outcome.ending != "crashed":
            break
    answer = read_json(result)
    if not outcome.reason and "ok" in answer:
        found: dict[str, Any] = answer["ok"]
        return found
    if shutil.disk_usage(folder).free < FULL_BYTES:
        return Failure(f"no space left on the disk of {folder.parent.parent}", "infrastructure", lasting=False)
    if "error" in answer:
        return Failure(**answer["error"])
    return _without_answer(outcome, str(answer.get("phase", "")))


def _without_answer(outcome: ChildOutcome, phase: str) -> Failure:
    """Before its first phase a child has done nothing of the model yet."""
    reason = outcome.reason or "ended without a result"
    if outcome.status == UNANSWERED:
        return Failure("this host could not read the job or keep its result: see its log", "infrastructure",
                       lasting=False)
    by_host = outcome.ending == "stopped" or (not phase and outcome.ending in ("exited", "crashed"))
    return Failure(f"{reason} while {phase}" if phase else reason, "infrastructure" if by_host else "model",
                   lasting=False)
