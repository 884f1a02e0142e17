"""Between a model's real numbers and a file's tensors: quantize on the way in, dequantize on the way out.

The affine scheme (real = scale * (integer - zero_point)) is that of Jacob et al., "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", 2018, equation 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.errors import ModelError
from bench.models.spec import TensorSpec

Array = npt.NDArray[np.generic]


def encode(array: Array, spec: TensorSpec) -> Array:
    """`array` as the file's input `spec` takes it: real numbers quantized where the file holds integers, else cast.

    Values beyond the integer range saturate. Raises ModelError when a cast between integers would change a value.
    """
    dtype = np.dtype(spec.dtype)
    if spec.quantization is not None and np.issubdtype(array.dtype, np.floating) and np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        scaled = np.rint(array.astype(np.float64) / spec.quantization.scale) + spec.quantization.zero_point
        return _contiguous(np.clip(scaled, limits.min, limits.max).astype(dtype))
    cast = _contiguous(array.astype(dtype))
    if np.issubdtype(dtype, np.integer) and not np.array_equal(cast, array):
        raise ModelError(f"input {spec.name!r} takes {spec.dtype}, and the values given do not fit: "
                         f"{array.dtype} from {array.min()} to {array.max()}")
    return cast


def _contiguous(array: Array) -> Array:
    # numpy's own makes a scalar one-dimensional.
    return np.ascontiguousarray(array).reshape(array.shape)


def decode(array: Array, spec: TensorSpec) -> npt.NDArray[np.float32]:
    """The file's output as real numbers in float32: dequantized where `spec` says how, else cast."""
    if spec.quantization is None:
        return array.astype(np.float32)
    shifted = array.astype(np.float64) - spec.quantization.zero_point
    return (shifted * spec.quantization.scale).astype(np.float32)
