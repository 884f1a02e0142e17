"""What a model is, as data: its file, its tensors, its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

SourceKind = Literal["torch", "exported", "onnx", "tflite", "torchscript"]


@dataclass(frozen=True)
class Quantization:
    """How an integer tensor stands for real numbers: real = scale * (integer - zero_point). Per tensor."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class TensorSpec:
    """A named input or output. `None` in `shape` is a dynamic dimension; `dtype` is numpy's name (float32, int8)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    quantization: Quantization | None = None

    def to_json(self) -> dict[str, Any]:
        quantization = self.quantization
        return {"name": self.name, "shape": list(self.shape), "dtype": self.dtype,
                "quantization": None if quantization is None else [quantization.scale, quantization.zero_point]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TensorSpec:
        pair = data["quantization"]
        return cls(data["name"], tuple(data["shape"]), data["dtype"],
                   None if pair is None else Quantization(float(pair[0]), int(pair[1])))


@dataclass(frozen=True)
class Table:
    """A table whose rows the values of an input number, as `reader` (Gather) reads it: from `lowest` to `rows` - 1."""

    input: str
    rows: int
    reader: str
    lowest: int = 0


@dataclass(frozen=True)
class ModelInfo:
    """What opening a model file tells, read from the file and never from its name.

    `parameters` counts weights (None where the format does not tell); `version` is e.g. "opset 20", "schema 3",
    "bytecode 8"; `precision` is what most of its weights are (bench.words.PRECISIONS). `mixed` names the shares of
    several kinds of weights, where there are ("62 % int8, 38 % fp32"); `computes_in` is what the operators of the file
    make of it, however few of its weights they read. `tables` are those that inputs index.
    """

    format: str
    path: Path
    sha256: str
    size_bytes: int
    parameters: int | None
    version: str
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    mixed: str = ""
    computes_in: str = ""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a model comes from, complete enough to be opened again in another process.

    `location` is a file's path, or `module:function` for kind "torch"; `root` is the folder that the module is imported
    from and relative paths start at (the suite's folder); `sha256` covers file, or code and weights, so that it changes
    when and only when the model may have.
    """

    kind: SourceKind
    location: str
    root: Path
    sha256: str
    weights: Path | None = None
