"""Samples that were lost among others: a ratio over all of them is decided by those with the largest outputs.

A branch that an export followed only one way gives wrong outputs on the samples that take the other way. Where one
sample's outputs are a thousand times another's, one scale for both leaves nothing of the smaller and no ratio shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from bench.convert.measures import flat_blocks
from bench.convert.parts import FAR_NOISIER, LOW_DB, least_that_counts

Array = npt.NDArray[np.generic]

FEW_VALUES: Final = 16
FAR_NOISIER_OF_FEW: Final = 30.0
"""A sample of fewer values has a noise of its own by chance: one value's may be many times another's."""
FEWEST: Final = 4
"""Samples of which a share says something."""
HIDDEN_SHARE: Final = 0.5
"""Of normally distributed values, one a sample, with 20 dB together a quarter has less than `LOW_DB` alone."""


@dataclass(frozen=True)
class LostSamples:
    """`count` of the `size` samples have so low a ratio on their own in the output at place `output`; `sample` has the
    lowest, `sqnr_db`.

    `noisier`: their noise is far above that of the usual sample. `hidden`: noise is alike, and most outputs are small.
    """

    output: int
    sample: int
    size: int
    count: int
    sqnr_db: float
    kind: Literal["noisier", "hidden"]


def look_for(output: int, reference: Array, value: Array) -> LostSamples | None:
    """The samples of one output that were lost, None for none; both arrays are (samples, *output shape), finite."""
    if reference.size == 0 or len(reference) < FEWEST:
        return None
    power, noise = _means(reference, value)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(noise == 0, np.inf, 10 * np.log10(power / noise))
    low = (ratios < LOW_DB) & (power > least_that_counts(reference) ** 2)
    usual = np.sort(noise)[(len(noise) - 1) // 2]
    far = FAR_NOISIER if reference.size >= FEW_VALUES * len(reference) else FAR_NOISIER_OF_FEW
    noisier = low & (noise > far**2 * usual)
    if noisier.any():
        return _found(output, ratios, noisier, "noisier")
    return _found(output, ratios, low, "hidden") if low.mean() >= HIDDEN_SHARE else None


def _found(output: int, ratios: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_],
           kind: Literal["noisier", "hidden"]) -> LostSamples:
    worst = int(np.where(chosen, ratios, np.inf).argmin())
    return LostSamples(output, worst, len(ratios), int(chosen.sum()), float(ratios[worst]), kind)


def _means(reference: Array, value: Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Each sample's mean square, of the reference and of the difference."""
    power, noise = np.zeros(len(reference)), np.zeros(len(reference))
    for place, pair in enumerate(zip(reference, value, strict=True)):
        for wanted, found in flat_blocks(*map(np.asarray, pair)):
            power[place] += np.square(wanted).sum()
            noise[place] += np.square(wanted - found).sum()
    size = reference.size // len(reference)
    return power / size, noise / size
