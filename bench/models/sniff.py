"""What a model file is, by its bytes; its name is never believed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bench.errors import ConfigError, ModelError

LABELS = {"onnx": "ONNX", "tflite": "TFLite", "torchscript": "TorchScript", "exported": "a torch.export program",
          "executorch": "an ExecuTorch program"}
"""The formats that can be opened, and how they are called in messages."""

_ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
"""Field numbers of ModelProto in onnx.proto."""
_ONNX_GRAPH = 7
_PICKLED = "a pickled checkpoint; it can run code when it is opened, so it is never unpickled"
_FACTORY = 'give a factory with its weights: source: {torch: "module:function", weights: FILE}'


def sniff(path: Path) -> str:
    """The format in `path`: onnx, tflite, torchscript, exported or executorch.

    Raises ModelError for everything else, with what was found and what to do; ConfigError for a folder.
    """
    if path.is_dir():
        raise _folder(path)
    with path.open("rb") as file:
        head = file.read(64)
        if not head:
            raise ModelError(f"wanted a model, {path} is empty")
        if head[4:8] == b"TFL3":
            return "tflite"
        if re.fullmatch(rb"ET\d\d", head[4:8]):
            return "executorch"
        if head[:2] == b"PK":
            return _sniff_zip(path)
        _refuse_others(path, head)
        if _is_onnx(path, file):
            return "onnx"
    raise ModelError(f"wanted a model, {path} is none that is known here: it begins with {head[:8].hex(' ')}",
                     hint=f"known: {', '.join(LABELS.values())}; a file cut off early looks like this, too")


def _folder(path: Path) -> ConfigError:
    if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists():
        return ConfigError(f"wanted a model file, {path} is a TensorFlow SavedModel, which cannot be opened here",
                           hint="convert it with TensorFlow's tf.lite.TFLiteConverter and give the .tflite file")
    if path.suffix == ".mlpackage":
        return ConfigError(f"wanted a model file, {path} is a Core ML package, which cannot be opened here")
    return ConfigError(f"wanted a model file, {path} is a folder")


def _refuse_others(path: Path, head: bytes) -> None:
    """Raise ModelError when `head` is that of a known kind of file that is no model to open."""
    if head[0] == 0x80 and len(head) > 1 and 2 <= head[1] <= 5:
        raise ModelError(f"wanted a model, {path} is {_PICKLED}", hint=_FACTORY)
    if is_safetensors(head):
        raise ModelError(f"wanted a model, {path} is a safetensors file: weights without a graph", hint=_FACTORY)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        raise ModelError(f"wanted a model, {path} is an HDF5 file (Keras keeps models so), which cannot be opened here",
                         hint="convert it with TensorFlow's tf.lite.TFLiteConverter and give the .tflite file")
    if head.startswith(b"\x93NUMPY"):
        raise ModelError(f"wanted a model, {path} is a numpy array")
    if head.startswith(b"version https://git-lfs"):
        raise ModelError(f"wanted a model, {path} is a Git LFS pointer to one", hint="fetch it with: git lfs pull")


def is_safetensors(head: bytes) -> bool:
    """Whether `head` (9 bytes or more) begins a safetensors file: a header's length below 4 GiB, then its JSON."""
    return head[4:9] == b"\0\0\0\0{"


def _sniff_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] or name for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise ModelError(f"wanted a model, {path} is a zip archive that is cut off or damaged") from None
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if "models/model.json" in names:
        return "exported"
    if "data.pkl" in names:
        raise ModelError(f"wanted a model, {path} is {_PICKLED}", hint=_FACTORY)
    if {"config.json", "model.weights.h5"} <= names:
        raise ModelError(f"wanted a model, {path} is a Keras file, which cannot be opened here",
                         hint="convert it with TensorFlow's tf.lite.TFLiteConverter and give the .tflite file")
    if "serialized_exported_program.json" in names:
        raise ModelError(f"wanted a model, {path} is a torch.export program of an older torch",
                         hint="load it with that torch, and save it again with torch 2.8 or newer")
    held = ", ".join(sorted(names)[:3]) or "nothing"
    raise ModelError(f"wanted a model, {path} is a zip archive without one: it holds {held}")


def _is_onnx(path: Path, file: BinaryIO) -> bool:
    """Whether the file is a protobuf with ModelProto's fields up to its graph. Raises ModelError for a torn graph."""
    size = path.stat().st_size
    file.seek(0)
    for number, length in _fields(file):
        if number not in _ONNX_FIELDS:
            return False
        end = file.tell() + length
        if end > size and number == _ONNX_GRAPH:
            raise ModelError(f"{path} is a truncated ONNX file: its graph ends at byte {end}, the file at {size}")
        if end > size or number == _ONNX_GRAPH:
            return number == _ONNX_GRAPH
        file.seek(length, 1)
    return False


def _fields(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(field number, bytes that follow) of a protobuf's top level, for as long as it reads like ModelProto's."""
    while (key := _varint(file)) is not None:
        number, wire = key >> 3, key & 7
        value = _varint(file) if wire in (0, 2) else None
        if value is None:
            return
        yield number, value if wire == 2 else 0


def _varint(file: BinaryIO) -> int | None:
    """A protobuf varint; None at the end of the file or where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
