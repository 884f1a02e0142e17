"""Open a torch.export program (.pt2) by reading its archive: torch is not needed, and nothing is unpickled.

Numbers of element types follow torch/_export/serde/schema.py. An archive whose tensors are pickled is refused, because
`torch.export.load` would run what the pickle says.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.errors import ModelError
from bench.models.files import sha256_file
from bench.models.shares import label
from bench.models.spec import ModelInfo, TensorSpec

_DTYPES: Final = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
                  10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16"}
_KINDS: Final = {2: "int8", 6: "fp16", 7: "fp32", 8: "fp64", 13: "bf16"}
_STORED: Final = frozenset({"parameter", "buffer", "tensor_constant"})
"""Kinds of inputs that the archive itself holds."""
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, OSError, KeyError, IndexError, ValueError, TypeError, AttributeError,
                   NotImplementedError, EOFError, RecursionError)
"""What reading a damaged archive or unexpected JSON ends in."""


def read(path: Path) -> ModelInfo:
    """What a .pt2 file tells. Raises ModelError for a damaged one, and for one with pickled or compiled content."""
    try:
        with zipfile.ZipFile(path) as archive:
            torn = archive.testzip()
            if torn is not None:
                raise ValueError(f"its part {torn} is torn")
            folder = archive.namelist()[0].partition("/")[0]
            program = json.loads(archive.read(f"{folder}/models/model.json"))
            weights = json.loads(archive.read(f"{folder}/data/weights/model_weights_config.json"))["config"]
            constants = json.loads(archive.read(f"{folder}/data/constants/model_constants_config.json"))["config"]
            _refuse_code(path, archive.namelist(), [*weights.values(), *constants.values()])
        return _info(path, program, weights)
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is a truncated or damaged torch.export program: {reason}") from None


def _refuse_code(path: Path, names: list[str], tensors: list[dict[str, Any]]) -> None:
    if any(tensor["use_pickle"] for tensor in tensors):
        raise ModelError(f"{path} keeps tensors as pickles, which can run code when they are opened: refused",
                         hint="export the model again with plain tensors as parameters, buffers and constants")
    if any("/data/aotinductor/" in name for name in names):
        raise ModelError(f"{path} holds compiled code (AOTInductor): refused",
                         hint="save the program by torch.export.save, without compiling it")


def _info(path: Path, program: dict[str, Any], weights: dict[str, Any]) -> ModelInfo:
    module = program["graph_module"]
    signature, tensors = module["signature"], module["graph"]["tensor_values"]
    inputs = [_argument(entry) for entry in signature["input_specs"] if not _STORED.intersection(entry)]
    outputs = [entry["user_output"]["arg"] for entry in signature["output_specs"] if "user_output" in entry]
    version = program["schema_version"]
    numbers: Counter[str] = Counter()
    for weight in weights.values():
        kind = _KINDS.get(weight["tensor_meta"]["dtype"])
        if kind is not None:
            numbers[kind] += _size(weight)
    quantized = _quantized_as([node["target"] for node in module["graph"]["nodes"]], numbers)
    precision, mixed = label(quantized, numbers)
    return ModelInfo(
        format="exported", path=path, sha256=sha256_file(path), size_bytes=path.stat().st_size,
        parameters=sum(_size(weight) for weight in weights.values() if weight["is_param"]),
        version=f"schema {version['major']}.{version['minor']}",
        precision=precision, mixed=mixed, computes_in=quantized or precision,
        inputs=tuple(_spec(path, entry, tensors) for entry in inputs),
        outputs=tuple(_spec(path, entry, tensors) for entry in outputs))


def _argument(entry: dict[str, Any]) -> dict[str, Any]:
    """What a caller gives; of other kinds than a tensor (a fixed number, a token) the entry itself."""
    argument: dict[str, Any] = entry["user_input"]["arg"] if "user_input" in entry else entry
    return argument


def _size(weight: dict[str, Any]) -> int:
    return math.prod(dim["as_int"] for dim in weight["tensor_meta"]["sizes"])


def _spec(path: Path, argument: dict[str, Any], tensors: dict[str, Any]) -> TensorSpec:
    if "as_tensor" not in argument:
        raise ModelError(f"{path}: wanted tensors only as inputs and outputs, found {json.dumps(argument)}",
                         hint="export a module whose forward takes and gives tensors")
    name = argument["as_tensor"]["name"]
    meta = tensors[name]
    shape = tuple(dim.get("as_int") for dim in meta["sizes"])
    if meta["dtype"] not in _DTYPES:
        raise ModelError(f"{path}: {name!r} has torch's element type {meta['dtype']}, which is unknown")
    return TensorSpec(name, shape, _DTYPES[meta["dtype"]])


def _quantized_as(targets: list[str], numbers: Mapping[str, int]) -> str:
    """int8-dynamic or int8 by the operators that quantize activations, int8-weight by int8 weights; else empty."""
    if any("choose_qparams" in target for target in targets):
        return "int8-dynamic"
    if any("quantized_decomposed.quantize_per_tensor" in target for target in targets):
        return "int8"
    if any("quantized_decomposed.dequantize" in target for target in targets) and numbers["int8"]:
        return "int8-weight"
    return ""
