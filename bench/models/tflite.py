"""Open a TFLite file by the schema that LiteRT ships; nothing is run."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bench.errors import ModelError
from bench.models.files import sha256_file
from bench.models.shares import label
from bench.models.spec import ModelInfo, TensorSpec
from bench.models.tflite_precision import quantized_as, shares_of
from bench.models.tflite_schema import elements, load_schema, quantization_of, size_of, type_name
from bench.models.tflite_tables import tables_of

_DAMAGED: Final = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError, MemoryError,
                   RecursionError)
"""What reading a damaged file by generated code ends in; ValueError covers wrong UTF-8, too."""
_NUMPY_NAMES: Final = {"string": "object"}


def read(path: Path) -> ModelInfo:
    """What a TFLite file tells. Raises ModelError for a damaged file, MissingExtra without ai-edge-litert."""
    schema = load_schema()
    data = path.read_bytes()
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        graph = model.subgraphs[0]
        weights = _weights(model, graph, schema, len(data))
        parameters = sum(size_of(graph.tensors[index]) for index in weights)
        quantized = quantized_as(model, graph, weights, schema)
        precision, mixed = label(quantized, shares_of(graph, weights, schema))
        inputs, outputs = _ends(model, graph, schema)
        names = {index: spec.name for index, spec in inputs}
        tables = tables_of(model, graph, names, schema)
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is a truncated or damaged TFLite file: {reason}") from None
    return ModelInfo(format="tflite", path=path, sha256=sha256_file(path), size_bytes=len(data), parameters=parameters,
                     version=f"schema {model.version}", precision=precision,
                     inputs=tuple(spec for _, spec in inputs), outputs=tuple(spec for _, spec in outputs),
                     mixed=mixed, computes_in=quantized or precision, tables=tables)


def _weights(model: Any, graph: Any, schema: ModuleType, length: int) -> list[int]:
    """The graph's constant tensors of floating-point or quantized numbers. Raises ValueError for data cut off."""
    used = {int(index) for operator in graph.operators for index in elements(operator.inputs)}
    found = []
    for index, tensor in enumerate(graph.tensors):
        buffer = model.buffers[tensor.buffer]
        apart = buffer.offset > 1  # larger files keep weights behind the flatbuffer
        if apart and buffer.offset + buffer.size > length:
            raise ValueError(f"weights reach to byte {buffer.offset + buffer.size}, the file to {length}")
        stored = apart or (buffer.data is not None and not isinstance(buffer.data, int) and len(buffer.data) > 0)
        if stored and index in used and ("FLOAT" in type_name(schema, tensor) or quantization_of(tensor) is not None):
            found.append(index)
    return found


def _spec(name: bytes, tensor: Any, schema: ModuleType) -> TensorSpec:
    dtype = type_name(schema, tensor).lower()
    dims = elements(tensor.shapeSignature) or elements(tensor.shape)
    shape = tuple(None if dim < 0 else int(dim) for dim in dims)
    return TensorSpec(name.decode(), shape, _NUMPY_NAMES.get(dtype, dtype), quantization_of(tensor))


_Ends = tuple[tuple[int, TensorSpec], ...]


def _ends(model: Any, graph: Any, schema: ModuleType) -> tuple[_Ends, _Ends]:
    """Inputs and outputs, each with its tensor's number: the signature's, in its order and by its names, else the first
    subgraph's."""
    signatures = [entry for entry in elements(model.signatureDefs) if entry.subgraphIndex == 0]
    if signatures:
        ends = [[(entry.name, int(entry.tensorIndex)) for entry in elements(side)]
                for side in (signatures[0].inputs, signatures[0].outputs)]
    else:
        ends = [[(graph.tensors[index].name, int(index)) for index in elements(side)]
                for side in (graph.inputs, graph.outputs)]
    inputs, outputs = (tuple((index, _spec(name, graph.tensors[index], schema)) for name, index in side)
                       for side in ends)
    if not outputs:
        raise ValueError("it has no outputs")
    return inputs, outputs
