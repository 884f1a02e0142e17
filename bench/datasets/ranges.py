"""Random values for an input: from which range, why from that one, and the values themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bench.datasets.arrays import as_type, numpy_dtype
from bench.errors import ConfigError
from bench.models.spec import Table, TensorSpec

Array = npt.NDArray[Any]
SEED: Final = 20260101
_BYTES: Final = ("uint8", "int8")
"""Types that are pixels or samples of sound: their whole range occurs. Of wider ones it hardly ever does."""


@dataclass(frozen=True)
class Range:
    """Random values from `low` up to `high`, which is left out. `why` says what the range is taken from."""

    low: float
    high: float
    why: str
    real: bool = True
    """Of a quantized input: whether it is one of the real numbers that its integers stand for."""

    def __str__(self) -> str:
        return f"[{_number(self.low)}, {_number(self.high)})"


def range_of(spec: TensorSpec, given: tuple[float, float] | None, table: Table | None) -> Range:
    """The range that random values of an input are drawn from: the suite's (`given`), else what dtype and graph allow.

    Raises ConfigError for a range that the dtype does not hold, or whose values number rows that `table` does not have.
    """
    dtype = numpy_dtype(spec)
    if given is not None:
        _check(spec, dtype, given, table)
        return Range(*given, "the range given")
    if dtype.kind == "f":
        return Range(0, 1, "nothing says its range")
    if dtype.kind == "b":
        return Range(0, 2, "a boolean")
    limits = np.iinfo(dtype)
    if spec.quantization is not None:
        return Range(limits.min, int(limits.max) + 1, f"the whole range of its quantized {spec.dtype}", real=False)
    if table is not None and table.rows <= limits.max:
        return Range(0, table.rows, f"the table that {table.reader} reads")
    if spec.dtype in _BYTES:
        return Range(limits.min, int(limits.max) + 1, f"the whole range of {spec.dtype}")
    return Range(0, 2, "assumed, nothing says its range")


def random_values(spec: TensorSpec, limits: Range, count: int, role: int) -> Array:
    """Seeded random values (count, *input shape), the same whatever other inputs there are; another `role` gives
    others. Real numbers for a quantized input with a range of the suite's are quantized."""
    dtype = numpy_dtype(spec)
    random = np.random.default_rng([SEED, crc32(spec.name.encode()), role])
    shape = (count, *(dim for dim in spec.shape if dim is not None))
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.kind == "f" or (spec.quantization is not None and limits.real):
        return as_type(random.uniform(limits.low, limits.high, shape), spec, "range:")
    low, high = int(limits.low), int(limits.high)
    return random.integers(low, max(high, low + 1) - 1, shape, dtype=dtype.type, endpoint=True)


def check_table(values: Array, table: Table | None, what: str) -> None:
    """Raise ConfigError when `values` number rows that the table does not have."""
    if table is None or not values.size or values.dtype.kind not in "iu":
        return
    lowest, highest = int(values.min()), int(values.max())
    if lowest < table.lowest or highest >= table.rows:
        raise _beyond(what, f"values from {lowest} to {highest}", table)


def _check(spec: TensorSpec, dtype: np.dtype[Any], given: tuple[float, float], table: Table | None) -> None:
    low, high = given
    if dtype.kind in "fb" or spec.quantization is not None:
        most = float(np.finfo(dtype).max) / 2 if dtype.kind == "f" else float(np.finfo(np.float32).max)
        if not (-most <= low <= high <= most):
            raise ConfigError(f"range: wanted numbers from {-most:.3g} to {most:.3g}, which {spec.dtype} holds with "
                              f"their difference, for input {spec.name!r}, found [{_number(low)}, {_number(high)}]")
        return
    whole = np.iinfo(dtype)
    if not (float(low).is_integer() and float(high).is_integer() and whole.min <= low <= high <= int(whole.max) + 1):
        raise ConfigError(f"range: wanted whole numbers that {spec.dtype} holds for input {spec.name!r}, "
                          f"found [{_number(low)}, {_number(high)}]")
    if table is not None and (low < table.lowest or max(high, low + 1) > table.rows):
        raise _beyond("range:", f"[{_number(low)}, {_number(high)}]", table)


def _beyond(what: str, found: str, table: Table) -> ConfigError:
    return ConfigError(f"{what} wanted whole numbers from {table.lowest} to {table.rows - 1} for input "
                       f"{table.input!r}, which number the {table.rows} rows of the table that {table.reader} "
                       f"reads, found {found}",
                       hint=f"write range: [0, {table.rows}], or give values from there")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e20 else f"{value:g}"
