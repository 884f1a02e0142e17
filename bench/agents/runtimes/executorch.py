"""ExecuTorch, for .pte files whose backend (XNNPACK) was chosen when they were made.

Timed: one `execute` of the method `forward` with tensors that are already there.
Options: none.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from bench.agents.runtimes import Tensor
from bench.agents.runtimes.distributions import version_of


def version() -> str:
    return version_of("executorch")


def load(path: str, delegate: str, threads: int, options: Dict[str, str]) -> _Method:
    if delegate != "xnnpack":
        raise ValueError("executorch has the delegate 'xnnpack' here, not {!r}".format(delegate))
    if options:
        raise ValueError("executorch takes no options, found {}".format(", ".join(sorted(options))))
    return _Method(path, threads)


class _Method:
    inputs: Tuple[Tensor, ...] = ()
    outputs: Tuple[Tensor, ...] = ()

    def __init__(self, path: str, threads: int) -> None:
        import torch
        from executorch.extension.pybindings import _C
        from executorch.runtime import Runtime

        torch.set_num_threads(threads)
        _C._unsafe_reset_threadpool(threads)
        self._from_numpy = torch.from_numpy
        program = Runtime.get().load_program(path)
        self._method = program.load_method("forward")
        if self._method is None:
            raise ValueError("the program has no method 'forward'")
        self._arguments: List[Any] = []
        self._result: Any = None

    def bind(self, arrays: Sequence[Any]) -> None:
        self._arguments = [self._from_numpy(array) for array in arrays]

    def invoke(self) -> None:
        self._result = self._method.execute(self._arguments)

    def read(self) -> List[Any]:
        return [tensor.numpy().copy() for tensor in self._result]
