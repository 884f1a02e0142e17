"""Whether a model gives the same outputs again on the same input, as the device ran it.

A device runs the samples in order and then the first once more. Other outputs then mean that the model keeps state
between calls, or draws random numbers; where it does neither on the host, that something on this device does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.convert import sameness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Sequence[NDArray[Any]]


def difference(outputs: Arrays, repeated: Arrays) -> str | None:
    """Where the first sample's outputs (the first of each of `outputs`, (n, *shape)) and those of the same sample run
    again, (1, *shape), differ by more than rounding (the rule of `bench.convert.sameness`); None where they repeat."""
    for place, (first, again) in enumerate(zip(outputs, repeated, strict=True)):
        found = sameness.difference(first[0], again[0])
        if found is not None:
            return f"output {place} {found}"
    return None


def verdict(difference: str | None, host_repeats: bool | None) -> dict[str, Any]:
    """As it is stored with a trial's findings: `ok`, the `reason` of a false one, and `host`: whether the model repeats
    on the host, None where that is unknown."""
    return {"ok": difference is None, "reason": difference, "host": host_repeats}
