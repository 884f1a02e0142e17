"""Tiny model files, real ones, made in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def onnx_model(weight_type: str = "float32", dims: tuple[int | str, ...] = ("batch", 4)) -> Any:
    """x (batch, 4) float32 -> y (batch, 2): a MatMul and an Add; the weights of `weight_type`, cast to float32."""
    from onnx import TensorProto, helper, numpy_helper

    weight = np.arange(8, dtype=weight_type).reshape(4, 2)
    nodes = [helper.make_node("MatMul", ["x", "w32"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])]
    nodes.insert(0, helper.make_node("Cast", ["w"], ["w32"], to=TensorProto.FLOAT))
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims),
                        helper.make_tensor_value_info("w", helper.np_dtype_to_tensor_dtype(weight.dtype), (4, 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (dims[0], 2))],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.zeros(2, dtype=np.float32), "b")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def save_onnx(path: Path, model: Any | None = None, *, external: str | None = None) -> Path:
    """Save an ONNX model (the tiny one by default), its weights in the file `external` beside it if that is given."""
    import onnx

    onnx.save(onnx_model() if model is None else model, path, save_as_external_data=external is not None,
              location=external, size_threshold=0)
    return path


def save_tflite(path: Path, *, open_batch: bool = True, signature: bool = True) -> Path:
    """Save a TFLite file of one fully connected layer, x (1, 4) -> y (1, 2), float32; the batch open if so wished."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    weight = np.arange(8, dtype=np.float32)

    def tensor(name: str, shape: list[int], buffer: int, pattern: list[int] | None = None) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.shapeSignature = name, shape, buffer, pattern
        made.type = schema.TensorType.FLOAT32
        return made

    def entry(name: str, index: int) -> Any:
        made = schema.TensorMapT()
        made.name, made.tensorIndex = name, index
        return made

    operator, graph, code, model = schema.OperatorT(), schema.SubGraphT(), schema.OperatorCodeT(), schema.ModelT()
    operator.inputs, operator.outputs = [0, 1, -1], [2]
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    graph.tensors = [tensor("inner_x", [1, 4], 0, [-1, 4] if open_batch else None), tensor("w", [2, 4], 1),
                     tensor("inner_y", [1, 2], 0, [-1, 2] if open_batch else None)]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [operator]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    full = schema.BufferT()
    full.data = np.frombuffer(weight.tobytes(), dtype=np.uint8)
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT(), full]
    if signature:
        named = schema.SignatureDefT()
        named.signatureKey, named.subgraphIndex = "serving_default", 0
        named.inputs, named.outputs = [entry("x", 0)], [entry("y", 2)]
        model.signatureDefs = [named]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def torch_files(folder: Path) -> dict[str, Path]:
    """A small net (image (n, 3, 8, 8), scale () -> logits, total) saved in each way that torch has, by format."""
    import torch

    from tests.fakes.scaled import Scaled

    torch.manual_seed(0)
    net = Scaled().eval()
    example = (torch.rand(2, 3, 8, 8), torch.tensor(2.0))
    paths = {name: folder / name for name in ("fixed.pt2", "open.pt2", "script.pt", "checkpoint.pt", "old.pt")}
    torch.export.save(torch.export.export(net, (example[0][:1], example[1])), paths["fixed.pt2"])
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(net, example, dynamic_shapes=({0: batch}, None))
    torch.export.save(program, paths["open.pt2"])
    torch.jit.script(net).save(str(paths["script.pt"]))
    torch.save(net.state_dict(), paths["checkpoint.pt"])
    torch.save(net.state_dict(), paths["old.pt"], _use_new_zipfile_serialization=False)
    return paths


class Marker:
    """Unpickling one of these makes a file: a test that finds none knows that nothing was unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.path), "w")
