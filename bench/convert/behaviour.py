"""The probe's part in the child: run the source, look at what changes, and write the reference outputs.

A model is not a function of its inputs when it keeps state or draws random numbers. The two are told apart by the seed
of all random numbers and by a fresh instance:

    instance A   sample 0 with seed 1, again with seed 2, the other samples, sample 0 with seed 1 at the end
    instance B   sample 0 with seed 1, and again with seed 1

Both calls of A with seed 1 differ: state. The second calls of A and B (other seeds, the same history) differ: random
numbers. The first calls of A and B differ: randomness that no seed reaches, or a factory that makes another model each
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.convert.execute import read_samples
from bench.convert.measures import sqnr_db
from bench.convert.probe import Probe
from bench.convert.reference import FRAMEWORK
from bench.convert.wire import work_from_json
from bench.errors import ConfigError

Array = npt.NDArray[np.generic]

SAME_DB = 60.0
"""Floating-point outputs that differ by less are the same: threads add up in another order."""
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


def same(wanted: Sequence[Array], found: Sequence[Array]) -> bool:
    """Whether these are the same outputs: as many, of the same shapes, equal but for rounding."""
    if len(wanted) != len(found):
        return False
    return all(_same(one, other) for one, other in zip(wanted, found, strict=True))


def _same(wanted: Array, found: Array) -> bool:
    if wanted.shape != found.shape:
        return False
    if not np.issubdtype(wanted.dtype, np.floating):
        return np.array_equal(wanted, found)
    finite = np.isfinite(wanted.astype(np.float64))
    if not np.array_equal(np.where(finite, 0, wanted), np.where(finite, 0, found), equal_nan=True):
        return False
    return sqnr_db(wanted[finite], found[finite]) > SAME_DB

