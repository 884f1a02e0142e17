from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.convert.types import Artifact, Gate, uncompared
from bench.models.spec import TensorSpec
from bench.run.outputs import check


def artifact(precision: str = "int8", host_sqnr_db: float = 40.0) -> Artifact:
    outputs = (TensorSpec("detections", (1, 6, 64), "float32"),)
    return Artifact("det", "onnx", precision, Path("det.onnx"), "a" * 64, 1, "key", (), (), outputs,
                    Gate(host_sqnr_db, 1.0, 0.0), {}, 0.0, cached=True)


def detections() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.concatenate([random.uniform(0, 640, (8, 1, 4, 64)), random.uniform(0, 1, (8, 1, 2, 64))], axis=2)


def with_noise(reference: np.ndarray, decibels: float) -> np.ndarray:
    """Each row with noise in proportion to itself."""
    noise = np.random.default_rng(1).normal(0, 1, reference.shape)
    power = np.mean(reference**2, axis=(0, 1, 3), keepdims=True)
    return reference + noise * np.sqrt(power) * 10 ** (-decibels / 20)


def test_a_trial_whose_scores_all_became_zero_differs_and_names_them() -> None:
    reference = detections()
    step = 640 / 255
    verdict = check([np.rint(reference / step) * step], [reference], artifact())
    assert verdict["sqnr_db"] > 45 and (verdict["ok"], verdict["state"]) == (False, "differs")
    assert verdict["reason"].startswith("lost: output 'detections', index 4 to 5 of axis 1 (6): constant 0 where fp32")
    assert verdict["part_sqnr_db"] < 1


def test_poor_outputs_are_a_state_of_their_own_with_their_number() -> None:
    reference = detections()
    verdict = check([with_noise(reference, 13)], [reference], artifact(host_sqnr_db=13.0))
    assert (verdict["ok"], verdict["state"]) == (True, "poor")
    assert 12 < verdict["sqnr_db"] < 14 and "SQNR" in verdict["reason"] and "warning" not in verdict


@pytest.mark.parametrize(("precision", "decibels", "state"), [
    ("fp32", 38.0, "differs"), ("fp16", 23.0, "differs"), ("fp16", 38.0, "poor"), ("int8", 38.0, "ok")])
def test_a_wide_precision_may_not_be_as_far_off_as_a_narrow_one(precision: str, decibels: float, state: str) -> None:
    reference = detections()
    assert check([with_noise(reference, decibels)], [reference], artifact(precision))["state"] == state


def test_a_device_that_computes_worse_than_the_host_is_named() -> None:
    reference = detections()
    verdict = check([with_noise(reference, 25)], [reference], artifact(host_sqnr_db=45.0))
    assert "outputs are worse than on the host: SQNR 25." in verdict["warning"]


def test_a_reference_of_nothing_but_zeros_verifies_nothing() -> None:
    zeros = np.zeros((8, 1, 6, 64))
    verdict = check([zeros], [zeros], artifact())
    assert (verdict["ok"], verdict["state"]) == (None, "unknown") and "nothing but zeros" in verdict["reason"]
    assert check([zeros + np.arange(64)], [zeros], artifact())["state"] == "differs"


def test_classes_in_another_order_are_poor_where_outputs_are_classes() -> None:
    reference = np.tile(np.array([[1.0, 1.01, 0.2]]), (10, 1))
    found = reference.copy()
    found[:4, 0] = 1.02
    assert check([found], [reference], artifact(), classes=True)["state"] == "poor"
    assert check([found], [reference], artifact())["state"] == "ok"


def test_outputs_that_draw_random_numbers_are_unknown_unless_they_are_broken() -> None:
    random = replace(artifact(), gate=uncompared("the model draws random numbers (RandomNormalLike)"))
    reference, other = detections(), np.random.default_rng(2).normal(size=(8, 1, 6, 64))
    verdict = check([other], [reference], random)
    assert (verdict["ok"], verdict["state"]) == (None, "unknown") and verdict["sqnr_db"] is None
    assert verdict["reason"] == "the model draws random numbers (RandomNormalLike)"
    for broken in (np.full_like(other, np.nan), other[..., :63]):
        assert check([broken], [reference], random)["state"] == "differs"
