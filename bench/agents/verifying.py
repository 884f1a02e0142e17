"""Running a freshly loaded model on every sample, for the host to compare its outputs with the reference's.

Fresh, and in the samples' order: a model that keeps state between calls gives outputs that follow from all calls
before. The host's reference has run the same samples in the same order from the same beginning.
"""

from __future__ import annotations

import hashlib
from time import perf_counter_ns
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from bench import protocol
from bench.agents import runtimes, timing
from bench.agents.inputs import Arrays, Inputs
from bench.agents.probes import memory


class Verified(NamedTuple):
    """`first_ns` is that of the first inference, `peak_rss_bytes` after it; `inputs_changed` whether any changed its
    inputs."""

    outputs: Dict[str, Any]
    first_ns: int
    peak_rss_bytes: Optional[int]
    verify_ns: int
    inputs_changed: bool


def verify(model: runtimes.Loaded, samples: List[Arrays], path: str, say: Callable[..., None]) -> Verified:
    """Run a model that has run nothing yet on every sample in order, then on the first once more, and write what it
    gives to `path`, an .npz as `bench.protocol` describes it."""
    import numpy

    given = Inputs(model, samples)
    rows: List[List[Any]] = []
    changed = False
    first_ns, peak = 0, None
    say("phase", name="verify")
    begin = perf_counter_ns()
    for number in [*range(len(samples)), 0]:
        given.set(number)
        took = timing.once(model.invoke)
        if not rows:
            first_ns, peak = took, memory.peak_rss()  # before outputs are kept: they are not the model's
        changed = changed or given.changed()
        rows.append([numpy.array(output) for output in model.read()])
    repeated = rows.pop()
    arrays: Dict[str, Any] = {}
    for place, column in enumerate(zip(*rows)):
        if len({output.shape for output in column}) == 1:
            arrays[str(place)] = numpy.stack(column)
        else:
            arrays.update(("{}_{}".format(place, sample), output) for sample, output in enumerate(column))
    arrays.update((protocol.REPEATED + str(place), output[None]) for place, output in enumerate(repeated))
    numpy.savez(path, **arrays)
    with open(path, "rb") as file:
        content = file.read()
    outputs = {"file": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "count": len(rows)}
    return Verified(outputs, first_ns, peak, perf_counter_ns() - begin, changed)
