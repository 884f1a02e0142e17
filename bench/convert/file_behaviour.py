"""The probe of a model file (ONNX, TFLite), run by the runtime that a device uses. What it tells: see `behaviour`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.convert.behaviour import UNSEEN_RANDOM, UNSEEN_STATE
from bench.convert.execute import Executed, Samples, run_file
from bench.convert.probe import Probe
from bench.convert.recipe import Work
from bench.convert.reference import write_outputs
from bench.convert.sameness import same
from bench.models.open import open_model
from bench.models.spec import ModelInfo

Array = npt.NDArray[np.generic]

DRAWS = 8
"""Calls of the first sample in a fresh instance: a draw that is nearly always the same shows in some of them."""


def probed_file(work: Work, samples: Samples) -> Probe:
    """What the file of `work` does; its outputs are written to the work's output. Raises what its runtime raises."""
    info = open_model(work.source.root / work.source.location, expected=work.source.kind)
    names = tuple(spec.name for spec in work.inputs)
    # The first sample once more at the end: were the others between them without effect?
    turn = {name: np.concatenate([values, values[:1]]) for name, values in samples.items()}
    found = run_file(info, work.inputs, turn)
    same_again = same(_row(found, 0), _row(found, -1))
    state, drawn = _named_operators(info)
    calls = DRAWS if drawn else 1
    fresh = run_file(info, work.inputs, {name: values[:1].repeat(calls, axis=0) for name, values in samples.items()})
    same_fresh = all(same(_row(found, 0), _row(fresh, call)) for call in range(calls))
    write_outputs(work.output, [values[:-1] for values in found.values])
    stateful = not same_again and bool(state or (same_fresh and not drawn))
    random = not same_fresh or (not same_again and not stateful)
    return Probe(found.outputs, names, state=(state or (UNSEEN_STATE,)) if stateful else (),
                 random=(drawn or (UNSEEN_RANDOM,)) if random else (), same_again=same_again, same_fresh=same_fresh)


def _row(found: Executed, index: int) -> list[Array]:
    return [values[index] for values in found.values]


def _named_operators(info: ModelInfo) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file's operators that keep state, and those that draw random numbers."""
    if info.format == "onnx":
        from bench.models.onnx import random_operators

        return (), random_operators(info.path)
    from bench.models.tflite_operators import random_operators as random_of
    from bench.models.tflite_operators import stateful_operators

    return stateful_operators(info.path), random_of(info.path)
