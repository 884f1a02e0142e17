"""How far outputs are from their reference: pure functions, shared by the gate and by the check of every trial.

A ratio in dB can be infinite (identical arrays). In Python it is `math.inf`; JSON has no infinity, so there it is null,
written by `db_to_json` and read by `db_from_json`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]


def sqnr_db(reference: Array, value: Array) -> float:
    """Signal-to-quantization-noise ratio in dB over all elements: 10 log10(sum r^2 / sum (r - v)^2).

    `math.inf` when the arrays are identical, `-math.inf` when the reference is all zero and the value is not.
    Source: Widrow and Kollar, "Quantization Noise", Cambridge 2008, chapter 1 (signal power over noise power).
    """
    wanted, found = _flat(reference), _flat(value)
    noise = float(np.sum((wanted - found) ** 2))
    signal = float(np.sum(wanted**2))
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def varying_sqnr_db(reference: Array, value: Array) -> float:
    """`sqnr_db` with the reference's mean taken off both: of what varies.

    `math.inf` where the reference is constant.
    """
    wanted, found = _flat(reference), _flat(value)
    mean = wanted.mean() if wanted.size else 0.0
    varying = wanted - mean
    return sqnr_db(varying, found - mean) if np.any(np.abs(varying) > 1e-6 * abs(mean)) else math.inf


def equal_share(reference: Array, value: Array) -> float:
    """The share of equal values, in [0, 1]; 1.0 for empty arrays."""
    return float(np.mean(reference == value)) if reference.size else 1.0


def cosine(reference: Array, value: Array) -> float:
    """Cosine of the angle between the arrays seen as vectors: r.v / (|r| |v|), in [-1, 1].

    1.0 when both are all zero, 0.0 when only one is.
    """
    wanted, found = _flat(reference), _flat(value)
    lengths = float(np.linalg.norm(wanted)) * float(np.linalg.norm(found))
    if lengths == 0.0:
        return 1.0 if not wanted.any() and not found.any() else 0.0
    return max(-1.0, min(1.0, float(wanted @ found) / lengths))


def max_abs(reference: Array, value: Array) -> float:
    """The largest absolute difference between two elements; 0.0 for empty arrays."""
    difference = np.abs(_flat(reference) - _flat(value))
    return float(difference.max()) if difference.size else 0.0


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


def _flat(array: Array) -> npt.NDArray[np.float64]:
    return array.astype(np.float64).ravel()
