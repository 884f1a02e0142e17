"""The full shape and dtype of a model's inputs, from its file, the suite and the data; or what to write for it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.agents.probes.conditions import available_memory
from bench.config.suite import InputConfig
from bench.datasets.arrays import shape_text
from bench.errors import ConfigError, ModelError
from bench.models.spec import TensorSpec

SAMPLES: Final = 20
"""As many are made, to calibrate and to verify on."""
SHARE: Final = 2
"""What they may take of the memory that is left: one part in so many."""
UNKNOWN_MEMORY: Final = 8 << 30
MOST_DIMENSIONS: Final = 32
Array = npt.NDArray[Any]
Shape = tuple[int | None, ...]


def complete(name: str, declared: TensorSpec | None, setting: InputConfig, given: Array | None,
             samples: Array | None) -> TensorSpec:
    """The input's spec with every dimension known.

    `declared` is what the model's file says (None for a factory), `given` the explicit value or file, `samples` the
    dataset's inputs (n, *sample) where this input takes them. Raises ConfigError when they contradict each other, and
    when a dimension stays open: then its hint shows what to write.
    """
    data = given if given is not None else samples
    spec = declared or TensorSpec(name, (), setting.dtype or _natural(data))
    if setting.dtype not in (None, spec.dtype):
        raise ConfigError(f"input {name!r} is {spec.dtype} in the model's file, the suite says {setting.dtype}")
    pattern = None if declared is None else declared.shape
    if setting.shape is not None:
        if pattern is not None and not _matches(pattern, setting.shape):
            raise ConfigError(f"input {name!r} is {shape_text(pattern)} in the model's file, the suite says "
                              f"{shape_text(setting.shape)}")
        return replace(spec, shape=setting.shape)
    if pattern is not None and None not in pattern:
        return spec
    for shape in _candidates(given, samples):
        if pattern is None or _matches(pattern, shape):
            return replace(spec, shape=shape)
    raise _open(name, pattern, spec.dtype, data)


def check_size(spec: TensorSpec, *, by_suite: bool) -> None:
    """Raise ModelError where the samples of an input would not fit into this host's memory: what a file claims is not
    made to see whether it can be. ConfigError where it is the suite that says so (`by_suite`)."""
    # What is no number is told later.
    sample = math.prod(dim for dim in spec.shape if dim is not None) * item_bytes(spec.dtype, 1)
    most = (available_memory() or UNKNOWN_MEMORY) // SHARE // SAMPLES
    if len(spec.shape) <= MOST_DIMENSIONS and sample <= most:
        return
    kind = ConfigError if by_suite else ModelError
    raise kind(f"input {spec.name!r} of shape {shape_text(spec.shape)} takes {_power(sample)} bytes a sample: wanted "
               f"at most {MOST_DIMENSIONS} dimensions and {most:.3g} bytes, of which this host holds {SAMPLES} samples",
               hint="give the model a smaller input" + ("" if by_suite else ", or see whether its file is whole"))


def _power(count: int) -> str:
    """A number that a file may claim, however large."""
    return f"{count:.3g}" if count < 1 << 1000 else "more than 1e+300"


def item_bytes(dtype: str, otherwise: int) -> int:
    """Bytes of one value of a type; `otherwise` of one that numpy does not have."""
    try:
        return np.dtype(dtype).itemsize
    except TypeError:
        return otherwise


def _natural(data: Array | None) -> str:
    """The dtype that torch would give such data: float32 for real numbers."""
    return "float32" if data is None or data.dtype.kind == "f" else data.dtype.name


def _matches(pattern: Shape, shape: Shape) -> bool:
    return len(pattern) == len(shape) and all(wanted in (None, dim) for wanted, dim in zip(pattern, shape, strict=True))


def _candidates(given: Array | None, samples: Array | None) -> list[tuple[int, ...]]:
    """The shapes that data suggests, the likeliest first: as it is; one sample, with a batch of 1 and as it is."""
    if given is not None:
        return [given.shape, given.shape[1:]]
    return [] if samples is None else [(1, *samples.shape[1:]), samples.shape[1:]]


def _open(name: str, pattern: Shape | None, dtype: str, data: Array | None) -> ConfigError:
    key = name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)
    if pattern is None:
        example = f"inputs: {{{key}: {{shape: [1, 3, 224, 224], dtype: {dtype}}}}}"
        return ConfigError(f"input {name!r} has no shape: a factory does not say it",
                           hint=f"write in the suite, e.g.: {example}")
    dims = ", ".join(str(dim) if dim is not None else "N" if index else "1" for index, dim in enumerate(pattern))
    fitting = "" if data is None else f", and its data {shape_text(data.shape)} does not fit"
    number = " with a number for each N" if "N" in dims else ""
    return ConfigError(f"input {name!r} has open dimensions: {shape_text(pattern)}{fitting}",
                       hint=f"write in the suite: inputs: {{{key}: {{shape: [{dims}]}}}}{number}")


def explicit_array(setting: InputConfig, dtype: str | None) -> Array | None:
    """The `value:` of a setting as an array, None without one. Raises ConfigError for lists of unequal lengths."""
    if setting.value is None:
        return None
    try:
        array = np.asarray(setting.value)
        kind = np.dtype(dtype).kind if dtype else array.dtype.kind
        return array.astype(np.float64) if kind == "f" and array.dtype.kind in "iu" else array
    except (ValueError, TypeError):
        raise ConfigError(f"value: {json.dumps(setting.value)} is no array: its lists differ in length") from None
