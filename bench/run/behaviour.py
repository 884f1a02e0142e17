"""What a reader must know of a model that is more than a function of its inputs, as sentences for its rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from bench.convert.probe import Probe
from bench.models.spec import TensorSpec


def remarks(found: Probe, inputs: Sequence[TensorSpec], *, labelled: bool) -> Iterator[str]:
    """What the probe of a model found; `labelled`: it is scored on labelled samples."""
    if found.unnamed:
        yield (f"forward does not tell its arguments' names (*args): its inputs are given in the suite's order "
               f"({_listed(found.unnamed)}); in another order they would be mistaken; functools.wraps in a decorator "
               "keeps the names")
    if found.left_out:
        yield f"its result holds more than tensors ({_listed(found.left_out)}), which no format gives: it is left out"
    if found.changed_inputs:
        size = sum(_bytes(spec) for spec in inputs if spec.name in found.changed_inputs)
        yield (f"changes its input {_listed(found.changed_inputs)} in place; it is exported with a copy, which costs "
               f"{size:,} bytes to copy per inference; operations that are not in place save it")
    if found.state:
        yield (f"keeps state between calls ({_listed(found.state)}): an output depends on the samples before it, and a "
               "format that freezes the state is refused; pass it in and out as an input and an output instead")
        if labelled:
            yield "keeps state between calls: its accuracy is that of the labelled samples in the order of the file"
    if found.changing:
        yield (f"changes {_listed(found.changing)} when it is called; its outputs did not follow within {found.calls} "
               "calls: if they do later, it keeps state between calls, which no format is checked for")
    if found.random:
        yield (f"draws random numbers ({_listed(found.random)}): its outputs are not compared with fp32, only their "
               "shape and that they are finite; pass the noise in as an input to have them compared")
        if labelled:
            yield "draws random numbers: its accuracy is of one draw, and another run's will differ"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _bytes(spec: TensorSpec) -> int:
    return math.prod(size or 1 for size in spec.shape) * np.dtype(spec.dtype).itemsize
