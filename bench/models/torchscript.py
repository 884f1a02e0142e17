"""Open a TorchScript archive: a saved ScriptModule (.pt) or a file for the lite interpreter (.ptl).

The format keeps the inputs' names and neither shapes nor dtypes. Files written by `bench` hold them in an extra record;
for all others `inputs` and `outputs` are empty, which means unknown, not none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import bench
from bench.errors import MissingExtra, ModelError
from bench.models.files import sha256_file
from bench.models.opened_torchscript import answer_for
from bench.models.shares import label
from bench.models.spec import ModelInfo, TensorSpec

SIGNATURE_RECORD: Final = "bench-signature.json"
"""The extra record: {"inputs": [...], "outputs": [...]}, each as `TensorSpec.to_json`."""

RECURRENT_DYNAMIC: Final = ("aten::quantized_lstm", "aten::quantized_gru")
OPEN_WITHIN_S: Final = 120.0
WEIGHT_ONLY: Final = ("quantized::embedding",)


def read(path: Path) -> ModelInfo:
    """What the archive holds; `version` is "bytecode N" for the lite interpreter, else "TorchScript N".

    Raises MissingExtra without torch, ModelError for a file that is no TorchScript archive or that torch refuses.
    """
    lite, version, signature = _records(path)
    if find_spec("torch") is None:
        raise MissingExtra("torch", "torch", "opening a TorchScript file")
    # A process that has torch loaded is a converter's own child, which may die of a file.
    said = answer_for(str(path)) if "torch" in sys.modules else _asked_in_child(path)
    if "error" in said:
        raise ModelError(f"torch cannot open {path}: {said['error']}")
    if lite:
        version = f"bytecode {said['bytecode']}"
    return ModelInfo("torchscript", path, sha256_file(path), path.stat().st_size, said["parameters"], version,
                     said["precision"], _specs(signature, "inputs"), _specs(signature, "outputs"), said["mixed"],
                     said["computes_in"])


def _asked_in_child(path: Path) -> dict[str, Any]:
    """What `bench.models.opened_torchscript` says. Raises ModelError when torch dies of the file."""
    package_root = str(Path(bench.__file__).resolve().parent.parent)
    places = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    try:
        done = subprocess.run([sys.executable, "-m", "bench.models.opened_torchscript", str(path)], check=False,
                              capture_output=True, timeout=OPEN_WITHIN_S, env={**os.environ, "PYTHONPATH": places})
    except subprocess.TimeoutExpired:
        raise ModelError(f"torch did not open {path} within {OPEN_WITHIN_S:g} s") from None
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise ModelError(f"torch cannot open {path}: its process ended with {how}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def label_of(operators: set[str], weights: list[Any]) -> tuple[str, str, str]:
    """Its precision, what is to be said of mixed weights, and what it computes in."""
    quantized = _quantized_as(operators)
    precision, mixed = _label(quantized, weights)
    return precision, mixed, quantized or precision


def _records(path: Path) -> tuple[bool, str, dict[str, Any]]:
    """Whether the archive is for the lite interpreter, its format's version, and its signature record ({} if none)."""
    try:
        with zipfile.ZipFile(path) as archive:
            # The archive's top folder is named after the file it was first saved as.
            places = {name.partition("/")[2]: name for name in archive.namelist()}
            if not any(name.startswith("code/") for name in places) or "constants.pkl" not in places:
                raise ModelError(f"{path} is not a TorchScript archive: it holds no code",
                                 hint="a checkpoint or a state_dict has weights only: name a factory as source, "
                                      "or save torch.jit.script(model)")
            version = archive.read(places["version"]).decode().strip() if "version" in places else "unknown"
            extra = places.get(f"extra/{SIGNATURE_RECORD}")
            signature = json.loads(archive.read(extra)) if extra else {}
    except (zipfile.BadZipFile, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not a TorchScript archive, or it is damaged: {error}") from error
    return "bytecode.pkl" in places, f"TorchScript {version}", signature


def _specs(signature: dict[str, Any], word: str) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec.from_json(entry) for entry in signature.get(word, ()))


def weights_of(module: Any) -> Iterator[Any]:
    """Every weight tensor: parameters, and what freezing and quantizing made of them (constants, packed weights).

    Recurrent layers quantized dynamically keep theirs where it cannot be read; they do not count.
    """
    import torch

    yield from module.parameters()
    for value in (*_constants(module.inlined_graph), *_packed(module)):
        if isinstance(value, torch.Tensor) and value.dim() and value.is_floating_point():
            yield value
        elif isinstance(value, torch.ScriptObject) and "unpack" in value._method_names():
            yield from (tensor for tensor in value.unpack() if isinstance(tensor, torch.Tensor))


def _constants(block: Any) -> Iterator[Any]:
    """The values of a graph's constants, those of nested blocks too."""
    for node in block.nodes():
        if node.kind() == "prim::Constant":
            yield node.output().toIValue()
        for inner in node.blocks():
            yield from _constants(inner)


def _packed(module: Any) -> Iterator[Any]:
    """The packed weights of quantized layers that were not frozen."""
    for part in module.modules():
        yield getattr(part, "_packed_params", None)


def _quantized_as(operators: set[str]) -> str:
    """int8 if any operator computes on quantized activations, int8-dynamic if those that quantize do so at run time,
    int8-weight if only embedding tables are quantized; else empty."""
    dynamic = {name for name in operators if name.startswith(RECURRENT_DYNAMIC)
               or (name.startswith("quantized::") and "dynamic" in name)}
    weight_only = {name for name in operators if name.startswith(WEIGHT_ONLY)}
    static = {name for name in operators - dynamic - weight_only
              if name.startswith(("quantized::", "aten::quantize_per_"))}
    return "int8" if static else "int8-dynamic" if dynamic else "int8-weight" if weight_only else ""


def _label(quantized: str, weights: list[Any]) -> tuple[str, str]:
    """The label of the file and what is to be said of its weights. Where anything is quantized its packed weights are
    not all to be read, so that they decide nothing then."""
    import torch

    if quantized:
        return quantized, ""
    kinds = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32", torch.float64: "fp64"}
    numbers: Counter[str] = Counter()
    for weight in weights:
        numbers[kinds.get(weight.dtype, "")] += weight.numel()
    return label("", {kind: count for kind, count in numbers.items() if kind})
