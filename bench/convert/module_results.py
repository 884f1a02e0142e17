"""What a PyTorch module returns: its tensors with their names, and what else there is among them.

Exporters take tensors and plain tuples of them. Each makes something else of dicts (one sorts their keys), dataclasses,
None and numbers, so a module that returns such things is converted with its tensors alone, in their own order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from bench.agents.runtimes.torch import NO_TENSORS
from bench.errors import ModelError
from bench.models.spec import TensorSpec

MOST_SHOWN: Final = 40
"""Characters of a text among the tensors."""


def specs_of(result: Any) -> tuple[TensorSpec, ...]:
    """The result's tensors as `flat` gives them: by the names of dicts, dataclasses and named tuples, else by their
    place.

    Raises ModelError for what is neither a tensor nor one of those, complex numbers, and where there is no tensor.
    """
    found = [(name, item) for name, item in _items(result, "") if not isinstance(item, NO_TENSORS)]
    for name, item in found:
        _check(name, item)
    if not found:
        raise ModelError(f"its result holds no tensor: it is {_kind(result)}")
    return tuple(TensorSpec(name or f"output_{place}", tuple(tensor.shape), _dtype(tensor))
                 for place, (name, tensor) in enumerate(found))


def left_out(result: Any) -> tuple[str, ...]:
    """What the result holds beside tensors, in words: `None at 1`, `0.5 at scores.threshold`."""
    return tuple(f"{str(item)[:MOST_SHOWN]} at {name or 0}" for name, item in _items(result, "")
                 if isinstance(item, NO_TENSORS))


def is_plain(result: Any) -> bool:
    """Whether it is a tensor, or tuples and lists of them: what all exporters take as it is."""
    if isinstance(result, tuple | list):
        return all(map(is_plain, result))
    return not (isinstance(result, (dict, *NO_TENSORS)) or _is_dataclass(result))


def _items(result: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Everything that is in it, with the name or the place that it has there."""
    if isinstance(result, dict):
        parts = [(str(key), item) for key, item in result.items()]
    elif _is_dataclass(result):
        parts = [(field.name, getattr(result, field.name)) for field in dataclasses.fields(result)]
    elif isinstance(result, tuple | list):
        fields = getattr(result, "_fields", None)
        plain = not name and fields is None and is_plain(result)
        parts = [("" if plain else key, item)
                 for key, item in zip(fields or map(str, range(len(result))), result, strict=True)]
    else:
        yield name, result
        return
    for key, item in parts:
        yield from _items(item, f"{name}.{key}" if name and key else name or key)


def _is_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _check(name: str, item: Any) -> None:
    import torch

    where = f" at {name}" if name else ""
    if not isinstance(item, torch.Tensor):
        raise ModelError(f"its result holds {_kind(item)}{where}: wanted tensors, alone or in tuples, lists, dicts or "
                         "dataclasses", hint="wrap it in a module that returns its tensors")
    if item.is_complex():
        raise ModelError(f"its result holds complex numbers{where} ({_dtype(item)}), which no format here has",
                         hint="return torch.view_as_real of it")


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")
