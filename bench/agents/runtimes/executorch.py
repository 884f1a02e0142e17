"""ExecuTorch, for .pte files whose backend (XNNPACK) was chosen when they were made.

Timed: one call of the method `forward` with tensors that are already there.
Options: none.

The bindings are taken from the extension module itself: the package's own `executorch.runtime` imports the whole
exporter with it, which costs seconds and over 100 MiB that a device does not need.
"""

from __future__ import annotations

from importlib import import_module, util
from typing import Any, Dict, List, Sequence, Tuple

from bench.agents.runtimes import Tensor
from bench.agents.runtimes.distributions import version_of


def version() -> str:
    return version_of("executorch")


def import_library() -> Any:
    """The extension module: `_C`, which was called `_portable_lib` before executorch 1.5."""
    import torch  # noqa: F401 - its libraries must be there before the extension module

    package = "executorch.extension.pybindings."
    return import_module(package + ("_C" if util.find_spec(package + "_C") else "_portable_lib"))


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

        bindings = import_library()
        torch.set_num_threads(threads)
        bindings._unsafe_reset_threadpool(threads)
        self._from_numpy = torch.from_numpy
        self._program = bindings._load_program(
            path, program_verification=bindings.Verification.InternalConsistency)
        self._method = self._program.load_method("forward")
        self._arguments: List[Any] = []
        self._result: Any = None

    def bind(self, arrays: Sequence[Any]) -> None:
        self._arguments = [self._from_numpy(array) for array in arrays]

    def bound(self) -> List[Any]:
        return [tensor.numpy() for tensor in self._arguments]

    def invoke(self) -> None:
        self._result = self._method.call(self._arguments)

    def read(self) -> List[Any]:
        return [tensor.numpy().copy() for tensor in self._result]
