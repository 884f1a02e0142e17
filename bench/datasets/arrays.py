"""Arrays from .npy files and from suites, made to fit a model's input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import ConfigError
from bench.models.files import require_file
from bench.models.spec import TensorSpec

Array = npt.NDArray[Any]


def load_npy(path: Path, what: str) -> Array:
    """The array in a .npy file, mapped where it is large. Raises ConfigError when it is none, or pickled."""
    require_file(path, what)
    try:
        loaded = np.load(path, mmap_mode=None if path.stat().st_size < 1 << 20 else "r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ConfigError(f"{what} {path}: wanted a .npy file of numbers, it cannot be read as one: {error}") from None
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise ConfigError(f"{what} {path}: wanted a .npy file, found an .npz archive",
                          hint="save the one array by numpy.save")
    if loaded.dtype.kind not in "fiub":
        raise ConfigError(f"{what} {path}: wanted numbers, found {loaded.dtype}")
    return loaded


def shape_text(shape: tuple[int | None, ...]) -> str:
    """A shape for people, open dimensions as ?: (?, 128)."""
    return f"({', '.join('?' if dim is None else str(dim) for dim in shape)})"


def fit(samples: Array, spec: TensorSpec, what: str) -> Array:
    """`samples` (n, *any) as (n, *spec.shape) of the input's dtype.

    Shapes fit when they are equal but for dimensions of 1. Real numbers for a quantized input are quantized. Raises
    ConfigError when shape or dtype do not fit.
    """
    check_shape(samples.shape, spec, what)
    return as_type(samples, spec, what).reshape(len(samples), *(dim for dim in spec.shape if dim is not None))


def check_shape(found: tuple[int, ...], spec: TensorSpec, what: str) -> None:
    """Raise ConfigError when samples in an array of the shape `found` do not fit (see `fit`)."""
    shape = tuple(dim for dim in spec.shape if dim is not None)
    if _without_ones(found[1:]) != _without_ones(shape):
        raise ConfigError(f"{what} of shape {shape_text(found)} does not fit input {spec.name!r} "
                          f"{shape_text(spec.shape)}: its samples are {shape_text(found[1:])}",
                          hint=_turned(found[1:], shape))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dim for dim in shape if dim != 1)


def _turned(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What to do, when the samples differ from the input only in the order of their dimensions."""
    same = sorted(_without_ones(found)) == sorted(_without_ones(wanted))
    return "the dimensions come in another order: transpose the array (channels first or last?)" if same else ""


def as_type(values: Array, spec: TensorSpec, what: str) -> Array:
    """`values` in the input's dtype. Raises ConfigError where that would change what they mean."""
    wanted = numpy_dtype(spec)
    if values.dtype == wanted:
        return values
    if values.dtype.kind == "f" and spec.quantization is not None:
        limits, scale = np.iinfo(wanted), spec.quantization.scale
        stored: Array = np.rint(values / scale) + spec.quantization.zero_point
        return stored.clip(limits.min, limits.max).astype(wanted)
    fits = values.dtype.kind == "f" and wanted.kind == "f"
    if values.dtype.kind in "iu" and wanted.kind in "iu":
        limits = np.iinfo(wanted)
        fits = not values.size or bool(values.min() >= limits.min and values.max() <= limits.max)
    if not fits:
        raise ConfigError(f"{what} of dtype {values.dtype} does not fit input {spec.name!r} of dtype {spec.dtype}",
                          hint=f"store it as {spec.dtype}, scaled as the model wants it")
    return values.astype(wanted)


def numpy_dtype(spec: TensorSpec) -> np.dtype[Any]:
    """numpy's dtype for an input. Raises ConfigError for types that no values can be made for."""
    try:
        dtype = np.dtype(spec.dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "fiub":
        raise ConfigError(f"wanted numbers or booleans as inputs, input {spec.name!r} has the dtype {spec.dtype}")
    return dtype
