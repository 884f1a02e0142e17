from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.convert.gate import check, compare
from bench.convert.recipe import Work
from bench.convert.reference import write_outputs
from bench.convert.varying import gathered, other_shape, packed, paired, unpacked, varies
from bench.errors import ModelError
from bench.models.spec import Source, TensorSpec
from bench.run import outputs as device_outputs
from tests.run.test_outputs import artifact


def rows(*counts: int, seed: int = 0) -> np.ndarray:
    """An output of so many rows of three values on each sample."""
    random = np.random.default_rng(seed)
    return gathered([random.uniform(0, 9, (count, 3)).astype(np.float32) for count in counts])


def test_outputs_of_a_varying_number_of_rows_come_back_from_their_file(tmp_path: Path) -> None:
    kept = [rows(2, 0, 5), np.ones((3, 4), np.float32), *[np.full((3, 1), place) for place in range(10)]]
    write_outputs(tmp_path / "outputs.npz", kept)
    with np.load(tmp_path / "outputs.npz", allow_pickle=False) as arrays:
        found = unpacked(arrays)
    assert [varies(output) for output in found] == [True] + [False] * 11
    assert [len(row) for row in found[0]] == [2, 0, 5]
    assert all(np.array_equal(*pair) for pair in zip(found[0], kept[0], strict=True))
    assert all(np.array_equal(*pair) for pair in zip(found[1:], kept[1:], strict=True))


def test_the_same_rows_in_another_order_are_equal_and_other_rows_are_not() -> None:
    reference = rows(4, 7)
    turned = gathered([row[::-1] for row in reference])
    assert compare([reference], [turned]).sqnr_db == np.inf
    turned[1] = turned[1] + np.float32(1)
    assert compare([reference], [turned]).sqnr_db < 20


def test_another_number_of_rows_is_told_with_both_and_differs_on_a_device() -> None:
    reference, found = rows(14, 3), rows(12, 3)
    assert other_shape(reference, found) == "has 12 rows on sample 0 where the model's has 14"
    verdict = device_outputs.check([found], [reference], artifact())
    assert (verdict["ok"], verdict["state"]) == (False, "differs") and "12 rows on sample 0" in verdict["reason"]
    alike = gathered([np.zeros((3, 3), np.float32)] * 2)
    assert other_shape(reference, alike) == "has 3 rows on sample 0 where the model's has 14"


def test_outputs_without_any_row_verify_nothing() -> None:
    empty = gathered([np.zeros((0, 3), np.float32), np.zeros((0, 4), np.float32)])
    assert device_outputs.check([empty], [empty], artifact())["state"] == "unknown"


def test_shapes_that_vary_along_a_later_axis_are_compared_value_by_value() -> None:
    wide = gathered([np.ones((2, 3)), np.ones((2, 4))])
    assert paired(wide, wide)[0].shape == (14,)


@pytest.mark.parametrize("op", ["NonZero", "Unique"])
def test_a_file_whose_outputs_have_as_many_rows_as_the_data_says_passes_the_gate(tmp_path: Path, op: str) -> None:
    import onnx
    from onnx import TensorProto, helper

    kind, shape = (TensorProto.INT64, [1, "n"]) if op == "NonZero" else (TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["r"]), helper.make_node(op, ["r"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6])],
                              [helper.make_tensor_value_info("y", kind, shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, tmp_path / "m.onnx")
    samples = np.array([[1, -1, 2, -3, 0, 4], [1, 2, 3, 4, 5, 6], [-1, -1, -1, -1, -1, 2]], np.float32)
    np.savez(tmp_path / "in.npz", x=samples)
    kept = [np.maximum(row, 0) for row in samples]
    wanted = [np.stack(np.nonzero(row)) if op == "NonZero" else np.unique(row) for row in kept]
    np.savez(tmp_path / "ref.npz", **packed([gathered(wanted)]))
    work = Work(Source("onnx", "m.onnx", tmp_path, "0"), (TensorSpec("x", (6,), "float32"),), "fp32", None,
                tmp_path / "in.npz", tmp_path / "m.onnx")
    assert check(work, "onnx", tmp_path / "ref.npz", tmp_path / "in.npz").gate.equal == 1.0


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_file_that_gives_other_rows_is_refused_only_where_it_should_be_exact(tmp_path: Path, precision: str) -> None:
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
             helper.make_node("NonZero", ["d" if precision == "int8" else "x"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                              [helper.make_tensor_value_info("y", TensorProto.INT64, [1, "n"])],
                              [onnx.numpy_helper.from_array(np.float32(1), "scale"),
                               onnx.numpy_helper.from_array(np.uint8(0), "zero")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, tmp_path / "m.onnx")
    np.savez(tmp_path / "in.npz", x=np.array([[0.2, 3, 0], [4, 5, 6]], np.float32))
    counts = (1, 3) if precision == "fp32" else (2, 3)
    reference = tmp_path / "ref.npz"
    np.savez(reference, **packed([gathered([np.array([[0, 1, 2][:count]]) for count in counts])]))
    work = Work(Source("onnx", "m.onnx", tmp_path, "0"), (TensorSpec("x", (3,), "float32"),), precision, None,
                tmp_path / "in.npz", tmp_path / "m.onnx")
    if precision == "fp32":
        with pytest.raises(ModelError, match="on sample 0"):
            check(work, "onnx", reference, tmp_path / "in.npz")
    else:
        passed = check(work, "onnx", reference, tmp_path / "in.npz")
        assert passed.warnings and "on sample 0" in passed.warnings[0] and passed.gate.not_compared
