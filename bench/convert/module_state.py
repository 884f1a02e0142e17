"""What a PyTorch module holds (buffers, parameters, attributes), so that two moments can be compared."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

DEPTH = 5
"""How deep lists, dicts and objects in attributes are looked into."""
_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def snapshot(module: nn.Module) -> dict[str, object]:
    """A mark of everything that the module holds, by name: two marks are equal when the values are.

    Parameters are marked by place and version, which any in-place operation raises; all else by content.
    """
    import torch

    plain = set(vars(torch.nn.Module()))
    found: dict[str, object] = {}
    for prefix, part in module.named_modules():
        dot = f"{prefix}." if prefix else ""
        found.update({dot + name: _held(value) for name, value in part.named_parameters(recurse=False)})
        found.update({dot + name: _mark(value, DEPTH) for name, value in part.named_buffers(recurse=False)})
        found.update({dot + name: _mark(value, DEPTH) for name, value in _attributes(part, plain)})
    return found


def changed(*snapshots: Mapping[str, object]) -> tuple[str, ...]:
    """The names whose values differ between a snapshot and the next, as the last one lists them.

    One in between shows what comes around: a count that starts again from 0.
    """
    names = dict.fromkeys(name for snapshot in reversed(snapshots) for name in snapshot)
    return tuple(name for name in names
                 if any(one.get(name) != other.get(name) for one, other in pairwise(snapshots)))


def _attributes(part: nn.Module, plain: set[str]) -> Iterator[tuple[str, object]]:
    import torch

    if not isinstance(part, torch.jit.ScriptModule):
        yield from ((name, value) for name, value in vars(part).items() if name not in plain)
    elif part._c._has_method("forward"):
        own = {name for name, _ in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False))}
        for name in sorted(_attributes_used(part.inlined_graph) - own):
            if part._c.hasattr(name):
                yield name, part._c.getattr(name)


def _attributes_used(block: Any) -> set[str]:
    """Names of attributes that a compiled graph reads or sets: all that a compiled module tells of them."""
    found: set[str] = set()
    for node in block.nodes():
        if node.kind() in ("prim::GetAttr", "prim::SetAttr"):
            found.add(node.s("name"))
        for inner in node.blocks():
            found |= _attributes_used(inner)
    return found


def _held(value: Tensor) -> object:
    return value.data_ptr(), value._version, tuple(value.shape)


def _mark(value: object, depth: int) -> object:
    import torch

    if value is None or isinstance(value, int | float | complex | str | bytes):
        return value
    if isinstance(value, torch.Tensor):
        return _digest(value)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, hashlib.blake2b(value.tobytes()).hexdigest()
    if depth == 0 or isinstance(value, (torch.Generator, torch.nn.Module, *_CODE)):
        return None
    if isinstance(value, Mapping):
        return tuple((str(key), _mark(item, depth - 1)) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset | deque):
        return tuple(_mark(item, depth - 1) for item in value)
    return tuple((name, _mark(item, depth - 1)) for name, item in getattr(value, "__dict__", {}).items())


def _digest(tensor: Tensor) -> object:
    import torch

    try:
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        content = hashlib.blake2b(flat.view(torch.uint8).numpy().data).hexdigest()
    except (RuntimeError, TypeError, NotImplementedError):  # sparse, packed, without storage
        content = f"{tensor.data_ptr() if tensor.layout == torch.strided else 0} {tensor._version}"
    return str(tensor.dtype), tuple(tensor.shape), content
