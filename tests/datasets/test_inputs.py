"""A model's inputs: their shapes and their values, from the file, the suite and the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.config.suite import ModelConfig
from bench.datasets.inputs import ResolvedInputs, resolve_inputs
from bench.errors import ConfigError
from bench.models.spec import ModelInfo, Quantization, TensorSpec

IMAGE = TensorSpec("image", (1, 3, 4, 4), "float32")
TOKENS = TensorSpec("tokens", (None, 12), "int64")
SCALE = TensorSpec("scale", (), "float32")


def _resolve(config: dict[str, Any], *specs: TensorSpec, root: Path = Path()) -> ResolvedInputs:
    info = ModelInfo("onnx", Path("m.onnx"), "0", 1, 1, "opset 20", "fp32", specs, ()) if specs else None
    return resolve_inputs(ModelConfig.model_validate({"source": {"torch": "m:f"}} | config), info, root)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with x.npy (20, 3, 4, 4) float32, flat.npy (20, 12) int64, grey.npy (20, 28, 28) float32, y.npy."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", random.random((20, 3, 4, 4), dtype=np.float32))
    np.save(tmp_path / "last.npy", random.random((20, 4, 4, 3), dtype=np.float32))
    np.save(tmp_path / "flat.npy", random.integers(0, 9, (20, 12)))
    np.save(tmp_path / "grey.npy", random.random((20, 28, 28), dtype=np.float32))
    np.save(tmp_path / "bytes.npy", np.zeros((20, 3, 4, 4), dtype=np.uint8))
    np.save(tmp_path / "y.npy", np.zeros(20, dtype=int))
    return tmp_path


def _dataset(inputs: str) -> dict[str, Any]:
    return {"dataset": {"inputs": inputs, "labels": "y.npy"}}


def test_without_anything_said_values_are_generated_the_same_each_time() -> None:
    first, second = (_resolve({}, IMAGE, SCALE) for _ in range(2))
    assert first.origin == {"image": "generated", "scale": "generated"}
    assert first.calibration["image"].shape == (16, 1, 3, 4, 4)
    assert first.verification["scale"].shape == (4,)
    np.testing.assert_array_equal(first.calibration["image"], second.calibration["image"])
    assert not np.array_equal(first.calibration["image"][:4], first.verification["image"])
    assert first.verification["image"].dtype == np.float32


def test_values_of_one_input_do_not_depend_on_the_others() -> None:
    np.testing.assert_array_equal(_resolve({}, IMAGE).verification["image"],
                                  _resolve({}, SCALE, IMAGE).verification["image"])


def test_open_dimensions_are_an_error_that_shows_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"'tokens' has open dimensions: \(\?, 12\)") as caught:
        _resolve({}, TOKENS)
    assert caught.value.hint == "write in the suite: inputs: {tokens: {shape: [1, 12]}}"
    with pytest.raises(ConfigError) as caught:
        _resolve({}, TensorSpec("input:0", (None, None, 8), "float32"))
    assert '{"input:0": {shape: [1, N, 8]}} with a number for each N' in caught.value.hint


def test_what_the_hint_shows_is_enough() -> None:
    found = _resolve({"inputs": {"tokens": {"shape": [1, 12]}}}, TOKENS)
    assert found.specs == (TensorSpec("tokens", (1, 12), "int64"),)
    assert set(np.unique(found.calibration["tokens"])) == {0, 1}


def test_a_range_is_kept() -> None:
    found = _resolve({"inputs": {"tokens": {"shape": [2, 12], "range": [3, 50]}, "image": {"range": [-1, 1]}}},
                     TOKENS, IMAGE)
    assert found.origin == {"tokens": "range", "image": "range"}
    tokens, image = found.calibration["tokens"], found.calibration["image"]
    assert tokens.min() >= 3
    assert tokens.max() <= 49
    assert -1 <= image.min() < -0.9
    assert 0.9 < image.max() <= 1


@pytest.mark.parametrize("limits", [[0.5, 3], [-1, 3], [0, 300]])
def test_a_range_that_the_dtype_does_not_hold_is_refused(limits: list[float]) -> None:
    with pytest.raises(ConfigError, match="wanted whole numbers that uint8 holds"):
        _resolve({"inputs": {"b": {"range": limits}}}, TensorSpec("b", (2,), "uint8"))


def test_values_and_scalars_are_taken_as_written() -> None:
    found = _resolve({"inputs": {"scale": {"value": 2}, "tokens": {"value": [list(range(12))]}}}, SCALE, TOKENS)
    assert found.calibration["scale"].tolist() == [2.0] * 16
    assert found.verification["tokens"].tolist() == [[list(range(12))]] * 4
    assert found.specs[1].shape == (1, 12)
    assert found.origin == {"scale": "value", "tokens": "value"}


def test_a_single_number_fills_an_input() -> None:
    found = _resolve({"inputs": {"image": {"value": 1}}}, IMAGE)
    assert found.verification["image"].shape == (4, 1, 3, 4, 4)
    assert found.verification["image"].min() == 1.0


def test_uneven_lists_are_refused() -> None:
    with pytest.raises(ConfigError, match="its lists differ in length"):
        _resolve({"inputs": {"image": {"value": [[1, 2], [3]]}}}, IMAGE)


def test_a_file_gives_one_value_or_many(data: Path) -> None:
    row = TensorSpec("tokens", (None,), "int64")
    found = _resolve({"inputs": {"tokens": {"file": "flat.npy", "shape": [12]}}}, row, root=data)
    np.testing.assert_array_equal(found.verification["tokens"], np.load(data / "flat.npy")[:4])
    found = _resolve({"inputs": {"tokens": {"file": "flat.npy"}}}, TOKENS, root=data)
    assert found.specs[0].shape == (20, 12)
    assert found.verification["tokens"].shape == (4, 20, 12)


def test_a_dataset_feeds_the_only_input(data: Path) -> None:
    found = _resolve(_dataset("x.npy"), IMAGE, root=data)
    images = np.load(data / "x.npy")
    assert found.origin == {"image": "dataset"}
    np.testing.assert_array_equal(found.verification["image"], images[:8, None])
    assert found.labelled is not None
    np.testing.assert_array_equal(found.labelled.inputs["image"], images[:, None])
    assert found.warnings


def test_a_dataset_answers_open_dimensions(data: Path) -> None:
    spec = TensorSpec("image", (None, 3, None, None), "float32")
    assert _resolve(_dataset("x.npy"), spec, root=data).specs == (IMAGE,)


def test_a_factory_needs_nothing_but_a_dataset(data: Path) -> None:
    assert _resolve(_dataset("x.npy"), root=data).specs == (TensorSpec("input", (1, 3, 4, 4), "float32"),)


def test_dimensions_of_one_may_differ(data: Path) -> None:
    found = _resolve(_dataset("grey.npy"), TensorSpec("image", (1, 1, 28, 28), "float32"), root=data)
    assert found.verification["image"].shape == (8, 1, 1, 28, 28)


def test_a_dataset_of_another_shape_is_refused_with_both_shapes(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"of shape \(20, 28, 28\) does not fit input 'image' \(1, 3, 4, 4\)"):
        _resolve(_dataset("grey.npy"), IMAGE, root=data)


def test_channels_last_data_is_not_read_as_channels_first(data: Path) -> None:
    with pytest.raises(ConfigError, match="does not fit") as caught:
        _resolve(_dataset("last.npy"), IMAGE, root=data)
    assert "transpose" in caught.value.hint


def test_bytes_are_not_taken_for_real_numbers(data: Path) -> None:
    with pytest.raises(ConfigError, match="of dtype uint8 does not fit input 'image' of dtype float32"):
        _resolve(_dataset("bytes.npy"), IMAGE, root=data)


def test_real_numbers_for_a_quantized_input_are_quantized(data: Path) -> None:
    spec = TensorSpec("image", (1, 3, 4, 4), "int8", Quantization(1 / 255, -128))
    found = _resolve(_dataset("x.npy"), spec, root=data).verification["image"]
    assert found.dtype == np.int8
    real = (found.astype(np.float64) + 128) / 255
    assert np.abs(real - np.load(data / "x.npy")[:8, None]).max() <= 0.5 / 255 + 1e-6


def test_generated_values_of_a_quantized_input_use_its_whole_range() -> None:
    found = _resolve({}, TensorSpec("image", (1, 64, 64), "int8", Quantization(0.1, 0))).calibration["image"]
    assert (found.min(), found.max()) == (-128, 127)


def test_a_dataset_leaves_inputs_with_values_alone(data: Path) -> None:
    found = _resolve(_dataset("x.npy") | {"inputs": {"scale": {"value": 2.0}}}, IMAGE, SCALE, root=data)
    assert found.origin == {"image": "dataset", "scale": "value"}
    assert found.calibration["scale"].shape == (20,)


def test_a_dataset_for_two_inputs_is_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match="wanted one input that the dataset is for, found image and scale"):
        _resolve(_dataset("x.npy"), IMAGE, SCALE, root=data)


def test_a_factory_without_anything_said_shows_what_to_write() -> None:
    with pytest.raises(ConfigError) as caught:
        _resolve({})
    assert "inputs: {image: {shape: [1, 3, 224, 224]" in caught.value.hint


def test_a_factorys_input_without_a_shape_shows_what_to_write() -> None:
    with pytest.raises(ConfigError, match="'tokens' has no shape") as caught:
        _resolve({"inputs": {"tokens": {"dtype": "int64"}}})
    assert "inputs: {tokens: {shape: [1, 3, 224, 224], dtype: int64}}" in caught.value.hint


def test_an_unknown_input_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no input 'imag', did you mean 'image'"):
        _resolve({"inputs": {"imag": {}}}, IMAGE)


@pytest.mark.parametrize(("setting", "words"), [
    ({"shape": [1, 3, 8, 8]}, r"\(1, 3, 4, 4\) in the model's file, the suite says \(1, 3, 8, 8\)"),
    ({"dtype": "float16"}, "is float32 in the model's file, the suite says float16"),
    ({"value": [1.0, 2.0]}, r"value: of shape \(2\) does not fit input 'image'")])
def test_what_contradicts_the_file_is_refused(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        _resolve({"inputs": {"image": setting}}, IMAGE)


def test_nan_in_the_data_is_refused(data: Path) -> None:
    np.save(data / "x.npy", np.full((20, 3, 4, 4), np.nan, dtype=np.float32))
    with pytest.raises(ConfigError, match="hold NaN or infinity"):
        _resolve(_dataset("x.npy"), IMAGE, root=data)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"])
def test_every_dtype_is_generated_as_such(dtype: str) -> None:
    found = _resolve({}, TensorSpec("x", (2, 3), dtype)).verification["x"]
    assert (found.dtype, found.shape) == (np.dtype(dtype), (4, 2, 3))


@pytest.mark.parametrize("dtype", ["object", "bfloat16", "complex64"])
def test_types_that_no_values_can_be_made_for_are_named(dtype: str) -> None:
    with pytest.raises(ConfigError, match=f"input 'x' has the dtype {dtype}"):
        _resolve({}, TensorSpec("x", (2,), dtype))
