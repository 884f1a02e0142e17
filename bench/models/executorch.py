"""Open an ExecuTorch program (.pte) by reading the file itself: neither torch nor executorch is needed.

Field numbers follow executorch/exir/_serialize/program.fbs. Names of inputs and outputs are not in the format: they are
called `input_0`..., `output_0`... by position. Delegates other than XNNPACK cannot be looked into: what they hold does
not count into `parameters` and `precision`.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import ModelError
from bench.models import xnnpack
from bench.models.flatbuffer import Table, root
from bench.models.spec import ModelInfo, TensorSpec

METHOD: Final = "forward"
XNNPACK: Final = "XnnpackBackend"
INT, BOOL, DOUBLE, TENSOR = 2, 3, 4, 5
"""KernelTypes, the union of what a value can be."""

SCALARS: Final = {INT: "int64", BOOL: "bool", DOUBLE: "float64"}
DTYPES: Final = {0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 5: "float16", 6: "float32", 7: "float64",
                 11: "bool", 15: "bfloat16", 27: "uint16", 28: "uint32", 29: "uint64"}
"""ScalarType by numpy's names; others (quantized, 8-bit floating-point) do not occur as inputs of exported programs."""

HALF, FLOAT, BRAIN = 5, 6, 15
IN_SEGMENT: Final = 1


@dataclass(frozen=True)
class Program:
    """A parsed file: its root table, one method's plan, and where the segments of data start (0: none)."""

    data: memoryview
    root: Table
    plan: Table
    segments_at: int


def read(path: Path) -> ModelInfo:
    """What the program's method `forward` (or its only one) takes and gives, its precision and its number of weights.

    Raises ModelError for a file that is no ExecuTorch program, is cut short, or has several methods, none `forward`.
    """
    data = path.read_bytes()
    try:
        program = _parse(path, memoryview(data))
        graphs = [value for payload in _xnnpack_payloads(program) for value in xnnpack.graph_values(payload)]
        return ModelInfo("executorch", path, hashlib.sha256(data).hexdigest(), len(data),
                         _parameters(program.plan, graphs), f"schema {data[4:8].decode()}",
                         _precision(program.plan, graphs), _specs(program.plan, 3, "input"),
                         _specs(program.plan, 4, "output"))
    except (struct.error, IndexError, ValueError) as error:
        raise ModelError(f"{path} is a damaged ExecuTorch program: {error}") from error


def _parse(path: Path, data: memoryview) -> Program:
    if bytes(data[4:6]) != b"ET":
        raise ModelError(f"{path} is not an ExecuTorch program: it does not start with the identifier 'ET12'")
    segments_at = 0
    if bytes(data[8:12]) == b"eh00":
        length, size, segments_at = struct.unpack_from("<IQQ", data, 12)
        total = struct.unpack_from("<Q", data, 32)[0] if length >= 32 else 0
        if max(size, segments_at + total) > len(data):
            raise ModelError(f"{path} is cut short: {len(data)} bytes of {max(size, segments_at + total)}")
    table = root(data)
    plans = {plan.text(0): plan for plan in table.tables(1)}
    if METHOD not in plans and len(plans) != 1:
        raise ModelError(f"{path} has no method {METHOD!r}, and {len(plans)} others: {', '.join(plans) or 'none'}")
    return Program(data, table, plans.get(METHOD) or next(iter(plans.values())), segments_at)


def _xnnpack_payloads(program: Program) -> list[memoryview]:
    payloads = []
    for delegate in program.plan.tables(7):
        place = delegate.table(1)
        if delegate.text(0) != XNNPACK or place is None:
            continue
        index = place.number(1, "I")
        if place.number(0, "b") == IN_SEGMENT:
            segment = program.root.tables(4)[index]
            start = program.segments_at + segment.number(0, "Q")
            payloads.append(program.data[start:start + segment.number(1, "Q")])
        else:
            payloads.append(program.root.tables(3)[index].blob(0))
    return payloads


def _specs(plan: Table, field: int, word: str) -> tuple[TensorSpec, ...]:
    """The method's inputs (field 3) or outputs (field 4)."""
    values = plan.tables(2)
    return tuple(_spec(values[index], f"{word}_{place}") for place, index in enumerate(plan.numbers(field, "i")))


def _spec(value: Table, name: str) -> TensorSpec:
    """A value as a spec. Of a dynamic shape the file has upper bounds only, so all its dimensions are None."""
    kind, held = value.number(0, "B"), value.table(1)
    if kind in SCALARS:
        return TensorSpec(name, (), SCALARS[kind])
    if kind != TENSOR or held is None:
        raise ValueError(f"{name} is neither a tensor nor a number")
    scalar_type = held.number(0, "b")
    if scalar_type not in DTYPES:
        raise ValueError(f"{name} has the unknown scalar type {scalar_type}")
    sizes = held.numbers(2, "i")
    dynamic = held.number(8, "b") != 0
    return TensorSpec(name, tuple(None if dynamic else size for size in sizes), DTYPES[scalar_type])


def _tensors(plan: Table) -> list[Table]:
    held = [value.table(1) for value in plan.tables(2) if value.number(0, "B") == TENSOR]
    return [tensor for tensor in held if tensor is not None]


def _parameters(plan: Table, graphs: list[xnnpack.Value]) -> int:
    """How many weights are in the file: constants of XNNPACK graphs, and tensors with data of their own.

    Scalar tensors are left out: the exporter makes them of assertions and indices.
    """
    outside = sum(math.prod(sizes) for tensor in _tensors(plan)
                  if tensor.number(5, "I") and tensor.table(6) is None and (sizes := tensor.numbers(2, "i")))
    return outside + sum(value.elements for value in graphs if value.constant)


def _precision(plan: Table, graphs: list[xnnpack.Value]) -> str:
    """The precision the program computes in, by the datatypes of its tensors and the names of its operators.

    4-bit weights name it first, then 8-bit activations: with scales in the file `int8`, with scales found at run time
    `int8-dynamic`; 8-bit weights with neither are `int8-weight`. Else the activations decide between fp16, bf16 and
    fp32, not the weights, which XNNPACK keeps in float32 for fp16 convolutions.
    """
    held = {value.datatype for value in graphs}
    activations = [value.datatype for value in graphs if not value.constant]
    operators = {operator.text(0).partition("::")[2] for operator in plan.tables(6)}
    if not held.isdisjoint(xnnpack.FOUR_BIT):
        return "int4-weight"
    quantizing = any(name.startswith("quantize_per_") for name in operators)
    if quantizing or not set(activations).isdisjoint(xnnpack.STATIC_8_BIT):
        return "int8-dynamic" if any(name.startswith("choose_qparams") for name in operators) else "int8"
    if not held.isdisjoint(xnnpack.DYNAMIC_8_BIT):
        return "int8-dynamic"
    if not held.isdisjoint((*xnnpack.STATIC_8_BIT, xnnpack.PER_CHANNEL_8_BIT)) \
            or any(name.startswith("dequantize_per_") for name in operators):
        return "int8-weight"
    types = [tensor.number(0, "b") for tensor in _tensors(plan)]
    halves = types.count(HALF) + activations.count(xnnpack.FP16)
    singles = types.count(FLOAT) + activations.count(xnnpack.FP32)
    brains = types.count(BRAIN)
    return "bf16" if brains > max(halves, singles) else "fp16" if halves > singles else "fp32"
