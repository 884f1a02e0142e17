"""What opening an ONNX file tells, and which files are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError, ModelError
from bench.models.files import sha256_file
from bench.models.onnx import content_sha256, read
from bench.models.spec import TensorSpec
from tests.fakes.files import onnx_model, save_onnx


def test_a_file_tells_inputs_without_weights_outputs_opset_and_parameters(tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "net.onnx")
    info = read(path)
    assert info.inputs == (TensorSpec("x", (None, 4), "float32"),)
    assert info.outputs == (TensorSpec("y", (None, 2), "float32"),)
    assert (info.version, info.parameters, info.precision) == ("opset 20", 10, "fp32")
    assert (info.sha256, info.size_bytes) == (sha256_file(path), path.stat().st_size)


def test_half_weights_are_fp16_whatever_the_file_is_called(tmp_path: Path) -> None:
    assert read(save_onnx(tmp_path / "fp32.onnx", onnx_model("float16"))).precision == "fp16"


def test_scalars_are_read_as_such(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    graph = helper.make_graph([helper.make_node("Neg", ["a"], ["b"])], "g",
                              [helper.make_tensor_value_info("a", TensorProto.INT64, ())],
                              [helper.make_tensor_value_info("b", TensorProto.INT64, ())])
    assert read(save_onnx(tmp_path / "a.onnx", helper.make_model(graph))).inputs == (TensorSpec("a", (), "int64"),)


def test_weights_beside_the_file_count_into_hash_and_size(tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "net.onnx", external="net.bin")
    before = read(path)
    assert before.size_bytes == path.stat().st_size + (tmp_path / "net.bin").stat().st_size
    assert before.parameters == 10
    assert before.sha256 == content_sha256(path) != sha256_file(path)
    content = bytearray((tmp_path / "net.bin").read_bytes())
    content[0] ^= 1
    (tmp_path / "net.bin").write_bytes(content)
    assert read(path).sha256 != before.sha256


@pytest.mark.parametrize("location", ["../../etc/passwd", "/etc/passwd", "a/../../b", "link"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    model = onnx_model()
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="outside the model's folder"):
        read(path)


def test_missing_and_short_weights_are_told_apart(tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "net.onnx", external="net.bin")
    content = (tmp_path / "net.bin").read_bytes()
    (tmp_path / "net.bin").write_bytes(content[:-1])
    with pytest.raises(ModelError, match=r"net.bin is truncated"):
        read(path)
    (tmp_path / "net.bin").unlink()
    with pytest.raises(ModelError, match="no such file beside it"):
        read(path)


def test_an_invalid_graph_is_refused_in_the_checkers_words(tmp_path: Path) -> None:
    model = onnx_model()
    model.graph.node[1].input[0] = "nowhere"
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"is not valid ONNX: .*nowhere"):
        read(tmp_path / "net.onnx")


def test_an_input_without_a_rank_is_refused(tmp_path: Path) -> None:
    model = onnx_model()
    model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises((ConfigError, ModelError), match=r"rank of 'x'|is not valid ONNX"):
        read(save_onnx(tmp_path / "net.onnx", model))


def test_an_input_that_is_a_sequence_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    graph = helper.make_graph([helper.make_node("SequenceLength", ["s"], ["n"])], "g",
                              [helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)],
                              [helper.make_tensor_value_info("n", TensorProto.INT64, ())])
    with pytest.raises(ModelError, match=r"wanted a tensor for 's', found a value of kind sequence; .*zipmap=False"):
        read(save_onnx(tmp_path / "net.onnx", helper.make_model(graph)))


def _quantized(folder: Path, kind: str) -> Path:
    from onnxruntime import quantization as q

    source, target = save_onnx(folder / "source.onnx", _plain()), folder / f"{kind}.onnx"
    if kind == "int8-dynamic":
        q.quantize_dynamic(source, target)
        return target

    class Reader(q.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = [{"x": np.full((1, 4), step, dtype=np.float32)} for step in range(3)]

        def get_next(self) -> dict[str, Any] | None:
            return self.left.pop() if self.left else None

    q.quantize_static(source, target, Reader(), quant_format=q.QuantFormat.QDQ, weight_type=q.QuantType.QInt8,
                      activation_type=q.QuantType.QUInt16 if kind == "int16x8" else q.QuantType.QUInt8)
    return target


def _plain() -> Any:
    """The tiny model without its Cast, whose weights a quantizer finds."""
    model = onnx_model(dims=(1, 4))
    del model.graph.node[0]
    model.graph.node[0].input[1] = "w"
    return model


@pytest.mark.parametrize("kind", ["int8-dynamic", "int8", "int16x8"])
def test_the_precision_of_quantized_graphs_is_read_from_them(tmp_path: Path, kind: str) -> None:
    assert read(_quantized(tmp_path, kind)).precision == kind


@pytest.mark.parametrize(("bits", "kind"), [(4, "int4-weight"), (8, "int8-weight")])
def test_packed_weights_are_counted_by_what_they_stand_for(tmp_path: Path, bits: int, kind: str) -> None:
    from onnx import numpy_helper
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    model = _plain()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
    weight = np.random.default_rng(0).random((32, 2), dtype=np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
    del model.graph.input[1]
    quantizer = MatMulNBitsQuantizer(model, bits=bits, block_size=32, is_symmetric=True)
    quantizer.process()
    info = read(save_onnx(tmp_path / "net.onnx", quantizer.model.model))
    assert info.precision == kind
    assert info.parameters == 32 * 2 + 2 + 2  # weights, bias, one scale per column


def test_dequantized_weights_alone_are_weight_only(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    model = onnx_model("int8")
    model.graph.node[0].CopyFrom(helper.make_node("DequantizeLinear", ["w", "s"], ["w32"]))
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.1).reshape(()), "s"))
    assert read(save_onnx(tmp_path / "net.onnx", model)).precision == "int8-weight"


def test_an_output_without_a_shape_is_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    model = onnx_model()
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert read(save_onnx(tmp_path / "net.onnx", model)).outputs == (TensorSpec("y", (), "float32"),)
    del model.graph.node[0].output[0]
    with pytest.raises(ModelError, match="is not valid ONNX"):
        read(save_onnx(tmp_path / "broken.onnx", model))
