"""The schema that LiteRT ships (generated code, untyped), and the few questions asked of its objects."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from bench.errors import MissingExtra
from bench.models.spec import Quantization


def load_schema() -> ModuleType:
    """The generated schema. Raises MissingExtra without ai-edge-litert."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise MissingExtra("ai-edge-litert", "tflite", "opening a TFLite file") from None
    module: ModuleType = schema_py_generated
    return module


def type_name(schema: ModuleType, tensor: Any) -> str:
    """The name of a tensor's type: FLOAT32, INT8, ... Raises ValueError for a code that has none."""
    for name, code in vars(schema.TensorType).items():
        if code == tensor.type:
            return str(name)
    raise ValueError(f"a tensor has the unknown type {tensor.type}")


def elements(vector: Any) -> list[Any]:
    """A vector of the schema's objects (an array, a list, or None or a number where there is none) as a list."""
    return [] if vector is None or isinstance(vector, int) else list(vector)


def size_of(tensor: Any) -> int:
    """How many numbers a tensor has."""
    return math.prod(int(dim) for dim in elements(tensor.shape))


def quantization_of(tensor: Any) -> Quantization | None:
    """The tensor's scale and zero point; of several (per channel), the first: inputs and outputs have one."""
    scales = [] if tensor.quantization is None else elements(tensor.quantization.scale)
    if not scales or not scales[0]:
        return None
    points = elements(tensor.quantization.zeroPoint)
    return Quantization(float(scales[0]), int(points[0]) if points else 0)
