"""Hand one task to a child and bring back its answer, or why there is none."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

from bench.convert.process import ChildOutcome, Limits, python_argv, run_child
from bench.convert.wire import Failure, read_json, write_json

FULL_BYTES = 64 * 1024
"""With less free than this a failure is put down to the disk: what native code says of a full disk varies."""


def perform(job: dict[str, Any], folder: Path, log: Path, limits: Limits,
            stop: threading.Event | None = None) -> dict[str, Any] | Failure:
    """The answer of `bench.convert.child` to `job`, run in `folder`, what it prints in `log`; a Failure says why not.

    `folder` must be on the file system of what the task writes. OSError when the job cannot be written.
    """
    result = folder / "result.json"
    write_json(folder / "job.json", {**job, "parent": os.getpid(), "result": str(result)})
    outcome = run_child(python_argv("bench.convert.child", str(folder / "job.json")), timeout_s=limits.timeout_s,
                        memory_mib=limits.memory_mib, threads=limits.threads, log=log, cwd=folder, stop=stop)
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
    reason = outcome.reason or "ended without a result"
    return Failure(f"{reason} while {phase}" if phase else reason,
                   "infrastructure" if outcome.ending == "stopped" else "model", lasting=False)
