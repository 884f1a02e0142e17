"""How far outputs are from their reference: pure functions, shared by the gate and by the check of every trial.

A ratio in dB can be infinite (identical arrays). In Python it is `math.inf`; JSON has no infinity, so there it is null,
written by `db_to_json` and read by `db_from_json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]

BLOCK: Final = 1 << 20
"""Elements that are looked at at once: a large output is never copied whole."""


def sqnr_db(reference: Array, value: Array) -> float:
    """Signal-to-quantization-noise ratio in dB over all elements: 10 log10(sum r^2 / sum (r - v)^2).

    `math.inf` when the arrays are identical, `-math.inf` when the reference is all zero and the value is not.
    Source: Widrow and Kollar, "Quantization Noise", Cambridge 2008, chapter 1 (signal power over noise power).
    """
    return _varying(reference, value, 0.0)


def _varying(reference: Array, value: Array, mean: float) -> float:
    noise = signal = 0.0
    for wanted, found in flat_blocks(reference, value):
        noise += float(np.sum((wanted - found) ** 2))
        signal += float(np.sum((wanted - mean) ** 2))
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def varying_sqnr_db(reference: Array, value: Array) -> float:
    """`sqnr_db` with the reference's mean taken off both: of what varies.

    `math.inf` where the reference is constant.
    """
    mean = float(reference.mean(dtype=np.float64)) if reference.size else 0.0
    limit = 1e-6 * abs(mean)
    varies = any(np.any(np.abs(wanted - mean) > limit) for wanted, _ in flat_blocks(reference, reference))
    return _varying(reference, value, mean) if varies else math.inf


def equal_share(reference: Array, value: Array) -> float:
    """The share of equal values, in [0, 1]; 1.0 for empty arrays."""
    return float(np.mean(reference == value)) if reference.size else 1.0


def cosine(reference: Array, value: Array) -> float:
    """Cosine of the angle between the arrays seen as vectors: r.v / (|r| |v|), in [-1, 1].

    1.0 when both are all zero, 0.0 when only one is.
    """
    dot = wanted_power = found_power = 0.0
    for wanted, found in flat_blocks(reference, value):
        dot += float(wanted @ found)
        wanted_power += float(wanted @ wanted)
        found_power += float(found @ found)
    lengths = math.sqrt(wanted_power) * math.sqrt(found_power)
    if lengths == 0.0:
        return 1.0 if not reference.any() and not value.any() else 0.0
    return max(-1.0, min(1.0, dot / lengths))


def max_abs(reference: Array, value: Array) -> float:
    """The largest absolute difference between two elements; 0.0 for empty arrays."""
    return max((float(np.abs(wanted - found).max()) for wanted, found in flat_blocks(reference, value)), default=0.0)


def has_nan(array: Array) -> bool:
    """Whether any element of an array that is not empty is NaN, which its smallest one then is."""
    return bool(np.isnan(array.min()))


def strange_count(reference: Array, value: Array) -> int:
    """How many elements of `value` are NaN, or infinite where the reference is not so, or finite where it is. A mask of
    -inf, as attention has and scores after it, is no fault where it is the model's own. Of arrays of two sizes: how
    many are NaN or infinite."""
    if not np.issubdtype(value.dtype, np.inexact):
        return 0
    other = reference if reference.size == value.size else np.zeros_like(value)
    return sum(int((~((wanted == found) | (np.isfinite(wanted) & np.isfinite(found)))).sum())
               for wanted, found in flat_blocks(other, value))


def has_infinities(array: Array) -> bool:
    """Whether any element is infinite; of an output that is kept sample by sample, of any sample."""
    if array.dtype == object:
        return any(map(has_infinities, array))
    return array.size > 0 and any(np.isinf(end.reduce(array, axis=None)) for end in (np.fmin, np.fmax))


def without_infinities(reference: Array, value: Array) -> tuple[Array, Array]:
    """Both arrays with zeros where they are infinite alike; they are of one shape, and `strange_count` finds none."""
    if not has_infinities(reference):
        return reference, value
    infinite = np.isinf(reference)
    return np.where(infinite, 0, reference), np.where(infinite, 0, value)


def agreement(reference: Array, value: Array) -> float | None:
    """The share of rows (all axes but the last) with the same arg-max, in [0, 1]: top-1 agreement.

    None where an arg-max says nothing: no axis of samples, a last axis shorter than 2, an empty array.
    """
    if reference.ndim < 2 or reference.size == 0 or reference.shape[-1] < 2:
        return None
    return float(np.mean(np.argmax(reference, axis=-1) == np.argmax(value, axis=-1)))


def db_to_json(value: float) -> float | None:
    """A ratio in dB as JSON holds it: null for infinity."""
    return None if math.isinf(value) and value > 0 else value


def db_from_json(value: float | None) -> float:
    """The ratio that `db_to_json` wrote."""
    return math.inf if value is None else value


def flat_blocks(reference: Array, value: Array) -> Iterator[tuple[Floats, Floats]]:
    """The elements of two arrays of one size in C order, as float64, at most `BLOCK` at once."""
    wanted, found = reference.reshape(-1), value.reshape(-1)
    for start in range(0, wanted.size, BLOCK):
        yield (wanted[start:start + BLOCK].astype(np.float64), found[start:start + BLOCK].astype(np.float64))
