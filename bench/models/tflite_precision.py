"""What a TFLite graph makes of quantized weights, by the types of its tensors, and how many weights of which kind it
has. The rules, first match wins:

    int16x8, int8   activations have stored scales: any of 16 bits, else of 8
    int4-weight     most quantized weights have 4 bits or fewer, whether activations are quantized as they come or not
    int8-weight     most quantized weights are read by DEQUANTIZE only: the operators compute in floating point
    int8-dynamic    most quantized weights are read by other operators, which then quantize activations as they come

"Most" counts numbers, not tensors. `bench.models.shares` makes the file's label of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

from bench.models.tflite_schema import elements, quantization_of, size_of, type_name

_NARROW: Final = frozenset({"INT4", "UINT4", "INT2"})
_KINDS: Final = {"FLOAT64": "fp64", "FLOAT32": "fp32", "FLOAT16": "fp16", "BFLOAT16": "bf16", "INT8": "int8",
                 "UINT8": "int8", **dict.fromkeys(_NARROW, "int4")}


def quantized_as(model: Any, graph: Any, weights: list[int], schema: ModuleType) -> str:
    """The precision of `graph` by the rules above, empty without quantization; `weights` are the indices of its
    constant tensors."""
    activations = _activation_types(graph, set(weights), schema)
    if "INT16" in activations:
        return "int16x8"
    if activations & {"INT8", "UINT8"}:
        return "int8"
    quantized = [index for index in weights if quantization_of(graph.tensors[index]) is not None]
    if not quantized:
        return ""
    sizes = _sizes(graph, quantized, schema)
    if 2 * sum(sizes[name] for name in _NARROW) > sizes.total():
        return "int4-weight"
    direct = _read_directly(model, graph, schema)
    computed = sum(size_of(graph.tensors[index]) for index in quantized if index in direct)
    return "int8-dynamic" if 2 * computed >= sizes.total() else "int8-weight"


def shares_of(graph: Any, weights: list[int], schema: ModuleType) -> Counter[str]:
    """How many numbers the weights hold, by kind (see `bench.models.shares`): tensors of two or more dimensions, or all
    where there are none."""
    large = [index for index in weights if len(elements(graph.tensors[index].shape)) > 1]
    found: Counter[str] = Counter()
    for name, count in _sizes(graph, large or weights, schema).items():
        if name in _KINDS:
            found[_KINDS[name]] += count
    return found


def _activation_types(graph: Any, constant: set[int], schema: ModuleType) -> set[str]:
    """The types of quantized tensors that are computed or come in."""
    computed = {int(index) for operator in graph.operators for index in elements(operator.outputs)}
    tensors = [graph.tensors[index] for index in computed.union(elements(graph.inputs)) - constant if index >= 0]
    return {type_name(schema, tensor) for tensor in tensors if quantization_of(tensor) is not None}


def _sizes(graph: Any, indices: Iterable[int], schema: ModuleType) -> Counter[str]:
    """How many numbers of each type the tensors hold."""
    sizes: Counter[str] = Counter()
    for index in indices:
        sizes[type_name(schema, graph.tensors[index])] += size_of(graph.tensors[index])
    return sizes


def _read_directly(model: Any, graph: Any, schema: ModuleType) -> set[int]:
    """The tensors that operators other than DEQUANTIZE read."""
    found: set[int] = set()
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEQUANTIZE:
            found.update(int(index) for index in elements(operator.inputs))
    return found
