"""What an ONNX graph makes of quantized weights, by its operators, and how many weights of which kind it has.

The rules, first match wins:

    int4-weight, int8-weight  MatMulNBits with 4 or 8 bits
    int8-dynamic              activations quantized as they come: DynamicQuantizeLinear, ConvInteger, MatMulInteger, ...
    int16x8, int8             activations quantized by stored scales: QuantizeLinear (16 or 8 bits), QLinear...
    int4-weight, int8-weight  only weights are quantized: DequantizeLinear on 4-bit, or other, initializers

`bench.models.shares` makes the file's label of both.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_DYNAMIC = frozenset({"DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul",
                      "MatMulIntegerToFloat", "DynamicQuantizeLSTM"})


def quantized_as(nodes: Sequence[NodeProto], graph: GraphProto) -> str:
    """The precision by the rules above, a word of bench.words.PRECISIONS; empty for a graph without quantization."""
    operators = {node.op_type for node in nodes}
    if "MatMulNBits" in operators:
        return _packed(nodes)
    if operators & _DYNAMIC:
        return "int8-dynamic"
    if "QuantizeLinear" in operators or any(operator.startswith("QLinear") for operator in operators):
        return _static(nodes, graph)
    return _weight_only(nodes, graph) if "DequantizeLinear" in operators else ""


def shares_of(graphs: Iterable[GraphProto], nodes: Sequence[NodeProto]) -> Counter[str]:
    """How many numbers the weights hold, by kind (see `bench.models.shares`): tensors of two or more dimensions, or all
    where there are none; packed ones (MatMulNBits) by what they stand for."""
    tensors = [tensor for graph in graphs for tensor in graph.initializer]
    tensors += [attribute.t for node in nodes if node.op_type == "Constant" for attribute in node.attribute
                if attribute.name == "value"]
    packed, found = set(), Counter[str]()
    for node in nodes:
        if node.op_type == "MatMulNBits":
            said = {attribute.name: attribute.i for attribute in node.attribute}
            packed.add(node.input[1])
            found["int8" if said.get("bits", 4) == 8 else "int4"] += said.get("K", 0) * said.get("N", 0)
    kinds, flat = _kinds(), Counter[str]()
    for tensor in tensors:
        kind = kinds.get(tensor.data_type)
        if kind is not None and tensor.name not in packed:
            (found if len(tensor.dims) > 1 else flat)[kind] += math.prod(tensor.dims)
    return found if found.total() else flat


def _kinds() -> dict[int, str]:
    from onnx import TensorProto

    return {TensorProto.FLOAT: "fp32", TensorProto.DOUBLE: "fp64", TensorProto.FLOAT16: "fp16",
            TensorProto.BFLOAT16: "bf16", TensorProto.INT8: "int8", TensorProto.UINT8: "int8",
            TensorProto.INT4: "int4", TensorProto.UINT4: "int4"}


def _packed(nodes: Sequence[NodeProto]) -> str:
    bits = Counter(next((attribute.i for attribute in node.attribute if attribute.name == "bits"), 4)
                   for node in nodes if node.op_type == "MatMulNBits")
    return "int8-weight" if bits[8] > bits[4] else "int4-weight"


def _types(graph: GraphProto) -> dict[str, int]:
    return {tensor.name: tensor.data_type for tensor in graph.initializer}


def _static(nodes: Sequence[NodeProto], graph: GraphProto) -> str:
    """By the zero points of QuantizeLinear: most of 16 bits is int16x8."""
    from onnx import TensorProto

    types = _types(graph)
    wide = Counter(types.get(node.input[2]) in (TensorProto.INT16, TensorProto.UINT16)
                   for node in nodes if node.op_type == "QuantizeLinear" and len(node.input) > 2)
    return "int16x8" if wide[True] > wide[False] else "int8"


def _weight_only(nodes: Sequence[NodeProto], graph: GraphProto) -> str:
    from onnx import TensorProto

    types = _types(graph)
    narrow = Counter(types.get(node.input[0]) in (TensorProto.INT4, TensorProto.UINT4)
                     for node in nodes if node.op_type == "DequantizeLinear")
    return "int4-weight" if narrow[True] > narrow[False] else "int8-weight"
