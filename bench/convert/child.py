"""`python -m bench.convert.child JOB.json`: one task in a process of its own, its answer in a file.

The job names its `task` ("variant", "reference", "tables" or "probe"), the `parent` that started it, and where the
`result` goes. While it works the result holds {"phase": ...}, in the end {"ok": ...} or
{"error": {reason, fault, lasting}}.
What is printed, by Python or by native code, goes to fd 1 and 2, which the parent has pointed at the log.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import sys
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.agents.reasons import shortened
from bench.convert.wire import UNANSWERED, Failure, passed_to_json, read_json, work_from_json, write_json
from bench.errors import BenchError, MissingExtra, ModelError
from bench.host import is_shortage
from bench.transports.text import whole

MAX_FILE_BYTES = 32 * 1024**3
REASON_CHARS = 300
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Do the job of `arguments[0]`; 0, and how it went is in the result file; `UNANSWERED` where it cannot be."""
    try:
        return _do(read_json(Path(arguments[0])))
    except OSError:
        traceback.print_exc()
        return UNANSWERED


def _do(job: dict[str, Any]) -> int:
    _die_with_parent(int(job["parent"]))
    _limit_resources()
    result = Path(job["result"])
    try:
        answer = {"ok": _TASKS[job["task"]](job, result)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Converters also call sys.exit; whatever it was, the parent wants one line and the log the rest.
        traceback.print_exc()
        failure = failure_of(error, job.get("extra", ""), job.get("purpose", "this"))
        answer = {"error": asdict(_without_folders(failure, job))}
    write_json(result, answer)
    return 0


PASSING = ("allocate memory", "bad alloc", "bad_alloc", "out of memory", "timed out", "connection")
"""Words of failures that another try may not meet."""


def failure_of(error: BaseException, extra: str, purpose: str) -> Failure:
    """One line for an exception, whose fault it is, and whether the same job would fail the same way again."""
    if isinstance(error, BenchError):
        return Failure(_shorten(error.message), error.fault, lasting=isinstance(error, ModelError))
    if isinstance(error, ModuleNotFoundError) and error.name and extra:
        missing = MissingExtra(error.name.partition(".")[0], extra, purpose)
        return Failure(f"{missing.message} ({missing.hint})", missing.fault, lasting=False)
    if isinstance(error, MemoryError):
        return Failure("out of memory", "infrastructure", lasting=False)
    if isinstance(error, OSError) and error.errno is not None and is_shortage(os.strerror(error.errno)):
        where = error.filename or "the work folder"
        return Failure(f"{os.strerror(error.errno)}: {where}", "infrastructure", lasting=False)
    reason = one_line(error)
    if is_shortage(reason):
        return Failure(reason, "infrastructure", lasting=False)
    passing = isinstance(error, OSError | ImportError) or any(word in reason.lower() for word in PASSING)
    return Failure(reason, "model", lasting=not passing)


def _without_folders(failure: Failure, job: dict[str, Any]) -> Failure:
    """The failure without the throw-away folder that it happened in: a row says `model.onnx`, not where it was."""
    folder = str(Path(job["work"]["output"]).parent) + os.sep
    return replace(failure, reason=failure.reason.replace(folder, ""))


def one_line(error: BaseException) -> str:
    """The converter's own words in one line: the class and the first telling line of the innermost cause."""
    seen = {id(error)}
    while error.__cause__ is not None and id(error.__cause__) not in seen:
        error = error.__cause__
        seen.add(id(error))
    lines = [line.strip() for line in str(error).splitlines() if any(letter.isalnum() for letter in line)]
    return _shorten(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _make_variant(job: dict[str, Any], result: Path) -> dict[str, Any]:
    from bench.convert.gate import check

    work = work_from_json(job["work"])
    module, _, name = job["function"].partition(":")
    write_json(result, {"phase": "converting"})
    getattr(importlib.import_module(module), name)(work)
    if not work.output.is_file() or not work.output.stat().st_size:
        raise ModelError("the converter ended without an error and wrote no file")
    write_json(result, {"phase": "checking the outputs"})
    return passed_to_json(check(work, job["format"], Path(job["reference"]), Path(job["verification"])))


def _make_reference(job: dict[str, Any], result: Path) -> dict[str, Any]:
    from bench.convert.reference import write_reference

    write_json(result, {"phase": "running the model"})
    write_reference(job)
    return {}


def _make_probe(job: dict[str, Any], result: Path) -> dict[str, Any]:
    from bench.convert.behaviour import probed
    from bench.convert.probe import probe_to_json

    write_json(result, {"phase": "running the model"})
    return probe_to_json(probed(job))


def _find_tables(job: dict[str, Any], result: Path) -> dict[str, Any]:
    from bench.convert.tables import watched_tables

    write_json(result, {"phase": "running the model"})
    return watched_tables(job)


_TASKS = {"variant": _make_variant, "reference": _make_reference, "tables": _find_tables, "probe": _make_probe}


def _shorten(text: str) -> str:
    return shortened(whole(text), REASON_CHARS)


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    limit = MAX_FILE_BYTES if hard == resource.RLIM_INFINITY else min(MAX_FILE_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    # Without this a write beyond the limit is a signal, not an error that can be told.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
