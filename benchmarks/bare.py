"""A bare loop around a runtime, as anybody would write it: what the fidelity of `bench` is measured against.

    python bare.py '{"runtime": NAME, "artifact": FILE, "inputs": FILE, "warm_up_ns": N, "min_ns": N, "min_samples": N}'

Prints a line of JSON: the median in ns, how many inferences that is of, and the share of a core that it had meanwhile.
One thread. It imports nothing of `bench`.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np


def onnxruntime(path: str, array: Any) -> Callable[[], object]:
    """A call that does one inference by ONNX Runtime."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: array}
    return lambda: session.run(None, feed)


def tflite(path: str, array: Any) -> Callable[[], object]:
    """A call that does one inference by LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    return lambda: interpreter.invoke()


def torch(path: str, array: Any) -> Callable[[], object]:
    """A call that does one inference by the lite interpreter."""
    import torch as library
    import torch.jit.mobile

    library.set_num_threads(1)
    library.set_grad_enabled(False)
    module = torch.jit.mobile._load_for_lite_interpreter(path)
    tensor = library.from_numpy(array)
    return lambda: module(tensor)


def executorch(path: str, array: Any) -> Callable[[], object]:
    """A call that does one inference by ExecuTorch."""
    import torch as library
    from executorch.extension.pybindings import _C

    library.set_num_threads(1)
    _C._unsafe_reset_threadpool(1)
    module = _C._load_for_executorch(path)
    arguments = [library.from_numpy(array)]
    return lambda: module.forward(arguments)


def main() -> None:
    """Time one file as the JSON argument says, and print what was found."""
    task = json.loads(sys.argv[1])
    with np.load(task["inputs"]) as archive:
        array = np.ascontiguousarray(archive["0"][0])
    infer = globals()[task["runtime"]](task["artifact"], array)
    end = perf_counter_ns() + task["warm_up_ns"]
    while perf_counter_ns() < end:
        infer()
    times: list[int] = []
    begin, worked = perf_counter_ns(), process_time_ns()
    end = begin + task["min_ns"]
    while perf_counter_ns() < end or len(times) < task["min_samples"]:
        start = perf_counter_ns()
        infer()
        times.append(perf_counter_ns() - start)
    share = (process_time_ns() - worked) / (perf_counter_ns() - begin)
    print(json.dumps({"p50_ns": statistics.median(times), "count": len(times), "core": share}))


if __name__ == "__main__":
    main()
