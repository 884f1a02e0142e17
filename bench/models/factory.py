"""Build a source's module with torch. It runs the user's code: called in child processes only."""

from __future__ import annotations

import importlib
import io
import random
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ModelError
from bench.models import exported
from bench.models.sniff import is_safetensors
from bench.models.spec import Source
from bench.words import nearest

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

SEED = 0
"""The seed of torch, numpy and random before a factory is called, so that random weights are the same in every
process."""


def load_module(source: Source) -> nn.Module:
    """The source as a callable module, whatever kind of torch source it is. Raises ModelError when there is none."""
    if source.kind == "torch":
        return build(source)
    if source.kind == "exported":
        module: nn.Module = load_exported(source).module()
        return module
    if source.kind == "torchscript":
        return _load_script(source)
    raise ModelError(f"wanted a source that torch can load, {source.location} is of kind {source.kind}")


def build(source: Source) -> nn.Module:
    """The module that a factory makes, with its weights, ready for inference.

    Raises ModelError when the factory raises or makes something else, and when the weights do not fit.
    """
    import torch

    module_name, _, function = source.location.partition(":")
    if sys.path[:1] != [str(source.root)]:
        sys.path.insert(0, str(source.root))
    torch.manual_seed(SEED)
    random.seed(SEED)
    np.random.seed(SEED)
    try:
        made = getattr(importlib.import_module(module_name), function)()
    except Exception as error:  # the user's code may raise anything
        raise ModelError(f"factory {source.location} raised {type(error).__name__}: {error}") from error
    if not isinstance(made, torch.nn.Module):
        raise ModelError(f"wanted a torch.nn.Module from factory {source.location}, it returned {_describe(made)}")
    if source.weights is not None:
        _load_weights(made, source.location, source.weights)
    return made.eval()


def _describe(made: object) -> str:
    name = f"{type(made).__module__}.{type(made).__qualname__}".removeprefix("builtins.")
    return f"the class {made.__module__}.{made.__qualname__}" if isinstance(made, type) else f"a value of type {name}"


def _load_weights(module: nn.Module, location: str, path: Path) -> None:
    state, wanted = _read_weights(path), module.state_dict()
    complaints = []
    if missing := [key for key in wanted if key not in state]:
        complaints.append(f"{len(missing)} missing, the first {missing[0]!r}{nearest(missing[0], list(state)[:5])}")
    if unexpected := [key for key in state if key not in wanted]:
        complaints.append(f"{len(unexpected)} unknown to the model, the first {unexpected[0]!r}")
    for key in wanted.keys() & state.keys():
        if wanted[key].shape != state[key].shape:
            complaints.append(f"{key!r} is {tuple(state[key].shape)}, wanted {tuple(wanted[key].shape)}")
    if complaints:
        raise ModelError(f"the weights {path} do not fit factory {location}: {'; '.join(complaints[:4])}")
    module.load_state_dict(state)


def _read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file or in a state_dict, which is loaded without running any pickled code."""
    with path.open("rb") as file:
        safe = is_safetensors(file.read(16))
    try:
        return _read_safetensors(path) if safe else _read_state_dict(path)
    except ModelError:
        raise
    except Exception as error:  # torch and safetensors raise many kinds for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"wanted weights (safetensors, or a state_dict of tensors only), {path} cannot be loaded so: "
                         f"{reason}", hint="save them by safetensors.torch.save_file(net.state_dict(), FILE)") from None


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    state: dict[str, Tensor] = load_file(path)
    return state


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    import torch

    loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        keys = ", ".join(map(str, list(loaded)[:5])) if isinstance(loaded, dict) else ""
        found = f"a dict with {keys}" if keys else _describe(loaded)
        raise ModelError(f"wanted a state_dict (names to tensors) in {path}, found {found}",
                         hint="save it by torch.save(net.state_dict(), FILE)")
    return loaded


def load_exported(source: Source) -> ExportedProgram:
    """The torch.export program of a source. Raises ModelError when opening it could run pickled code, or fails."""
    import torch

    path = Path(source.location)
    exported.read(path)
    _refuse_pickled_objects(path)
    try:
        return torch.export.load(path)
    except Exception as error:  # any of torch's own
        raise ModelError(f"torch {torch.__version__} cannot load {path}: {type(error).__name__}: {error}") from None


def _refuse_pickled_objects(path: Path) -> None:
    """Raise ModelError unless all that torch would unpickle (sample inputs) holds tensors and plain values only.

    `torch.export.load` falls back to unpickling anything, so each part is tried the strict way first.
    """
    import torch

    with zipfile.ZipFile(path) as archive:
        for name in (name for name in archive.namelist() if name.endswith(".pt")):
            content = archive.read(name)
            try:
                if content:
                    torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            except Exception:  # torch raises several kinds; whichever, the part is not plain
                raise ModelError(f"{path} holds pickled objects in {name}, which can run code: refused",
                                 hint="export the model again with tensors as sample inputs") from None


def _load_script(source: Source) -> nn.Module:
    import torch

    try:
        module: nn.Module = torch.jit.load(source.location, map_location="cpu")
    except Exception as error:  # any of torch's own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"torch {torch.__version__} cannot load {source.location}: {first}") from None
    return module.eval()
