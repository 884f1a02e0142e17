"""Whether two outputs of one model on one input are the same: the one rule, of the probe on the host and of devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

RELATIVE = 1e-3
"""Of each value: half precision resolves as much."""
OF_LARGEST = 1e-5
"""Of the output's largest value: sums in another order, as several threads take them, differ by less in fp32."""


def same(first: Sequence[Array], again: Sequence[Array]) -> bool:
    """Whether these are the same outputs: as many, of the same shapes, equal but for rounding."""
    return len(first) == len(again) and all(difference(*pair) is None for pair in zip(first, again, strict=True))


def difference(first: Array, again: Array) -> str | None:
    """How an output differs by more than rounding from that of the same input run again; None where it does not.

    Element by element, so that large values of an output hide nothing of its small ones. Integers must be equal; NaN
    and infinity repeat where they are in the same places.
    """
    if first.shape != again.shape:
        return f"has the shape {list(first.shape)} at first and {list(again.shape)} when run again"
    if not np.issubdtype(first.dtype, np.floating):
        changed = int((first != again).sum())
        return f"has {changed} of {first.size} values that are others when run again" if changed else None
    a, b = first.astype(np.float64), again.astype(np.float64)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], np.where(np.isfinite(b), 0.0, b)[~finite], equal_nan=True) \
            or not np.isfinite(b[finite]).all():
        return "has NaN or infinity in other places when run again"
    largest = float(np.abs(a[finite]).max(initial=0.0))
    apart = np.abs(a[finite] - b[finite])
    if (apart <= RELATIVE * np.abs(a[finite]) + OF_LARGEST * largest).all():
        return None
    return f"differs by up to {apart.max():.3g} when run again (its values reach {largest:.3g})"
