"""The file of outputs that a device gives: of the names, types and shapes that it should have, or an error."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DeviceError, InfrastructureError
from bench.models.spec import TensorSpec
from bench.run.outputs import largest, read_outputs

SPECS = (TensorSpec("a", (1, 3), "float32"), TensorSpec("b", (1,), "int64"))
ARRAYS: dict[str, Any] = {"0": np.ones((4, 1, 3), np.float32), "1": np.arange(4).reshape(4, 1),
                          "repeated_0": np.ones((1, 1, 3), np.float32), "repeated_1": np.zeros((1, 1), np.int64)}


def wrote(folder: Path, **changes: Any) -> Path:
    """As an agent writes them, with these in the place of its own; None leaves one out."""
    arrays = {name: array for name, array in (ARRAYS | changes).items() if array is not None}
    np.savez(folder / "outputs.npz", **arrays)
    return folder / "outputs.npz"


def test_outputs_are_read_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", **dict(reversed(ARRAYS.items())))
    found = read_outputs(tmp_path / "o.npz", SPECS, 4)
    assert [array.shape for array in found.outputs] == [(4, 1, 3), (4, 1)] and found.difference is None


@pytest.mark.parametrize("changes", [
    {"0": None}, {"repeated_1": None}, {"2": np.ones(4)}, {"0": np.float32(1)}, {"0": np.ones((3, 1, 3), np.float32)},
    {"0": np.ones((0, 3), np.float32)}, {"repeated_0": np.ones((0, 1, 3), np.float32)}, {"0": np.ones((4, 1, 3))},
    {"repeated_0": np.ones((1, 1, 3))}, {"1": np.array(["x"] * 4)}, {"1": np.ones(4, "M8[s]")},
    {"1": np.zeros(4, [("f", "f4")])}])
def test_what_is_not_as_the_model_has_it_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises((DeviceError, InfrastructureError)):
        read_outputs(wrote(tmp_path, **changes), SPECS, 4)


def test_other_shapes_of_an_output_are_left_to_the_check(tmp_path: Path) -> None:
    found = read_outputs(wrote(tmp_path, **{"0": np.ones((4, 7), np.float32)}), SPECS, 4)
    assert found.outputs[0].shape == (4, 7)


def test_the_largest_file_follows_from_the_references_shapes() -> None:
    reference = [np.ones((4, 1 << 20), np.float32), np.ones((4, 1), np.float32)]
    assert 2 * 5 * (4 << 20) < largest(reference, SPECS) < 2 * 5 * (4 << 20) + (2 << 20)
    assert largest(reference, (TensorSpec("a", (1,), "no such type"), SPECS[1])) > 0


def test_arrays_that_inflate_are_not_inflated(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", **{"0": np.zeros(64 << 20, np.uint8)})
    with pytest.raises(InfrastructureError, match="wanted uncompressed arrays, found compressed"):
        read_outputs(tmp_path / "bomb.npz", SPECS, 4)


def test_a_header_that_claims_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    with zipfile.ZipFile(tmp_path / "o.npz", "w") as archive, archive.open("0.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(InfrastructureError, match="a header claims shape"):
        read_outputs(tmp_path / "o.npz", SPECS, 4)


def test_parts_that_overlap_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0.npy", bytes(1 << 20))
        first = archive.infolist()[0]
        for number in range(1, 50):
            copy = zipfile.ZipInfo(f"{number}.npy")
            copy.header_offset, copy.CRC = first.header_offset, first.CRC
            copy.compress_size = copy.file_size = first.file_size
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    assert path.stat().st_size < 2 << 20
    with pytest.raises(InfrastructureError, match="larger than the whole"):
        read_outputs(path, SPECS, 4)


def test_flipped_bytes_are_an_error_or_outputs_and_nothing_else(tmp_path: Path) -> None:
    whole = wrote(tmp_path).read_bytes()
    draw = random.Random(7)
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3, 10))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        (tmp_path / "flipped.npz").write_bytes(content)
        try:
            read_outputs(tmp_path / "flipped.npz", SPECS, 4)
        except (DeviceError, InfrastructureError) as error:
            assert len(error.message) < 3000
