"""The probe's part in the child: run the source, look at what changes, and write the reference outputs.

A model is not a function of its inputs when it keeps state or draws random numbers. The two are told apart by the seed
of all random numbers and by a fresh instance:

    instance A   sample 0 with seed 1, again with seed 2, the other samples, sample 0 with seed 1 at the end
    instance B   sample 0 with seed 1, and again with seed 1

Both calls of A with seed 1 differ: state. The second calls of A and B (other seeds, the same history) differ: random
numbers. The first calls of A and B differ: randomness that no seed reaches, or a factory that makes another model each
time. What differs: see `sameness`. Where calls change buffers or attributes and outputs do not follow at once, more
calls of B are made: see `late_state`.
"""

from __future__ import annotations

from typing import Any

from bench.convert.execute import read_samples
from bench.convert.probe import Probe
from bench.convert.reference import FRAMEWORK
from bench.convert.wire import work_from_json
from bench.errors import ConfigError

UNSEEN_STATE = "something outside its buffers and attributes"
UNSEEN_RANDOM = "random numbers or state from outside the model"


def probed(job: dict[str, Any]) -> Probe:
    """What the model of a job does; its outputs on the samples are written to the work's output, as a reference.

    Raises what the model raises.
    """
    work = work_from_json(job["work"])
    samples = read_samples(work.calibration, work.inputs)
    if work.source.kind in FRAMEWORK:
        from bench.convert.module_behaviour import probed_module

        try:
            return probed_module(work, samples)
        except ConfigError as error:
            return Probe((), mismatch=error.line)
    from bench.convert.file_behaviour import probed_file

    return probed_file(work, samples)
