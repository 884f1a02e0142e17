"""Opening: the format is read from the bytes, and what cannot be opened is refused with one clear error."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import BenchError, ConfigError, ModelError
from bench.models.open import open_model
from bench.models.sniff import sniff
from tests.fakes.files import Marker, save_onnx, save_tflite


@pytest.mark.parametrize("name", ["net.onnx", "net.tflite", "net.txt"])
def test_the_format_is_found_whatever_the_suffix(tmp_path: Path, name: str) -> None:
    assert sniff(save_onnx(tmp_path / name)) == "onnx"
    assert sniff(save_tflite(tmp_path / name)) == "tflite"


def test_torchs_files_are_told_apart(torch_made: dict[str, Path]) -> None:
    assert sniff(torch_made["script.pt"]) == "torchscript"
    assert sniff(torch_made["fixed.pt2"]) == "exported"


def test_another_format_than_the_suite_says_is_named_with_what_to_write(tmp_path: Path) -> None:
    path = save_tflite(tmp_path / "net.onnx")
    with pytest.raises(ConfigError, match=r"wanted ONNX, found TFLite in .*net.onnx") as caught:
        open_model(path, "onnx")
    assert caught.value.hint == "write tflite: net.onnx in the suite"


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    save_onnx(tmp_path / "mobilenet.onnx")
    with pytest.raises(ConfigError, match=r"did you mean 'mobilenet.onnx'"):
        open_model(tmp_path / "mobilnet.onnx")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").touch()
    with pytest.raises(ModelError, match="is empty"):
        open_model(tmp_path / "net.onnx")


@pytest.mark.parametrize("name", ["checkpoint.pt", "old.pt"])
def test_a_checkpoint_of_torch_is_refused(torch_made: dict[str, Path], name: str) -> None:
    with pytest.raises(ModelError, match=r"pickled checkpoint.* never unpickled") as caught:
        open_model(torch_made[name])
    assert "weights:" in caught.value.hint


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_unpickled(tmp_path: Path, protocol: int) -> None:
    path, proof = tmp_path / "net.onnx", tmp_path / "proof"
    path.write_bytes(pickle.dumps(Marker(proof), protocol))
    with pytest.raises(ModelError):
        open_model(path, "onnx")
    assert not proof.exists()
    pickle.loads(path.read_bytes()).close()
    assert proof.exists(), "the marker does not work"


@pytest.mark.parametrize(("content", "words"), [
    (b"\x89HDF\r\n\x1a\n" + bytes(56), "HDF5"), (b"\x10\0\0\0\0\0\0\0{" + bytes(16), "safetensors"),
    (b"\x93NUMPY\x01\0", "numpy array"), (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    (b"hello, this is text", "begins with 68 65 6c 6c 6f"), (b"PK\x03\x04" + bytes(60), "cut off or damaged")])
def test_other_files_are_called_by_their_name(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(ModelError, match=words):
        open_model(tmp_path / "net")


@pytest.mark.parametrize(("member", "words"), [
    ("config.json", "holds config.json"), ("serialized_exported_program.json", "older torch"),
    ("net/data.pkl", "pickled checkpoint")])
def test_other_archives_are_called_by_their_name(tmp_path: Path, member: str, words: str) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr(member, "{}")
    with pytest.raises(ModelError, match=words):
        open_model(tmp_path / "net.pt")


def test_a_saved_model_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(ConfigError, match="SavedModel") as caught:
        open_model(tmp_path)
    assert "TFLiteConverter" in caught.value.hint


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        open_model(tmp_path)


def test_an_onnx_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    _every_cut_is_refused(save_onnx(tmp_path / "net.onnx"), step=1)


def test_a_tflite_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    _every_cut_is_refused(save_tflite(tmp_path / "net.tflite"), step=1)


def test_an_exported_program_cut_anywhere_is_refused(torch_made: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "net.pt2"
    copy.write_bytes(torch_made["fixed.pt2"].read_bytes())
    _every_cut_is_refused(copy, step=53)


def _every_cut_is_refused(path: Path, step: int) -> None:
    whole = path.read_bytes()
    open_model(path)
    for length in range(0, len(whole), step):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            open_model(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400), head=st.sampled_from(
    [b"", b"\x1c\0\0\0TFL3", b"\x08\x09\x3a\x10", b"PK\x03\x04", b"\x1c\0\0\0ET12", b"\x80\x04"]))
def test_no_bytes_make_it_fail_otherwise(tmp_path: Path, content: bytes, head: bytes) -> None:
    path = tmp_path / "net"
    path.write_bytes(head + content)
    with pytest.raises((ModelError, ConfigError)):
        open_model(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), kind=st.sampled_from(["onnx", "tflite", "fixed.pt2"]))
def test_a_damaged_byte_is_refused_or_harmless(tmp_path: Path, torch_made: dict[str, Path], place: int, value: int,
                                               kind: str) -> None:
    path = tmp_path / "net"
    if kind == "fixed.pt2":
        path.write_bytes(torch_made[kind].read_bytes())
    else:
        (save_onnx if kind == "onnx" else save_tflite)(path)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    path.write_bytes(content)
    try:
        info = open_model(path)
    except BenchError as error:
        assert isinstance(error, ModelError | ConfigError)
    else:
        assert info.outputs


def test_arrays_of_numpy_are_no_models(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", x=np.zeros(3))
    with pytest.raises(ModelError, match="zip archive without one"):
        open_model(tmp_path / "net.npz")
