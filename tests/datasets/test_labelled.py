"""Labelled data sets, and what is said of those that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.config.suite import DatasetConfig
from bench.datasets.labelled import load_dataset
from bench.errors import ConfigError
from tests.fakes.files import Marker


def _dataset(folder: Path, inputs: Any, labels: Any, calibration: Any = None) -> DatasetConfig:
    paths = {"inputs": inputs, "labels": labels, "calibration": calibration}
    for name, array in paths.items():
        if array is not None:
            np.save(folder / f"{name}.npy", array)
    return DatasetConfig.model_validate({name: f"{name}.npy" for name, array in paths.items() if array is not None})


def test_the_built_in_set_is_images_in_zero_to_one_with_a_hundred_of_each_class() -> None:
    found = load_dataset("fashion-mnist-1k", Path())
    assert found.inputs.shape == (1000, 1, 28, 28)
    assert found.inputs.dtype == np.float32
    assert (found.inputs.min(), found.inputs.max()) == (0.0, 1.0)
    assert np.bincount(found.labels).tolist() == [100] * 10
    assert found.calibration is not None and found.calibration.shape == (128, 1, 28, 28)


def test_an_unknown_built_in_set_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'fashion-mnist-1k'"):
        load_dataset("fashion-mnist", Path())


def test_labels_are_read_as_int64_and_calibration_is_the_sets_own_or_none(tmp_path: Path) -> None:
    found = load_dataset(_dataset(tmp_path, np.arange(200.0)[:, None], np.zeros(200, dtype=np.uint8)), tmp_path)
    assert found.labels.dtype == np.int64 and found.calibration is None
    own = load_dataset(_dataset(tmp_path, np.zeros((3, 2)), np.zeros(3, dtype=int), np.ones((130, 2))), tmp_path)
    assert own.calibration is not None and own.calibration.shape == (130, 2)


@pytest.mark.parametrize(("inputs", "labels", "calibration", "words"), [
    (np.zeros((3, 2)), np.zeros(4, dtype=int), None, r"labels.npy: wanted shape \(3,\).* found \(4\)"),
    (np.zeros((3, 2)), np.zeros((3, 10), dtype=int), None, r"wanted shape \(3,\).* found \(3, 10\)"),
    (np.zeros((3, 2)), np.zeros(3), None, "wanted class numbers from 0, found float64"),
    (np.zeros((3, 2)), np.array([0, 1, -1]), None, "wanted class numbers from 0"),
    (np.zeros((0, 2)), np.zeros(0, dtype=int), None, "wanted samples"),
    (np.float32(3), np.zeros(1, dtype=int), None, "wanted samples"),
    (np.array(["a", "b"]), np.zeros(2, dtype=int), None, "wanted numbers, found <U1"),
    (np.zeros((3, 2)), np.zeros(3, dtype=int), np.zeros((5, 4)), r"wanted samples of shape \(2\)"),
])
def test_what_does_not_match_is_named(tmp_path: Path, inputs: Any, labels: Any, calibration: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_dataset(_dataset(tmp_path, inputs, labels, calibration), tmp_path)


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    _dataset(tmp_path, np.zeros((3, 2)), np.zeros(3, dtype=int))
    with pytest.raises(ConfigError, match=r"the dataset's inputs .*input.npy: no such file, did you mean 'inputs.npy'"):
        load_dataset(DatasetConfig(inputs=Path("input.npy"), labels=Path("labels.npy")), tmp_path)


def test_pickled_objects_are_refused_unopened(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    config = _dataset(tmp_path, np.array([Marker(proof)], dtype=object), np.zeros(1, dtype=int))
    with pytest.raises(ConfigError, match="cannot be read as one"):
        load_dataset(config, tmp_path)
    assert not proof.exists()


@pytest.mark.parametrize("length", [0, 5, 60, 150])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    config = _dataset(tmp_path, np.zeros((3, 2)), np.zeros(3, dtype=int))
    content = (tmp_path / "inputs.npy").read_bytes()
    (tmp_path / "inputs.npy").write_bytes(content[:length])
    with pytest.raises(ConfigError, match="cannot be read as one"):
        load_dataset(config, tmp_path)


def test_an_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    config = _dataset(tmp_path, np.zeros((3, 2)), np.zeros(3, dtype=int))
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    (tmp_path / "x.npz").rename(tmp_path / "inputs.npy")
    with pytest.raises(ConfigError, match=r"found an .npz archive"):
        load_dataset(config, tmp_path)
