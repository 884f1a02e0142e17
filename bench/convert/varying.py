"""Outputs whose number of rows depends on the data (NonMaxSuppression, NonZero): kept sample by sample.

Such an output is an array of objects, (samples,), each element a sample's own array; any other is (samples, *shape).
In an .npz, where objects are refused, the samples of output "0" are "0_0", "0_1", ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.convert.sameness import same

_NAME: Final = re.compile(r"[0-9]{1,6}(_[0-9]{1,6})?")
Array = npt.NDArray[np.generic]


def gathered(rows: Sequence[Array]) -> Array:
    """One output's values on all samples: (samples, *shape), or one array of objects where shapes or types vary."""
    if len({(row.shape, row.dtype) for row in rows}) == 1:
        return np.stack(rows)
    apart: Array = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        apart[place] = row
    return apart


def varies(*outputs: Array) -> bool:
    """Whether the output is kept sample by sample; of several, whether any is."""
    return any(output.dtype == object for output in outputs)


def parts_of(output: Array) -> Sequence[Array]:
    """The arrays that hold its values: one for each sample where it varies, else itself."""
    return list(output) if varies(output) else [output]


def each(change: Callable[[Array], Array], output: Array) -> Array:
    """The output with `change` made to the arrays that hold its values."""
    return gathered([change(row) for row in output]) if varies(output) else change(output)


def packed(outputs: Sequence[Array]) -> dict[str, Array]:
    """The arrays that an .npz holds of the outputs."""
    arrays: dict[str, Array] = {}
    for place, output in enumerate(outputs):
        rows = {f"{place}_{sample}": row for sample, row in enumerate(output)} if varies(output) else {}
        arrays |= rows or {str(place): output}
    return arrays


def unpacked(arrays: Mapping[str, Array]) -> list[Array]:
    """The outputs that `packed`, or a device, wrote, in their order. Raises ValueError where these are no such names,
    or one is missing."""
    rows: dict[int, dict[int, Array]] = {}
    outputs: dict[int, Array] = {}
    for name, array in arrays.items():
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"an array is called {name[:40]!r}")
        place, _, sample = name.partition("_")
        if sample:
            rows.setdefault(int(place), {})[int(sample)] = array
        else:
            outputs[int(place)] = array
    if any(sorted(found) != list(range(len(found))) for found in rows.values()) or outputs.keys() & rows.keys():
        raise ValueError("an output has not one array for each sample")
    outputs |= {place: gathered([found[sample] for sample in sorted(found)]) for place, found in rows.items()}
    return [outputs[place] for place in sorted(outputs)]


def other_shape(reference: Array, value: Array) -> str | None:
    """How an output's shape is another than the reference's, as words for after its name; None where it is the same."""
    if not varies(reference, value):
        return None if reference.shape == value.shape else (
            f"has the shape {value.shape[1:]}, the model's has {reference.shape[1:]}")
    if len(reference) != len(value):
        return f"has {len(value)} samples, the model's has {len(reference)}"
    for sample, (wanted, found) in enumerate(zip(reference, value, strict=True)):
        if wanted.shape != found.shape:
            if wanted.ndim == found.ndim and wanted.ndim and wanted.shape[1:] == found.shape[1:]:
                return f"has {len(found)} rows on sample {sample} where the model's has {len(wanted)}"
            return f"has the shape {found.shape} on sample {sample}, the model's has {wanted.shape}"
    return None


def paired(reference: Array, value: Array) -> tuple[Array, Array]:
    """Both arrays for a comparison value by value; they are of one shape on every sample.

    Of outputs that vary, the rows of all samples after one another. These are sets: where a sample has the same rows
    in another order they are put in one.
    """
    if not varies(reference, value):
        return reference, value
    pairs = [_in_one_order(*pair) for pair in zip(reference, value, strict=True)]
    wanted, found = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len({row.shape[1:] if row.ndim else None for row in wanted}) > 1 or not wanted[0].ndim:
        wanted, found = [row.reshape(-1) for row in wanted], [row.reshape(-1) for row in found]
    return np.concatenate(wanted), np.concatenate(found)


def _in_one_order(wanted: Array, found: Array) -> tuple[Array, Array]:
    if wanted.ndim == 0 or wanted.size == 0 or same([wanted], [found]):
        return wanted, found
    ordered = _sorted(wanted), _sorted(found)
    return ordered if same([ordered[0]], [ordered[1]]) else (wanted, found)


def _sorted(rows: Array) -> Array:
    flat = rows.reshape(len(rows), -1)
    return rows[np.lexsort(flat.T[::-1])]
