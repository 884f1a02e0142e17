"""Which of a model's outputs is scored against the labels."""

from __future__ import annotations

from collections.abc import Sequence

from bench.datasets.arrays import shape_text
from bench.errors import ConfigError
from bench.models.spec import TensorSpec
from bench.words import nearest


def scored_output(outputs: Sequence[TensorSpec], highest: int, wanted: str | int | None) -> int:
    """The place of the output that is scored: the one `wanted`, by name or number; else the only one; else the only one
    of real numbers that has one class score for each of the labels, whose highest is `highest`.

    Where the outputs are not known (none given) it is the number wanted, or 0. Raises ConfigError, with the outputs and
    what to write, when that is not clear, and for an output that those labels do not fit.
    """
    if not outputs:
        return wanted if isinstance(wanted, int) else 0
    place = _named(outputs, wanted) if wanted is not None else _only(outputs, highest)
    why = _unfit(outputs[place], highest)
    if why:
        raise ConfigError(f"the output {outputs[place].name!r} cannot be scored: {why}; the model's outputs: "
                          f"{_listed(outputs)}", hint=_hint(outputs, highest, place))
    return place


def _named(outputs: Sequence[TensorSpec], wanted: str | int) -> int:
    names = [spec.name for spec in outputs]
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    if isinstance(wanted, int) and wanted < len(outputs):
        return wanted
    near = nearest(wanted, names) if isinstance(wanted, str) else f": its outputs are {_listed(outputs)}"
    raise ConfigError(f"dataset.output: the model has no output {wanted!r}{near}")


def _only(outputs: Sequence[TensorSpec], highest: int) -> int:
    if len(outputs) == 1:
        return 0
    fit = [place for place, spec in enumerate(outputs) if _is_real(spec) and not _unfit(spec, highest)]
    if len(fit) != 1:
        raise ConfigError(f"which of the model's outputs is to be scored is not clear: {_listed(outputs)}",
                          hint=_write([outputs[place].name for place in fit] or [spec.name for spec in outputs]))
    return fit[0]


def _is_real(spec: TensorSpec) -> bool:
    return "float" in spec.dtype or spec.quantization is not None


def _unfit(spec: TensorSpec, highest: int) -> str:
    """Why an output has no score for each class; empty when it may have. An open dimension may be the batch, or the
    classes."""
    sizes = [dim for dim in spec.shape if dim != 1]
    known = [dim for dim in sizes if dim is not None]
    if len(known) > 1 or not sizes:
        return f"wanted one score for each class, found the shape {shape_text(spec.shape)}"
    if known and known[0] <= highest:
        return f"it has {known[0]} classes, and there are labels up to {highest}"
    if not known and len(sizes) == 1 and len(spec.shape) == 1:
        return f"wanted one score for each class, found the shape {shape_text(spec.shape)}"
    return ""


def _hint(outputs: Sequence[TensorSpec], highest: int, place: int) -> str:
    fit = [spec.name for at, spec in enumerate(outputs) if at != place and not _unfit(spec, highest)]
    return _write(fit) if fit else "give labels that are classes of it"


def _write(names: Sequence[str]) -> str:
    return f"write in the suite: dataset: {{..., output: {' or '.join(names)}}}"


def _listed(outputs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name} {spec.dtype} {shape_text(spec.shape)}" for spec in outputs)
