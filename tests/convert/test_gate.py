from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.convert.execute import calling_order, read_samples
from bench.convert.gate import check, compare
from bench.convert.recipe import Work
from bench.errors import ModelError
from bench.models.spec import Source, TensorSpec
from tests.fakes.onnx_files import IMAGE, write_net, write_samples

A, B = TensorSpec("a", (1,), "float32"), TensorSpec("b", (2,), "float32")


def _work(tmp_path: Path, precision: str) -> tuple[Work, Path]:
    """An fp32 file as the output, and a reference that it does not meet."""
    output = write_net(tmp_path / "net.onnx")
    write_samples(tmp_path / "samples.npz")
    np.savez(tmp_path / "reference.npz", **{"0": np.ones((8, 1, 10), np.float32)}, allow_pickle=False)
    source = Source("onnx", output.name, tmp_path, "")
    return Work(source, (IMAGE,), precision, None, tmp_path / "samples.npz", output), tmp_path / "reference.npz"


def test_a_file_that_still_holds_fp32_is_not_quantized(tmp_path: Path) -> None:
    work, reference = _work(tmp_path, "int8")
    with pytest.raises(ModelError, match=r"not quantized: .* still fp32"):
        check(work, "onnx", reference, work.calibration)


def test_a_file_of_another_format_is_the_converters_fault(tmp_path: Path) -> None:
    work, reference = _work(tmp_path, "fp32")
    with pytest.raises(ModelError, match="the converter wrote something else: wanted"):
        check(work, "tflite", reference, work.calibration)


def test_outputs_of_another_shape_are_refused(tmp_path: Path) -> None:
    work, reference = _work(tmp_path, "fp32")
    np.savez(reference, **{"0": np.ones((8, 1, 11), np.float32)}, allow_pickle=False)
    with pytest.raises(ModelError, match=r"output 0 has the shape \(1, 10\), the model's has \(1, 11\)"):
        check(work, "onnx", reference, work.calibration)


def test_outputs_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    work, reference = _work(tmp_path, "fp32")
    with np.load(work.calibration) as arrays:
        image = arrays["image"]
    image[0, 0, 0] = np.nan
    np.savez(work.calibration, image=image)
    with pytest.raises(ModelError, match="outputs not finite: output 0 has 10 NaN or infinite values"):
        check(work, "onnx", reference, work.calibration)


def test_the_worst_output_decides_and_labels_do_not() -> None:
    good, bad = np.array([1.0, 2.0]), np.array([1.0, -2.0])
    gate = compare([good, good, np.array([3])], [good, bad, np.array([9])])
    assert gate.sqnr_db < 0 and gate.cosine < 0 and gate.max_abs == 4.0
    assert compare([np.array([3])], [np.array([3])]).sqnr_db == math.inf


def test_labels_count_by_equal_values_and_an_offset_does_not_hide_what_varies() -> None:
    features, labels = np.arange(8.0), np.array([37, 38, 7, 35])
    assert compare([features, labels], [features, np.array([0, 38, 0, 47])]).equal == 0.25
    pixels = np.arange(8, dtype=np.uint8)
    assert compare([pixels], [pixels + 1]).equal == 1.0
    kelvin = 6000 + np.random.default_rng(0).normal(0, 1, (8, 10))
    gate = compare([kelvin], [np.rint(kelvin / 23.5) * 23.5])
    assert gate.sqnr_db > 40 and gate.varying_db < 3
    assert compare([np.full((8, 1), 5.0)], [np.full((8, 1), 5.1)]).varying_db == math.inf


def test_inputs_are_matched_by_name_and_else_by_position() -> None:
    assert calling_order([A, B], [B, A]) == [1, 0]
    assert calling_order([A, B], [TensorSpec("x", (1,), "float32"), TensorSpec("y", (2,), "float32")]) == [0, 1]
    with pytest.raises(ModelError, match=r"the file takes 1 inputs \(a\), the model 2 \(a, b\)"):
        calling_order([A, B], [A])


def test_samples_that_are_missing_or_of_another_shape_are_told(tmp_path: Path) -> None:
    write_samples(tmp_path / "s.npz", (A,))
    with pytest.raises(ModelError, match=r"no samples for the input 'b' \(found: a\)"):
        read_samples(tmp_path / "s.npz", [A, B])
    with pytest.raises(ModelError, match=r"samples of the input 'a' have the shape \(8, 1\), not \(n, 4\)"):
        read_samples(tmp_path / "s.npz", [TensorSpec("a", (4,), "float32")])
