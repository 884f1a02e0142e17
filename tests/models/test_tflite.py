"""What opening a TFLite file tells."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.errors import MissingExtra, ModelError
from bench.models.spec import TensorSpec
from bench.models.tflite import read
from tests.fakes.files import save_tflite


def test_the_tiny_file_is_one_that_litert_runs(tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(save_tflite(tmp_path / "net.tflite"))).get_signature_runner()
    assert runner(x=np.ones((1, 4), dtype=np.float32))["y"].tolist() == [[6.0, 22.0]]


def test_a_signature_names_inputs_and_outputs_and_open_dimensions_are_marked(tmp_path: Path) -> None:
    info = read(save_tflite(tmp_path / "net.tflite"))
    assert info.inputs == (TensorSpec("x", (None, 4), "float32"),)
    assert info.outputs == (TensorSpec("y", (None, 2), "float32"),)
    assert (info.version, info.parameters, info.precision) == ("schema 3", 8, "fp32")


def test_without_a_signature_the_graphs_own_names_hold(tmp_path: Path) -> None:
    info = read(save_tflite(tmp_path / "net.tflite", signature=False, open_batch=False))
    assert info.inputs == (TensorSpec("inner_x", (1, 4), "float32"),)


def test_without_litert_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_tflite(tmp_path / "net.tflite")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtra, match=r"bench\[tflite\]"):
        read(path)


def test_a_file_without_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(b"\x08\0\0\0TFL3" + bytes(32))
    with pytest.raises(ModelError, match="truncated or damaged TFLite"):
        read(tmp_path / "net.tflite")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolutional net as litert-torch converts it."""
    import litert_torch
    import torch

    from tests.fakes.scaled import Scaled

    path = tmp_path_factory.mktemp("tflite") / "net.tflite"
    litert_torch.convert(Scaled().eval(), (torch.rand(1, 3, 8, 8), torch.tensor(2.0))).export(str(path))
    return path


def _quantize(source: Path, target: Path, level: str) -> Path:
    from litert_quantizer import qtyping, quantizer, recipe
    from litert_quantizer.algorithm_manager import AlgorithmName

    job = quantizer.Quantizer(str(source))
    if level == "fp16":
        job.add_weight_only_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 16,
                                   algorithm_key=AlgorithmName.FLOAT_CASTING)
    else:
        job.load_quantization_recipe(getattr(recipe, level)())
    sample = {"args_0": np.random.default_rng(0).random((1, 3, 8, 8), dtype=np.float32), "args_1": np.float32(2)}
    found = job.calibrate({"serving_default": [sample]}) if job.need_calibration else None
    target.write_bytes(job.quantize(found).quantized_model)
    return target


@pytest.mark.slow
@pytest.mark.parametrize(("level", "precision"), [
    ("fp16", "fp16"), ("dynamic_wi8_afp32", "int8-dynamic"), ("weight_only_wi8_afp32", "int8-weight"),
    ("dynamic_wi4_afp32", "int4-weight"), ("weight_only_wi4_afp32", "int4-weight"), ("static_wi8_ai8", "int8"),
    ("static_wi8_ai16", "int16x8")])
def test_every_level_of_the_quantizer_is_known(converted: Path, tmp_path: Path, level: str, precision: str) -> None:
    info = read(_quantize(converted, tmp_path / "q.tflite", level))
    assert info.precision == precision
    assert info.parameters == 8 * 27 + 8 + 5 * 8 + 5
    assert [spec.shape for spec in info.inputs] == [(1, 3, 8, 8), ()]


@pytest.mark.slow
def test_integer_inputs_come_with_scale_and_zero_point(converted: Path, tmp_path: Path) -> None:
    image = read(_quantize(converted, tmp_path / "q.tflite", "static_wi8_ai8")).inputs[0]
    assert image.dtype == "int8"
    assert image.quantization is not None
    assert image.quantization.zero_point == -128
    assert image.quantization.scale == pytest.approx(1 / 255, rel=0.01)
