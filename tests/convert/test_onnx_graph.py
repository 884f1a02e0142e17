"""Graphs as exporters in the wild write them: weights as nodes, old opsets, branches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.convert.onnx_graph import constants_to_initializers, sort_nodes
from tests.fakes.onnx_files import job_for, write_net
from tests.fakes.workbench import Bench


def weights_as_nodes(path: Path, opset: int | None = None) -> Path:
    """The net of `write_net` with every initializer as a Constant node, as PaddlePaddle's exporter writes it."""
    model = onnx.load(str(write_net(path)))
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in model.graph.initializer]
    nodes = [*constants, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.node.extend(nodes)
    if opset is not None:
        model.opset_import[0].version = opset
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("precision", ["fp16", "int8-dynamic", "int8", "int8-weight"])
def test_weights_that_are_nodes_are_quantized_like_others(precision: str, workbench: Bench, tmp_path: Path) -> None:
    artifact = workbench.artifact(job_for(weights_as_nodes(tmp_path / "net.onnx")), precision)
    assert artifact.size_bytes < (tmp_path / "net.onnx").stat().st_size * 1.6
    assert artifact.gate.sqnr_db > 20


def test_a_file_of_an_old_opset_is_brought_up_before_it_is_quantized_per_channel(
        workbench: Bench, tmp_path: Path) -> None:
    artifact = workbench.artifact(job_for(weights_as_nodes(tmp_path / "net.onnx", opset=11)), "int8")
    assert artifact.gate.sqnr_db > 20


def test_constants_become_initializers_of_the_same_name_and_others_stay() -> None:
    value = numpy_helper.from_array(np.ones(3, np.float32), "whatever")
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["w"], value=value), helper.make_node("Constant", [], ["n"], value_int=3),
         helper.make_node("Add", ["x", "w"], ["y"])], "g", [], [])
    assert constants_to_initializers(graph) == 1
    assert [tensor.name for tensor in graph.initializer] == ["w"]
    assert [node.op_type for node in graph.node] == ["Constant", "Add"]


def test_nodes_are_put_behind_what_they_need_also_when_only_a_branch_needs_it() -> None:
    branch = _branch("late")
    graph = helper.make_graph(
        [helper.make_node("If", ["flag"], ["z"], then_branch=branch, else_branch=branch),
         helper.make_node("Relu", ["early"], ["late"]), helper.make_node("Abs", ["x"], ["early"])], "g", [], [])
    assert sort_nodes(graph)
    assert [node.op_type for node in graph.node] == ["Abs", "Relu", "If"]
    assert not sort_nodes(graph)


def _branch(name: str) -> Any:
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])
    return helper.make_graph([helper.make_node("Neg", [name], ["out"])], "branch", [], [output])
