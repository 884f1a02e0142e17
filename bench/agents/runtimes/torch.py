"""PyTorch Mobile: the lite interpreter of the torch package, for .ptl files.

Timed: one call of the module with tensors that are already there, gradients off.
Options: none. The file does not name its inputs, so `inputs` and `outputs` are empty.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Sequence, Tuple

from bench.agents.runtimes import Tensor
from bench.agents.runtimes.distributions import version_of


def version() -> str:
    return version_of("torch")


def import_library() -> None:
    import torch.jit.mobile

    torch.set_grad_enabled(False)  # for the whole process, which is the trial's alone


def load(path: str, delegate: str, threads: int, options: Dict[str, str]) -> _LiteModule:
    if delegate != "cpu":
        raise ValueError("torch has the delegate 'cpu' here, not {!r}".format(delegate))
    if options:
        raise ValueError("torch takes no options, found {}".format(", ".join(sorted(options))))
    return _LiteModule(path, threads)


class _LiteModule:
    inputs: Tuple[Tensor, ...] = ()
    outputs: Tuple[Tensor, ...] = ()

    def __init__(self, path: str, threads: int) -> None:
        import torch
        import torch.jit.mobile

        torch.set_num_threads(threads)
        self._from_numpy = torch.from_numpy
        self._module = torch.jit.mobile._load_for_lite_interpreter(path)
        self._arguments: List[Any] = []
        self._result: Any = None

    def bind(self, arrays: Sequence[Any]) -> None:
        self._arguments = [self._from_numpy(array) for array in arrays]

    def bound(self) -> List[Any]:
        return [tensor.numpy() for tensor in self._arguments]

    def invoke(self) -> None:
        self._result = self._module(*self._arguments)

    def read(self) -> List[Any]:
        return [tensor.detach().numpy().copy() for tensor in flat(self._result)]


NO_TENSORS = (type(None), bool, int, float, complex, str, bytes)
"""What may stand among a result's tensors, is the same for all inputs, and is left out."""


def flat(result: Any) -> List[Any]:
    """The tensors of a module's result in order, whether it is one, or a tuple, a list, a dict or a dataclass of them;
    without None, numbers and texts among them."""
    if isinstance(result, dict):
        return [tensor for item in result.values() for tensor in flat(item)]
    if isinstance(result, (tuple, list)):
        return [tensor for item in result for tensor in flat(item)]
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return [tensor for field in dataclasses.fields(result) for tensor in flat(getattr(result, field.name))]
    return [] if isinstance(result, NO_TENSORS) else [result]
