"""ONNX Runtime, CPU execution provider.

Timed: `session.run` with numpy inputs that are already there; it allocates its outputs, as an application's call does.
Options: `graph_optimization_level` (disable, basic, extended, all), `execution_mode` (sequential, parallel); any other
key is a session config entry such as `session.x64quantprecision`.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from bench.agents.runtimes import Tensor
from bench.agents.runtimes.distributions import version_of

_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}
_LEVELS = {"disable": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED",
           "all": "ORT_ENABLE_ALL"}
_MODES = {"sequential": "ORT_SEQUENTIAL", "parallel": "ORT_PARALLEL"}


def version() -> str:
    return version_of("onnxruntime", "onnxruntime-gpu")


def import_library() -> None:
    import onnxruntime  # noqa: F401


def load(path: str, delegate: str, threads: int, options: Dict[str, str]) -> _Session:
    if delegate != "cpu":
        raise ValueError("onnxruntime has the delegate 'cpu' here, not {!r}".format(delegate))
    return _Session(path, threads, options)


def _choice(table: Dict[str, str], key: str, value: str) -> str:
    if value not in table:
        raise ValueError("{} is one of {}, not {!r}".format(key, ", ".join(table), value))
    return table[value]


class _Session:
    def __init__(self, path: str, threads: int, options: Dict[str, str]) -> None:
        import onnxruntime as ort

        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        for key, value in options.items():
            if key == "graph_optimization_level":
                settings.graph_optimization_level = getattr(ort.GraphOptimizationLevel, _choice(_LEVELS, key, value))
            elif key == "execution_mode":
                settings.execution_mode = getattr(ort.ExecutionMode, _choice(_MODES, key, value))
            else:
                settings.add_session_config_entry(key, value)
        self._session = ort.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        self.inputs = tuple(_tensor(node) for node in self._session.get_inputs())
        self.outputs = tuple(_tensor(node) for node in self._session.get_outputs())
        self._names = [tensor.name for tensor in self.outputs]
        self._feed: Dict[str, Any] = {}
        self._results: List[Any] = []

    def bind(self, arrays: Sequence[Any]) -> None:
        self._feed = {tensor.name: array for tensor, array in zip(self.inputs, arrays)}

    def bound(self) -> List[Any]:
        return list(self._feed.values())

    def invoke(self) -> None:
        self._results = self._session.run(self._names, self._feed)

    def read(self) -> List[Any]:
        return list(self._results)


def _tensor(node: Any) -> Tensor:
    kind = node.type
    dtype = _DTYPES.get(kind, kind[len("tensor("):-1])
    return Tensor(node.name, tuple(size if isinstance(size, int) else None for size in node.shape), dtype)
