"""A model's inputs: their shapes and their values, from the file, the suite and the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.config.suite import ModelConfig
from bench.datasets.inputs import ResolvedInputs, resolve_inputs
from bench.errors import ConfigError
from bench.models.spec import ModelInfo, Quantization, Table, TensorSpec

IMAGE = TensorSpec("image", (1, 3, 4, 4), "float32")
TOKENS = TensorSpec("tokens", (None, 12), "int64")
SCALE = TensorSpec("scale", (), "float32")


def _resolve(config: dict[str, Any], *specs: TensorSpec, root: Path = Path()) -> ResolvedInputs:
    info = ModelInfo("onnx", Path("m.onnx"), "0", 1, 1, "opset 20", "fp32", specs, ()) if specs else None
    return resolve_inputs(ModelConfig.model_validate({"source": {"torch": "m:f"}} | config), info, root)


def _table(rows: int, name: str = "tokens") -> ModelInfo:
    spec = TensorSpec(name, (2, 12), "int64")
    return ModelInfo("onnx", Path("m.onnx"), "0", 1, 1, "opset 20", "fp32", (spec,), (),
                     tables=(Table(name, rows, "Gather", -rows),))


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
    assert found.calibration["scale"].shape == (12,)


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


def _rows(arrays: dict[str, Any]) -> set[bytes]:
    count = len(next(iter(arrays.values())))
    return {b"".join(array[place].tobytes() for array in arrays.values()) for place in range(count)}


@given(count=st.integers(1, 40), classes=st.integers(1, 6), seed=st.integers(0, 9), source=st.sampled_from(
    ("dataset", "dataset with its own", "dataset and calibration:", "file:", "calibration:", "range:", "nothing")))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_calibrated_on_is_never_verified_on(tmp_path: Path, count: int, classes: int, seed: int,
                                                    source: str) -> None:
    """`classes` different samples among `count`, so that many are alike."""
    random = np.random.default_rng(seed)
    samples = random.integers(0, classes, (count, 1, 1, 1)) * np.ones((1, 3, 4, 4))
    np.save(tmp_path / "x.npy", samples.astype(np.float32))
    np.save(tmp_path / "cal.npy", samples[::-1].astype(np.float32))
    np.save(tmp_path / "y.npy", np.zeros(count, dtype=int))
    dataset = {"inputs": "x.npy", "labels": "y.npy"}
    found = _resolve({
        "dataset": {"dataset": dataset}, "dataset with its own": {"dataset": dataset | {"calibration": "x.npy"}},
        "dataset and calibration:": {"dataset": dataset, "calibration": "cal.npy"},
        "file:": {"inputs": {"image": {"file": "x.npy", "shape": [3, 4, 4]}}}, "calibration:": {"calibration": "x.npy"},
        "range:": {"inputs": {"image": {"range": [0, 2]}}}, "nothing": {}}[source],
        replace(IMAGE, shape=(3, 4, 4)), root=tmp_path)
    calibration, verification = _rows(found.calibration), _rows(found.verification)
    assert calibration and verification
    assert calibration.isdisjoint(verification) == (not found.shared)
    if found.shared:
        assert calibration <= verification, "there is nothing else to calibrate on"


@given(count=st.integers(1, 20), classes=st.integers(1, 6), seed=st.integers(0, 9), beside=st.sampled_from(
    ({"range": [0, 0.001]}, {}, {"value": 0.5}, {"file": "scale.npy"})), own=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_values_beside_real_ones_hide_no_sample_that_is_calibrated_and_verified_on(
        tmp_path: Path, count: int, classes: int, seed: int, beside: dict[str, Any], own: bool) -> None:
    samples = np.random.default_rng(seed).integers(0, classes, (count, 1)) * np.ones((1, 4), dtype=np.float32)
    np.save(tmp_path / "x.npy", samples.astype(np.float32))
    np.save(tmp_path / "scale.npy", np.array([[2.0]], dtype=np.float32))
    found = _resolve({"inputs": {"x": {"file": "x.npy"}, "noise": beside},
                      **({"calibration": {"x": "x.npy"}} if own else {})},
                     TensorSpec("x", (4,), "float32"), TensorSpec("noise", (1,), "float32"), root=tmp_path)
    calibration, verification = (_rows({"x": arrays["x"]}) for arrays in (found.calibration, found.verification))
    several = own or len(calibration | verification) > 1
    assert not several or calibration.isdisjoint(verification) == (not found.shared)
    assert len(found.calibration["noise"]) == len(found.calibration["x"])


@pytest.mark.parametrize("given_", [{"value": 0.5}, {"file": "scale.npy"}])
def test_a_constant_beside_random_values_makes_no_samples_alike(tmp_path: Path, given_: dict[str, Any]) -> None:
    np.save(tmp_path / "scale.npy", np.array([[2.0]], dtype=np.float32))
    found = _resolve({"inputs": {"scale": given_}}, TensorSpec("x", (4,), "float32"),
                     TensorSpec("scale", (1,), "float32"), root=tmp_path)
    assert not found.shared and len(found.calibration["x"]) == 16


def test_inputs_with_as_many_samples_are_split_alike(tmp_path: Path) -> None:
    for name in ("ids", "mask"):
        np.save(tmp_path / f"{name}.npy", np.arange(30)[:, None] * np.ones((1, 4), dtype=np.int64))
    specs = [TensorSpec(name, (4,), "int64") for name in ("ids", "mask")]
    config = {"inputs": {name: {"file": f"{name}.npy"} for name in ("ids", "mask")}}
    for found in (_resolve(config, *specs, root=tmp_path),
                  _resolve({"calibration": {"ids": "ids.npy", "mask": "mask.npy"}}, *specs, root=tmp_path)):
        for arrays in (found.calibration, found.verification):
            np.testing.assert_array_equal(arrays["ids"], arrays["mask"])
        assert found.verification["ids"][0, 0] == 0


def test_calibration_is_the_users_data_whatever_else_is_given(data: Path) -> None:
    images = np.load(data / "x.npy")
    found = _resolve({"calibration": "x.npy"}, IMAGE, root=data)
    assert (found.origin, found.made_up, found.words) == (
        {"image": "calibration"}, {}, {"image": "from x.npy (calibration:)"})
    np.testing.assert_array_equal(found.verification["image"], images[:8, None])
    np.testing.assert_array_equal(found.calibration["image"], images[8:, None])
    beside = _resolve({"calibration": {"image": "x.npy"}, "inputs": {"image": {"value": 0.5}}}, IMAGE, root=data)
    assert beside.origin == {"image": "value"} and beside.verification["image"].max() == 0.5
    np.testing.assert_array_equal(beside.calibration["image"], images[:, None])


def test_calibration_that_does_not_fit_is_refused(data: Path) -> None:
    np.save(data / "few.npy", np.zeros((3, 12), dtype=np.int64))
    for calibration, words in (("grey.npy", "does not fit input 'image'"), ({"imag": "x.npy"}, "did you mean 'image'"),
                               ({"image": "bytes.npy"}, "of dtype uint8 does not fit"),
                               ({"image": "x.npy", "tokens": "few.npy"}, "as many samples .*20 for image, 3 for tok")):
        specs = (IMAGE, replace(TOKENS, shape=(1, 12))) if "tokens" in calibration else (IMAGE,)
        with pytest.raises(ConfigError, match=words):
            _resolve({"calibration": calibration}, *specs, root=data)


def test_one_calibration_file_for_several_inputs_asks_which(data: Path) -> None:
    with pytest.raises(ConfigError, match="wanted one input that the calibration file is for, found image and scale"):
        _resolve({"calibration": "x.npy"}, IMAGE, SCALE, root=data)


@pytest.mark.parametrize(("spec", "low", "high", "words"), [
    (TensorSpec("x", (500,), "uint8"), 0, 255, "made-up values, range [0, 256): the whole range of uint8"),
    (TensorSpec("x", (500,), "int8"), -128, 127, "made-up values, range [-128, 128): the whole range of int8"),
    (TensorSpec("x", (50,), "int64"), 0, 1, "made-up values, range [0, 2): assumed, nothing says its range"),
    (TensorSpec("x", (50,), "bool"), 0, 1, "made-up values, range [0, 2): a boolean")])
def test_integers_take_the_range_that_their_dtype_allows(spec: TensorSpec, low: int, high: int, words: str) -> None:
    found = _resolve({}, spec)
    assert (found.calibration["x"].min(), found.calibration["x"].max()) == (low, high)
    assert found.words == {"x": words}
    assert bool(found.made_up) == (spec.dtype != "bool"), "what is true or false is as good as real"


@given(rows=st.integers(1, 70_000))
def test_ids_stay_within_the_table_that_they_number(rows: int) -> None:
    found = resolve_inputs(ModelConfig.model_validate({"source": {"torch": "m:f"}}), _table(rows), Path())
    for array in (found.calibration["tokens"], found.verification["tokens"]):
        assert 0 <= array.min() <= array.max() < rows
    assert found.words == {"tokens": f"made-up values, range [0, {rows}): the table that Gather reads"}


@pytest.mark.parametrize(("setting", "fits"), [
    ({"range": [0, 30]}, True), ({"range": [-30, 30]}, True), ({"range": [0, 31]}, False), ({"range": [-31, 1]}, False),
    ({"value": 29}, True), ({"value": 30}, False), ({"file": "flat.npy"}, False)])
def test_values_that_leave_the_table_are_an_error(setting: dict[str, Any], fits: bool, tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.full((3, 2, 12), 99))
    config = ModelConfig.model_validate({"source": {"torch": "m:f"}, "inputs": {"tokens": setting}})
    if fits:
        resolve_inputs(config, _table(30), tmp_path)
        return
    with pytest.raises(ConfigError, match="number the 30 rows of the table that Gather reads") as caught:
        resolve_inputs(config, _table(30), tmp_path)
    assert "write range: [0, 30]" in caught.value.hint
