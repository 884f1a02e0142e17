"""Which precision an ONNX graph has, by its operators and the types of its weights. The rules, first match wins:

    int4-weight, int8-weight  MatMulNBits with 4 or 8 bits
    int8-dynamic              activations quantized as they come: DynamicQuantizeLinear, ConvInteger, MatMulInteger, ...
    int16x8, int8             activations quantized by stored scales: QuantizeLinear (16 or 8 bits), QLinear...
    int4-weight, int8-weight  only weights are quantized: DequantizeLinear on 4-bit, or other, initializers
    fp16                      at least half of the floating-point weights have 16 bits
    fp32                      the rest
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_DYNAMIC = frozenset({"DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul",
                      "MatMulIntegerToFloat", "DynamicQuantizeLSTM"})


def precision_of(nodes: Sequence[NodeProto], graph: GraphProto) -> str:
    """The precision of a graph with these nodes, by the rules above (a word of bench.words.PRECISIONS)."""
    operators = {node.op_type for node in nodes}
    if "MatMulNBits" in operators:
        return _packed(nodes)
    if operators & _DYNAMIC:
        return "int8-dynamic"
    if "QuantizeLinear" in operators or any(operator.startswith("QLinear") for operator in operators):
        return _static(nodes, graph)
    if "DequantizeLinear" in operators:
        return _weight_only(nodes, graph)
    return _floating(graph)


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


def _floating(graph: GraphProto) -> str:
    from onnx import TensorProto

    half = full = 0
    for tensor in graph.initializer:
        size = math.prod(tensor.dims)
        half += size if tensor.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16) else 0
        full += size if tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE) else 0
    return "fp16" if half and half >= full else "fp32"
