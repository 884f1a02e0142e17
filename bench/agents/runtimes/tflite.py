"""TFLite: ai-edge-litert's interpreter, else the older tflite-runtime's.

Timed: `interpreter.invoke()` alone; inputs are set before and outputs are copied after.
Delegates: `xnnpack` (the default one), `builtin` (TFLite's own kernels, no delegate). No further options.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from bench.agents.runtimes import Tensor
from bench.agents.runtimes.distributions import version_of


def version() -> str:
    return version_of("ai-edge-litert", "tflite-runtime")


def import_library() -> Any:
    """The interpreter module that is installed."""
    try:
        from ai_edge_litert import interpreter
    except ImportError:
        from tflite_runtime import interpreter
    return interpreter


def load(path: str, delegate: str, threads: int, options: Dict[str, str]) -> _Interpreter:
    if delegate not in ("xnnpack", "builtin"):
        raise ValueError("tflite has the delegates 'xnnpack' and 'builtin' here, not {!r}".format(delegate))
    if options:
        raise ValueError("tflite takes no options, found {}".format(", ".join(sorted(options))))
    return _Interpreter(path, delegate, threads)


class _Interpreter:
    def __init__(self, path: str, delegate: str, threads: int) -> None:
        tflite = import_library()
        kind = tflite.OpResolverType
        resolver = kind.BUILTIN_WITHOUT_DEFAULT_DELEGATES if delegate == "builtin" else kind.AUTO
        self._interpreter = tflite.Interpreter(
            model_path=path, num_threads=threads, experimental_op_resolver_type=resolver)
        self._inputs, self._outputs = _details(self._interpreter)
        self._interpreter.allocate_tensors()
        self.inputs = tuple(_tensor(detail) for detail in self._inputs)
        self.outputs = tuple(_tensor(detail) for detail in self._outputs)
        self.invoke = self._interpreter.invoke

    def bind(self, arrays: Sequence[Any]) -> None:
        resized = False
        for detail, array in zip(self._inputs, arrays):
            if tuple(detail["shape"]) != array.shape:
                self._interpreter.resize_tensor_input(detail["index"], array.shape)
                resized = True
        if resized:
            self._interpreter.allocate_tensors()
            self._inputs, self._outputs = _details(self._interpreter)
        for detail, array in zip(self._inputs, arrays):
            self._interpreter.set_tensor(detail["index"], array)

    def bound(self) -> List[Any]:
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._inputs]

    def read(self) -> List[Any]:
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]


def _details(interpreter: Any) -> Any:
    """Input and output details in the signature's order where there is one signature, else in the graph's order.

    A converter may list the graph's tensors in another order than the model's own arguments.
    """
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    if not signatures:
        return inputs, outputs
    key = "serving_default" if "serving_default" in signatures else next(iter(signatures))
    runner = interpreter.get_signature_runner(key)
    by_name = runner.get_input_details(), runner.get_output_details()
    if len(by_name[0]) != len(inputs) or len(by_name[1]) != len(outputs):
        return inputs, outputs
    names = signatures[key]
    return [by_name[0][name] for name in names["inputs"]], [by_name[1][name] for name in names["outputs"]]


def _tensor(detail: Any) -> Tensor:
    import numpy

    shape = detail.get("shape_signature", detail["shape"])
    if len(shape) != len(detail["shape"]):
        shape = detail["shape"]
    sizes = tuple(int(size) if size >= 0 else None for size in shape)
    return Tensor(detail["name"], sizes, numpy.dtype(detail["dtype"]).name)
