"""Parts of an output that were lost while the whole looks right.

One number over a whole output is decided by its largest values: a detector's scores (0 to 1) may all have become 0
beside boxes in pixels (0 to 640), and the ratio still be 50 dB. So each output is also looked at index by index along
its axes: rows, columns, channels, classes. Indices of a short axis may be units of their own and are judged; those of a
longer one are positions: the worst is shown, and all that is judged is whether many of them became constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from bench.convert.measures import BLOCK

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Kind = Literal["constant", "saturated", "noise"]

MOST_INDICES: Final = 256
"""Of an axis whose indices are judged: 84 (boxes and classes), 255 (three anchors of 85)."""
LOW_DB: Final = 10.0
LOST_DB: Final = 3.0
"""A part below the first is poor; below the second nearly all that it held is gone."""
MINOR_SHARE: Final = 0.05
"""A smaller share of an axis does not condemn the output: one dead feature of 64, one class of 80."""
MAJOR_OF_LONG: Final = 0.25
"""Of a long axis so many positions must be constant: silence in a signal is a run of positions too."""
MOST_OF_UNIT: Final = 0.5
"""But fewer are poor where more than this share of all that is of another unit became constant."""
OTHER_UNIT: Final = 0.05
"""A part that varies by less than this share of what the most varying part does is of another unit."""
BEYOND_NOISE: Final = 2.0
"""A constant part is lost where the reference reaches over so many times the usual noise."""
FAR_NOISIER: Final = 4.0
"""A part whose noise is so many times that of the usual part is broken, whatever its unit."""
SHARED_UNIT: Final = 1 / 64
"""Of the largest value, in an output within [-1, 1]: there (probabilities, tanh, normalized boxes) all parts have one
unit, and what is smaller than this is small, not lost."""
RESOLUTION: Final = 1e-6
"""Of the largest value: float32 itself resolves little more."""
PILED_SHARE: Final = 0.1
PILED_RANGE: Final = 0.5
"""Saturated: that share of the values lies on one end, where the reference spreads over so much of its range."""


@dataclass(frozen=True)
class Part:
    """Indices `first` to `last` of the output at place `output`, along `axis` of a sample, which has `size` of them.

    `low` and `high` are the reference's smallest and largest value there, `value` the one that a constant or saturated
    part has instead. `lost`: nothing of use is left of it, and it is no minor share of its axis; `minor`: it is.
    """

    output: int
    axis: int
    first: int
    last: int
    size: int
    kind: Kind
    sqnr_db: float
    low: float
    high: float
    value: float
    lost: bool
    minor: bool = False


@dataclass(frozen=True)
class Looked:
    """`poor`: the parts that are poor or lost, the worst first. `worst`: the index of any axis with the lowest SQNR,
    poor or not; None where the output has no axis, or none on which anything differs."""

    poor: tuple[Part, ...]
    worst: Part | None


def look_at(output: int, reference: Array, value: Array) -> Looked:
    """What became of the parts of one output; both arrays are (samples, *output shape), finite and of one shape."""
    poor: list[Part] = []
    worst: list[Part] = []
    if reference.size == 0:
        return Looked((), None)
    least = least_that_counts(reference)
    for axis, size in enumerate(reference.shape[1:]):
        if size > 1:
            sums = _sums(reference, value, axis)
            held = sums.power > least**2
            if not _shares_one(reference, sums, axis):
                poor += _poor(_Axis(output, axis, reference, value, sums), held)
            worst += _worst(output, axis, sums, held)
    return Looked(tuple(sorted(poor, key=worst_first)), min(worst, key=worst_first, default=None))


def least_that_counts(reference: Array) -> float:
    """The size below which values of an output are small, not lost."""
    largest = max(abs(float(reference.max())), abs(float(reference.min())))
    return largest * (SHARED_UNIT if largest <= 1.0 else RESOLUTION)


def worst_first(part: Part) -> tuple[bool, float]:
    """Sorts lost parts before others, and those of low SQNR before those of high."""
    return not part.lost, part.sqnr_db


@dataclass(frozen=True)
class _Sums:
    """Per index of one axis: mean squares of the reference and of the difference, the reference's standard deviation,
    and the extremes of both."""

    power: Floats
    noise: Floats
    spread: Floats
    low: Floats
    high: Floats
    found_low: Floats
    found_high: Floats

    @property
    def sqnr_db(self) -> Floats:
        """Infinite where nothing differs, minus infinite where only the reference is zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.noise == 0, np.inf, 10 * np.log10(self.power / self.noise))


@dataclass(frozen=True)
class _Axis:
    output: int
    axis: int
    reference: Array
    value: Array
    sums: _Sums


def _sums(reference: Array, value: Array, axis: int) -> _Sums:
    others = tuple(each for each in range(reference.ndim) if each != axis + 1)
    size = reference.shape[axis + 1]
    power, noise, total = np.zeros(size), np.zeros(size), np.zeros(size)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    found_low, found_high = low.copy(), high.copy()
    for wanted, found in _blocks(reference, value, axis + 1):
        power += np.square(wanted).sum(axis=others)
        noise += np.square(wanted - found).sum(axis=others)
        total += wanted.sum(axis=others)
        low, high = np.minimum(low, wanted.min(axis=others)), np.maximum(high, wanted.max(axis=others))
        found_low = np.minimum(found_low, found.min(axis=others))
        found_high = np.maximum(found_high, found.max(axis=others))
    count = reference.size // size
    spread = np.sqrt(np.maximum(power / count - np.square(total / count), 0.0))
    return _Sums(power / count, noise / count, spread, low, high, found_low, found_high)


