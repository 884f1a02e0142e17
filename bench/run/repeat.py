"""Whether a model gives the same outputs again on the same input, as the device ran it.

A device runs the samples in order and then the first once more. Other outputs then mean that the model keeps state
between calls, or draws random numbers; where it does neither on the host, that something on this device does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Sequence[NDArray[Any]]

RELATIVE = 1e-3
"""Of each value: half precision resolves as much."""
OF_LARGEST = 1e-5
"""Of the output's largest value: sums in another order, as several threads take them, differ by less in fp32."""


def difference(outputs: Arrays, repeated: Arrays) -> str | None:
    """Where the first sample's outputs (the first of each of `outputs`, (n, *shape)) and those of the same sample run
    again, (1, *shape), differ by more than rounding; None where they repeat.

    Element by element, so that large values of an output hide nothing of its small ones. Integers must be equal; NaN
    and infinity repeat where they are in the same places.
    """
    for place, (first, again) in enumerate(zip(outputs, repeated, strict=True)):
        found = _difference(first[:1], again)
        if found is not None:
            return f"output {place} {found}"
    return None


def verdict(difference: str | None, host_repeats: bool | None) -> dict[str, Any]:
    """As it is stored with a trial's findings: `ok`, the `reason` of a false one, and `host`: whether the model repeats
    on the host, None where that is unknown."""
    return {"ok": difference is None, "reason": difference, "host": host_repeats}


def _difference(first: NDArray[Any], again: NDArray[Any]) -> str | None:
    import numpy as np

    if first.shape != again.shape:
        return f"has the shape {list(first.shape[1:])} at first and {list(again.shape[1:])} when run again"
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
