"""Modules and calibration samples as converters take them: inputs by position, in the order of the model's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.convert.binding import load_bound
from bench.convert.recipe import Work

Array = npt.NDArray[np.generic]


def torch_module(work: Work) -> Any:
    """The source as a torch module that takes the model's inputs by position and leaves them as they are.

    Raises ModelError when there is no such module.
    """
    if work.probe is None:
        return load_bound(work.source, work.inputs)
    return load_bound(work.source, work.inputs, work.probe.changed_inputs, plain=work.probe.plain)


def buffers_of(module: Any) -> dict[str, Any]:
    """Copies of the module's buffers, by name, for `restore`."""
    return {name: buffer.detach().clone() for name, buffer in module.named_buffers()}


def restore(module: Any, buffers: Mapping[str, Any]) -> None:
    """Give the module's buffers their values back: an example or calibration ran, and left its state in them.

    Else that would be the state that the exported file begins with.
    """
    import torch

    with torch.no_grad():
        for name, buffer in module.named_buffers():
            if name in buffers and buffer.shape == buffers[name].shape:
                buffer.copy_(buffers[name])


def calibration_samples(work: Work) -> Iterator[tuple[Array, ...]]:
    """Each calibration sample as one array per model input, with the input's own shape and dtype."""
    with np.load(work.calibration, allow_pickle=False) as stored:
        columns = [stored[spec.name].astype(spec.dtype, copy=False) for spec in work.inputs]
    for position in range(min((len(column) for column in columns), default=0)):
        # asarray: a sample of a scalar input is a numpy scalar, which torch does not take.
        yield tuple(np.asarray(column[position]) for column in columns)


def torch_samples(work: Work, *, half: bool = False) -> Iterator[tuple[Any, ...]]:
    """The calibration samples as torch tensors; with `half`, floating-point ones as float16."""
    import torch

    for sample in calibration_samples(work):
        tensors = tuple(torch.from_numpy(np.array(array, order="C")) for array in sample)
        yield tuple(t.half() if half and t.is_floating_point() else t for t in tensors)


def torch_example(work: Work, *, half: bool = False) -> tuple[Any, ...]:
    """The first calibration sample as torch tensors: the example that exports and traces run on."""
    return next(torch_samples(work, half=half))


def export_program(module: Any, example: tuple[Any, ...]) -> Any:
    """`module` as a torch ExportedProgram: non-strict first, strict where that fails.

    Raises what the non-strict export raised when both fail.
    """
    import torch

    try:
        return torch.export.export(module, example, strict=False)
    except Exception as lenient:
        try:
            return torch.export.export(module, example, strict=True)
        except Exception:
            raise lenient from None