def _shares_one(reference: Array, sums: _Sums, axis: int) -> bool:
    """Whether the entries along an axis are shares of one, as those of a softmax are: small ones are rare, not lost."""
    return bool(sums.low.min() >= 0 and np.allclose(reference.sum(axis=axis + 1, dtype=np.float64), 1.0, atol=0.01))


def _blocks(reference: Array, value: Array, whole: int) -> Iterator[tuple[Floats, Floats]]:
    """Both arrays in float64 and of one rank, in pieces that have the axis `whole` uncut."""
    step = max(1, BLOCK * len(reference) // reference.size)
    for start in range(0, len(reference), step):
        wanted, found = reference[start:start + step], value[start:start + step]
        # A sample that is too large on its own is cut along the longest of its other axes.
        sizes = [1 if axis in (0, whole) else size for axis, size in enumerate(wanted.shape)]
        cut = int(np.argmax(sizes))
        count = wanted.shape[cut]
        length = max(1, BLOCK * count // wanted.size) if sizes[cut] > 1 else count
        for first in range(0, count, length):
            piece = (slice(None),) * cut + (slice(first, first + length),)
            yield wanted[piece].astype(np.float64), found[piece].astype(np.float64)


def _poor(axis: _Axis, held: npt.NDArray[np.bool_]) -> Iterable[Part]:
    """The poor parts along one axis: of another unit than the rest, or far noisier. What is as noisy as the rest and
    only happens to be near zero is not."""
    sums, ratios = axis.sums, axis.sums.sqnr_db
    usual = np.sort(sums.noise)[(len(ratios) - 1) // 2]
    other_unit = sums.spread < OTHER_UNIT * sums.spread.max()
    low, long = ratios < LOW_DB, len(ratios) > MOST_INDICES
    reaching = sums.high - sums.low > BEYOND_NOISE * np.sqrt(usual)
    constant = (sums.found_low == sums.found_high) & (sums.high > sums.low) & (other_unit | (low & reaching))
    odd = low & (other_unit | (sums.noise > FAR_NOISIER**2 * usual))
    chosen = low & constant if long else odd | constant
    kinds = {int(index): _kind(axis, int(index)) for index in np.flatnonzero(held & chosen)}
    # A constant of another unit tells nothing of it any more, however near it lies to what it stands for.
    gone = {index for index, kind in kinds.items() if (kind == "constant" and other_unit[index]) or (
        low[index] and (kind != "noise" or ratios[index] < LOST_DB))}
    minor = len(kinds) < MINOR_SHARE * len(ratios)
    major = len(gone) >= (MAJOR_OF_LONG if long else MINOR_SHARE) * len(ratios)
    if long and minor and not _is_whole_unit(kinds, held & other_unit):
        return []
    fates = {index: (kind, major and index in gone) for index, kind in kinds.items()}
    return [_part(axis, run, kinds[run[0]], lost=fates[run[0]][1], minor=minor) for run in _runs(fates)]


def _is_whole_unit(kinds: Iterable[int], small: npt.NDArray[np.bool_]) -> bool:
    """Whether a few positions of a long axis are most of those that are of another unit: scores behind many boxes, and
    not a quiet place among others of a signal."""
    gone = [index for index in kinds if small[index]]
    return len(gone) > MOST_OF_UNIT * int(np.count_nonzero(small))


def _kind(axis: _Axis, index: int) -> Kind:
    sums = axis.sums
    if sums.found_low[index] == sums.found_high[index] and sums.low[index] != sums.high[index]:
        return "constant"
    place = (slice(None),) * (axis.axis + 1) + (index,)
    wanted, found = np.asarray(axis.reference[place]), np.asarray(axis.value[place])
    for end in (found.min(), found.max()):
        piled: Floats = wanted[found == end].astype(np.float64)
        reach = sums.high[index] - sums.low[index]
        if piled.size >= PILED_SHARE * found.size and piled.max() - piled.min() > PILED_RANGE * reach:
            return "saturated"
    return "noise"


def _runs(fates: dict[int, tuple[Kind, bool]]) -> list[list[int]]:
    """Neighbouring indices of one fate, together; `fates` in ascending order."""
    indices = list(fates)
    runs = [indices[:1]] if indices else []
    for before, index in pairwise(indices):
        if index == before + 1 and fates[index] == fates[before]:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _part(axis: _Axis, run: Sequence[int], kind: Kind, *, lost: bool, minor: bool) -> Part:
    sums, chosen = axis.sums, list(run)
    found = axis.value.take(chosen, axis.axis + 1)
    ratio = min(float(value) for value in sums.sqnr_db[chosen])
    # Of a saturated part the end that most values lie on.
    ends = [float(found.min()), float(found.max())]
    value = max(ends, key=lambda end: float(np.mean(found == end)))
    return Part(axis.output, axis.axis, run[0], run[-1], len(sums.power), kind, ratio, float(sums.low[chosen].min()),
                float(sums.high[chosen].max()), value, lost, minor)


def _worst(output: int, axis: int, sums: _Sums, held: npt.NDArray[np.bool_]) -> list[Part]:
    ratios = np.where(held, sums.sqnr_db, np.inf)
    index = int(ratios.argmin())
    if np.isinf(ratios[index]) and ratios[index] > 0:
        return []
    return [Part(output, axis, index, index, len(ratios), "noise", float(ratios[index]), float(sums.low[index]),
                 float(sums.high[index]), float(sums.found_low[index]), lost=False)]
