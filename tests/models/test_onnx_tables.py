"""Which inputs of an ONNX graph number the rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from bench.config.suite import ModelConfig
from bench.datasets.inputs import resolve_inputs
from bench.models.onnx import read
from bench.models.onnx_tables import tables_of
from bench.models.spec import Table


def _graph(nodes: list[Any], weights: dict[str, Any], shape: tuple[int, ...] = (2, 3)) -> Any:
    return helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("ids", TensorProto.INT32, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()])


def _table(rows: int, axis: int = 0) -> Any:
    return np.zeros((rows, 4) if axis == 0 else (4, rows), dtype=np.float32)


WAYS: dict[str, Any] = {
    "Cast": lambda i, o: helper.make_node("Cast", [i], [o], to=TensorProto.INT64),
    "Identity": lambda i, o: helper.make_node("Identity", [i], [o]),
    "Reshape": lambda i, o: helper.make_node("Reshape", [i, "flat"], [o]),
    "Unsqueeze": lambda i, o: helper.make_node("Unsqueeze", [i, "first"], [o])}


@given(ways=st.lists(st.sampled_from(sorted(WAYS)), max_size=5), rows=st.integers(1, 300), other=st.integers(1, 300),
       axis=st.integers(0, 1), held=st.sampled_from(("initializer", "constant", "dequantized")))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_made_up_ids_run_on_any_graph_with_tables(tmp_path: Path, ways: list[str], rows: int, other: int, axis: int,
                                                  held: str) -> None:
    """Two tables, the second reached directly: ids are within the smaller, as ONNX Runtime says by running them."""
    import onnxruntime

    weights: dict[str, Any] = {"flat": np.array([-1]), "first": np.array([0]), "other": _table(other)}
    nodes = []
    if held == "constant":
        nodes.append(helper.make_node("Constant", [], ["table"], value=numpy_helper.from_array(_table(rows, axis))))
    elif held == "dequantized":
        weights |= {"stored": _table(rows, axis).astype(np.int8), "scale": np.float32(0.1)}
        nodes.append(helper.make_node("DequantizeLinear", ["stored", "scale"], ["table"]))
    else:
        weights["table"] = _table(rows, axis)
    last = "ids"
    for place, way in enumerate(ways):
        nodes.append(WAYS[way](last, f"t{place}"))
        last = f"t{place}"
    nodes += [helper.make_node("Gather", ["table", last], ["a"], axis=axis),
              helper.make_node("Gather", ["other", "ids"], ["b"]),
              *(helper.make_node("ReduceSum", [name], [f"sum_{name}"], keepdims=0) for name in ("a", "b")),
              helper.make_node("Add", ["sum_a", "sum_b"], ["y"])]
    graph = _graph(nodes, weights)
    assert tables_of(graph) == (Table("ids", min(rows, other), "Gather", -min(rows, other)),)
    graph.output[0].type.tensor_type.shape.Clear()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "n.onnx")
    config = ModelConfig.model_validate({"source": {"onnx": "n.onnx"}})
    found = resolve_inputs(config, read(tmp_path / "n.onnx"), tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / "n.onnx"), providers=["CPUExecutionProvider"])
    for sample in (*found.calibration["ids"], *found.verification["ids"]):
        session.run(None, {"ids": sample})


def test_a_table_in_a_branch_is_found_and_a_name_hidden_there_is_not() -> None:
    def branch(name: str, indices: str) -> Any:
        return helper.make_graph([helper.make_node("Gather", ["table", indices], [f"{name}_y"])], name, [],
                                 [helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, None)])

    nodes = [helper.make_node("If", ["yes"], ["y"], then_branch=branch("then", "ids"),
                              else_branch=branch("else", "none"))]
    found = tables_of(_graph(nodes, {"yes": np.array(True), "table": _table(7), "none": np.array([0])}))
    assert found == (Table("ids", 7, "Gather", -7),)


@pytest.mark.parametrize("node", [
    helper.make_node("Add", ["ids", "one"], ["moved"]), helper.make_node("Mod", ["ids", "one"], ["moved"])])
def test_values_that_are_computed_with_are_not_followed(node: Any) -> None:
    nodes = [node, helper.make_node("Gather", ["table", "moved"], ["y"])]
    assert tables_of(_graph(nodes, {"table": _table(7), "one": np.int32(1)})) == ()


def test_an_embedding_layer_of_onnxruntime_has_a_table_for_each_of_its_inputs() -> None:
    node = helper.make_node("EmbedLayerNormalization", ["ids", "ids", "word", "position", "segment", "g", "b"],
                            ["y", "m"], domain="com.microsoft")
    found = tables_of(_graph([node], {"word": _table(300), "position": _table(512), "segment": _table(2)}))
    assert found == (Table("ids", 2, "EmbedLayerNormalization"),)
