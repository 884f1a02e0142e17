"""Run a model file on samples through the runtime that a device uses, and tell its tensors in the model's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.agents import runtimes
from bench.convert.encoding import decode, encode
from bench.convert.varying import each, gathered
from bench.errors import ModelError
from bench.models.spec import ModelInfo, TensorSpec
from bench.words import DELEGATES_OF_RUNTIME, RUNTIME_OF_FORMAT

Array = npt.NDArray[np.generic]
Samples = Mapping[str, Array]


@dataclass(frozen=True)
class Executed:
    """A file's own tensors in the model's order, and its outputs on all samples: one array (n, *shape) each
    (shapes that vary by sample: `bench.convert.varying`).

    `places` tells for each input at which place the file takes it.
    Quantized outputs are dequantized to float32; others are as the file gives them.
    """

    inputs: tuple[TensorSpec, ...]
    places: tuple[int, ...]
    outputs: tuple[TensorSpec, ...]
    values: tuple[Array, ...]


def read_samples(path: Path, inputs: Sequence[TensorSpec]) -> dict[str, Array]:
    """The samples of every input from an .npz, keyed by name, each (n, *shape).

    Raises ModelError when an input is missing or has another shape.
    """
    with np.load(path, allow_pickle=False) as arrays:
        missing = [spec.name for spec in inputs if spec.name not in arrays.files]
        if missing:
            raise ModelError(f"no samples for the input {missing[0]!r} (found: {', '.join(arrays.files) or 'none'})")
        samples = {spec.name: arrays[spec.name] for spec in inputs}
    for spec in inputs:
        if samples[spec.name].shape[1:] != spec.shape or not len(samples[spec.name]):
            raise ModelError(f"samples of the input {spec.name!r} have the shape {samples[spec.name].shape}, "
                             f"not (n, {', '.join(map(str, spec.shape))}) with n of at least 1")
    return samples


def run_file(info: ModelInfo, inputs: Sequence[TensorSpec], samples: Samples, threads: int = 1) -> Executed:
    """Run the file on every sample.

    Raises ModelError when its inputs are not as many as the model's; the runtime's own errors pass through.
    """
    runtime = RUNTIME_OF_FORMAT[info.format]
    loaded = runtimes.get(runtime).load(str(info.path), DELEGATES_OF_RUNTIME[runtime][0], threads, {})
    own = _file_tensors(loaded.inputs, info.inputs) or tuple(inputs)
    order = calling_order(inputs, own)
    given = tuple(replace(own[place], shape=spec.shape) for place, spec in zip(order, inputs, strict=True))
    rows: list[list[Array]] = []
    for index in range(len(samples[inputs[0].name])):
        arrays: list[Array] = [np.empty(0)] * len(own)
        for place, spec, tensor in zip(order, inputs, given, strict=True):
            arrays[place] = encode(samples[spec.name][index], tensor)
        loaded.bind(arrays)
        loaded.invoke()
        rows.append([np.array(array) for array in loaded.read()])
    outputs = _output_specs(_file_tensors(loaded.outputs, info.outputs), rows[0])
    return Executed(given, tuple(order), outputs, tuple(_real(gathered(column), spec)
                                                        for column, spec in zip(zip(*rows, strict=True), outputs,
                                                                                strict=True)))


def calling_order(inputs: Sequence[TensorSpec], own: Sequence[TensorSpec]) -> list[int]:
    """For each of the model's inputs the place of the file's input that takes it: by name, else by position.

    Raises ModelError when the file has more or fewer inputs than the model.
    """
    if len(own) != len(inputs):
        raise ModelError(f"the file takes {len(own)} inputs ({', '.join(spec.name for spec in own)}), "
                         f"the model {len(inputs)} ({', '.join(spec.name for spec in inputs)})")
    places = {spec.name: place for place, spec in enumerate(own)}
    if set(places) == {spec.name for spec in inputs}:
        return [places[spec.name] for spec in inputs]
    return list(range(len(inputs)))


def _file_tensors(loaded: Sequence[runtimes.Tensor], told: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
    """What the runtime says of the tensors, with the quantization that the file tells; the file's word if it is all."""
    if not loaded:
        return tuple(told)
    by_name = {spec.name: spec for spec in told}
    specs = []
    for place, tensor in enumerate(loaded):
        known = by_name.get(tensor.name) or (told[place] if len(told) == len(loaded) else None)
        dtype = tensor.dtype or (known.dtype if known else "float32")
        specs.append(TensorSpec(tensor.name, tuple(tensor.shape or ()), dtype, known.quantization if known else None))
    return tuple(specs)


def _output_specs(told: Sequence[TensorSpec], arrays: Sequence[Array]) -> tuple[TensorSpec, ...]:
    """The outputs as they came, under the names (and with the quantization) that the file tells."""
    if len(told) == len(arrays):
        return tuple(replace(spec, shape=array.shape, dtype=array.dtype.name)
                     for spec, array in zip(told, arrays, strict=True))
    return tuple(TensorSpec(f"output_{place}", array.shape, array.dtype.name) for place, array in enumerate(arrays))


def _real(array: Array, spec: TensorSpec) -> Array:
    return array if spec.quantization is None else each(lambda part: decode(part, spec), array)
