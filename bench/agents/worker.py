"""One trial in its own process: load, first inference, warm-up, samples, verification.

Its standard input holds the trial message; file descriptor 1 carries its own messages to the supervisor. Native
libraries print to descriptor 1 as well, so the first thing it does is to keep that for itself and to send what they
print to the log.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import signal
import sys
from time import perf_counter_ns
from typing import Any, BinaryIO, Dict, List, Optional

from bench import protocol
from bench.agents import cores, runtimes, site, timing
from bench.agents.probes import cpu, memory
from bench.agents.reasons import one_line

_PR_SET_PDEATHSIG = 1


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
    """Whether something is missing here, cores cannot be had, the disk is full, or the runtime raised it."""
    if isinstance(error, ImportError):
        return "import"
    if isinstance(error, cores.NotPinned):
        return "cores"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk" if full else "raised"


def run(trial: protocol.Message, speaker: _Speaker) -> Dict[str, Any]:
    """Measure as `trial` says, and give back the result message's fields."""
    pinned = cores.pin(trial.get("cores"))  # before anything starts threads, which inherit it
    speaker.say("phase", name="import")
    start = perf_counter_ns()
    import numpy

    runtime = runtimes.get(trial["runtime"])
    version = runtime.version()
    runtime.import_library()
    imported = perf_counter_ns()
    after_import = memory.peak_rss()
    samples = _samples(numpy, trial["inputs"])
    speaker.say("phase", name="load")
    begin = perf_counter_ns()
    model = runtime.load(trial["artifact"], trial["delegate"], trial["threads"], trial["options"])
    load_ns = perf_counter_ns() - begin
    phases = {"import_ns": imported - start, "load_ns": load_ns}
    after_load = memory.peak_rss()
    measured = _infer(model, samples, trial, phases, speaker)
    return {
        "cores": cores.still(pinned),
        "phases": phases,
        "memory": {"after_import_bytes": after_import, "after_load_bytes": after_load,
                   "peak_rss_bytes": measured.pop("peak_rss_bytes"), "pss_bytes": memory.pss()},
        "versions": {"runtime": version, "numpy": numpy.__version__, "python": sys.version.split()[0]},
        **measured,
    }


def _infer(model: runtimes.Loaded, samples: List[List[Any]], trial: protocol.Message, phases: Dict[str, Any],
           speaker: _Speaker) -> Dict[str, Any]:
    model.bind(samples[0])
    speaker.say("phase", name="first")
    phases["first_ns"] = timing.once(model.invoke)
    measured: Dict[str, Any] = {}
    if trial["kind"] == "latency":
        measured = _measure(model, trial["measure"], phases, speaker)
    measured.setdefault("peak_rss_bytes", memory.peak_rss())
    speaker.say("phase", name="verify")
    begin = perf_counter_ns()
    measured["outputs"] = _outputs(model, samples, trial["outputs"])
    phases["verify_ns"] = perf_counter_ns() - begin
    return measured


def _measure(model: runtimes.Loaded, measure: Dict[str, Any], phases: Dict[str, Any],
             speaker: _Speaker) -> Dict[str, Any]:
    speaker.say("phase", name="warm-up")
    with timing.no_garbage_collection():
        warm = timing.warm_up(model.invoke, measure)
        peak = memory.peak_rss()  # before samples are kept and sent: they are not the model's
        speaker.say("phase", name="samples")
        before = cpu.usage()
        begin = perf_counter_ns()
        times = timing.sample(model.invoke, measure)
        phases["samples_ns"] = perf_counter_ns() - begin
        used = cpu.since(before)
    for at in range(0, len(times), protocol.SAMPLES_PER_MESSAGE):
        speaker.say("samples", ns=times[at:at + protocol.SAMPLES_PER_MESSAGE].tolist())
    return {
        "peak_rss_bytes": peak,
        "warm_up": {"runs": warm.runs, "ns": warm.ns, "settled": warm.settled},
        "cpu_ns": used,
        "sample_count": len(times),
    }


def _samples(numpy: Any, path: str) -> List[List[Any]]:
    """Per sample, the arrays of all inputs in the file's order, read from an .npz keyed "0", "1", ..."""
    with numpy.load(path, allow_pickle=False) as archive:
        stacks = [archive[str(position)] for position in range(len(archive.files))]
    # The shape is given anew because numpy makes a contiguous scalar one-dimensional.
    return [[numpy.ascontiguousarray(stack[number]).reshape(stack.shape[1:]) for stack in stacks]
            for number in range(len(stacks[0]))]


def _outputs(model: runtimes.Loaded, samples: List[List[Any]], path: str) -> Dict[str, Any]:
    """Run every sample and write the outputs to `path`, an .npz keyed "0", "1", ... with a leading axis of samples."""
    import numpy

    rows: List[List[Any]] = []
    for arrays in samples:
        model.bind(arrays)
        model.invoke()
        rows.append([numpy.array(output) for output in model.read()])
    columns: Dict[str, Any] = {str(position): numpy.stack(column) for position, column in enumerate(zip(*rows))}
    numpy.savez(path, **columns)
    with open(path, "rb") as file:
        content = file.read()
    return {"file": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "count": len(rows)}


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
