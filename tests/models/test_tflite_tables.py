"""Which inputs of a TFLite graph number the rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.models.spec import Table
from bench.models.tflite import read


def _save(path: Path, operators: list[tuple[str, list[int], int]], shapes: list[list[int]]) -> Path:
    """A graph of these (operator, inputs, output): tensor 0 is the input `ids`, tensor 1 a table of weights, each
    tensor as large as `shapes` says."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    graph, model = schema.SubGraphT(), schema.ModelT()
    kinds = sorted({name for name, _, _ in operators})
    model.operatorCodes, graph.tensors, graph.operators = [], [], []
    for name in kinds:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        model.operatorCodes.append(code)
    for place, shape in enumerate(shapes):
        tensor: Any = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = "ids" if place == 0 else f"t{place}", shape, int(place == 1)
        tensor.type = schema.TensorType.FLOAT32 if place == 1 else schema.TensorType.INT32
        graph.tensors.append(tensor)
    for name, inputs, output in operators:
        operator: Any = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = kinds.index(name), inputs, [output]
        graph.operators.append(operator)
    graph.inputs, graph.outputs = [0], [operators[-1][2]]
    full = schema.BufferT()
    full.data = np.zeros(4 * int(np.prod(shapes[1])), dtype=np.uint8)
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT(), full]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


@pytest.mark.parametrize(("operators", "rows", "reader"), [
    ([("EMBEDDING_LOOKUP", [0, 1], 3)], 300, "EMBEDDING_LOOKUP"), ([("GATHER", [1, 0], 3)], 300, "GATHER"),
    ([("CAST", [0], 2), ("GATHER", [1, 2], 3)], 300, "GATHER"),
    ([("RESHAPE", [0], 2), ("CAST", [2], 3), ("EMBEDDING_LOOKUP", [3, 1], 4)], 300, "EMBEDDING_LOOKUP")])
def test_an_input_is_followed_to_the_table_that_it_numbers(tmp_path: Path, operators: list[tuple[str, list[int], int]],
                                                           rows: int, reader: str) -> None:
    path = _save(tmp_path / "n.tflite", operators, [[12], [rows, 4], [12], [12], [12, 4]])
    assert read(path).tables == (Table("ids", rows, reader),)


def test_the_table_of_gather_nd_is_known_where_it_takes_one_index_each(tmp_path: Path) -> None:
    shapes = [[12, 1], [300, 4], [12, 4]]
    assert read(_save(tmp_path / "n.tflite", [("GATHER_ND", [1, 0], 2)], shapes)).tables == (
        Table("ids", 300, "GATHER_ND"),)
    assert read(_save(tmp_path / "m.tflite", [("GATHER_ND", [1, 0], 2)], [[12, 2], *shapes[1:]])).tables == ()


def test_values_that_are_computed_with_are_not_followed(tmp_path: Path) -> None:
    operators = [("ADD", [0, 0], 2), ("GATHER", [1, 2], 3)]
    assert read(_save(tmp_path / "n.tflite", operators, [[12], [300, 4], [12], [12, 4]])).tables == ()
