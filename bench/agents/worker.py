"""One trial in its own process: load, first inference, warm-up, samples; then load anew and verify.

Its standard input holds the trial message; file descriptor 1 carries its own messages to the supervisor. Native
libraries print to descriptor 1 as well, so the first thing it does is to keep that for itself and to send what they
print to the log.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import sys
from time import perf_counter_ns
from typing import Any, BinaryIO, Callable, Dict, List, NamedTuple, Optional

from bench import protocol
from bench.agents import cores, inputs, latency, runtimes, site, verifying
from bench.agents.inputs import Arrays
from bench.agents.probes import memory
from bench.agents.reasons import one_line

_PR_SET_PDEATHSIG = 1
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE)


def main() -> int:
    """Run the trial that standard input describes. Exit code 0 after a result or a reported failure."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    trial = json.loads(sys.stdin.buffer.readline().decode("utf-8"))
    _die_with(trial["supervisor"])
    site.use_wheels()
    speaker = _Speaker(channel, trial["trial"])
    try:
        result = run(trial, speaker)
    except MemoryError as error:
        speaker.say("failed", kind="memory", message="out of memory: {}".format(error))
    except Exception as error:  # the edge of the worker: whatever a runtime raises is a result
        speaker.say("failed", kind=kind_of(error), message=one_line(error))
    else:
        speaker.say("result", **result)
    channel.flush()
    # Some runtimes crash while they are taken down; what was measured is out already.
    sys.stderr.flush()
    os._exit(0)


def kind_of(error: Exception) -> str:
    """Whether the disk is full or fails, something is missing here, cores cannot be had, or the runtime raised it."""
    number = error.errno if isinstance(error, OSError) else None
    words = str(error).lower()  # of native code, which says no number
    if number in _DISK or any(os.strerror(each).lower() in words for each in _DISK):
        return "disk"
    if isinstance(error, ImportError):
        return "import"
    if isinstance(error, cores.NotPinned):
        return "cores"
    return "raised"


def run(trial: protocol.Message, speaker: _Speaker) -> Dict[str, Any]:
    """Measure as `trial` says, and give back the result message's fields.

    The model that was timed is gone before the file is loaded anew to be verified: memory holds one of them at a time,
    and verification begins where the host's reference began, whatever state the timed model was left in.
    """
    deadline = perf_counter_ns() + trial["deadline_s"] * 1e9
    pinned = cores.pin(trial.get("cores"))  # before anything starts threads, which inherit it
    speaker.say("phase", name="import")
    start = perf_counter_ns()
    import numpy

    runtime = runtimes.get(trial["runtime"])
    version = runtime.version()
    runtime.import_library()
    record = _Record({"import_ns": perf_counter_ns() - start}, {"after_import_bytes": memory.peak_rss()}, {}, {})
    samples = inputs.read_samples(trial["inputs"])

    def load() -> runtimes.Loaded:
        return runtime.load(trial["artifact"], trial["delegate"], trial["threads"], trial["options"])

    if trial["kind"] == "latency":
        _time(load, samples, trial["measure"], record, deadline, speaker)
    _verify(load, samples, trial["outputs"], record, speaker)
    return {
        "cores": cores.still(pinned), "phases": record.phases, "memory": record.memory, "findings": record.findings,
        "versions": {"runtime": version, "numpy": numpy.__version__, "python": sys.version.split()[0]},
        **record.fields,
    }


class _Record(NamedTuple):
    """What has become known of a trial."""

    phases: Dict[str, int]
    memory: Dict[str, Optional[int]]
    findings: Dict[str, Any]
    fields: Dict[str, Any]


Load = Callable[[], runtimes.Loaded]


def _time(load: Load, samples: List[Arrays], asked: Dict[str, Any], record: _Record, deadline: float,
          speaker: _Speaker) -> None:
    speaker.say("phase", name="load")
    begin = perf_counter_ns()
    model = load()
    load_ns = record.phases["load_ns"] = perf_counter_ns() - begin
    record.memory["after_load_bytes"] = memory.peak_rss()
    timed = latency.measure(model, samples, asked, lambda: deadline - perf_counter_ns() - 2 * load_ns, speaker.say)
    record.phases.update(timed.phases)
    record.memory.update(timed.memory)
    record.findings.update(timed.findings)
    record.fields.update(timed.fields)


def _verify(load: Load, samples: List[Arrays], path: str, record: _Record, speaker: _Speaker) -> None:
    """After `_time` what that measured stands; else load and first inference are this model's."""
    speaker.say("phase", name="load")
    begin = perf_counter_ns()
    model = load()
    first = "load_ns" not in record.phases
    record.phases["load_ns" if first else "reload_ns"] = perf_counter_ns() - begin
    record.memory.setdefault("after_load_bytes", memory.peak_rss())
    verified = verifying.verify(model, samples, path, speaker.say)
    record.phases["verify_ns"] = verified.verify_ns
    record.phases.setdefault("first_ns", verified.first_ns)
    record.memory.setdefault("peak_rss_bytes", verified.peak_rss_bytes)
    record.memory.setdefault("pss_bytes", memory.pss())
    record.findings["inputs_changed"] = record.findings.get("inputs_changed", False) or verified.inputs_changed
    record.fields["outputs"] = verified.outputs


def _die_with(supervisor: int) -> None:
    """Ask the kernel to kill this process when its parent dies, however that happens; end now if it is dead already."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        pass
    if os.getppid() != supervisor:
        os._exit(1)


class _Speaker:
    """Writes the worker's messages."""

    def __init__(self, channel: BinaryIO, trial: str) -> None:
        self._channel = channel
        self._trial = trial

    def say(self, what: str, /, **fields: Optional[Any]) -> None:
        self._channel.write(protocol.encode({"type": what, "trial": self._trial, **fields}))
        self._channel.flush()
