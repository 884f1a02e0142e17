"""Arrays in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets.npz import read_npz, write_npz
from bench.errors import ModelError
from bench.models.files import sha256_file
from tests.fakes.files import Marker


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"serving/x:0": np.arange(6, dtype=np.int8).reshape(2, 3),
                              "scalar": np.float32(2).reshape(()), "turned": np.arange(6.0).reshape(2, 3).T,
                              "empty": np.zeros((0, 3)), "flags": np.array([True, False])}
    digest = write_npz(tmp_path / "a.npz", arrays)
    found = read_npz(tmp_path / "a.npz")
    assert digest == sha256_file(tmp_path / "a.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_numpy_reads_the_file_too(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"x": np.arange(3)})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert found["x"].tolist() == [0, 1, 2]


def test_the_same_arrays_are_the_same_bytes_whatever_their_order_and_the_time(tmp_path: Path) -> None:
    x, y = np.arange(3), np.zeros(2)
    first = write_npz(tmp_path / "a.npz", {"x": x, "y": y})
    os.utime(tmp_path / "a.npz", (1, 1))
    assert write_npz(tmp_path / "b.npz", {"y": y, "x": x}) == first


def test_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    objects = np.array([Marker(proof)], dtype=object)
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(tmp_path / "a.npz", {"x": objects})
    np.savez(tmp_path / "b.npz", x=objects)
    with pytest.raises(ModelError, match="no file of arrays"):
        read_npz(tmp_path / "b.npz")
    assert not proof.exists()


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, {"x": np.arange(30)})
    whole = path.read_bytes()
    for length in range(0, len(whole), 11):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_npz(path)
