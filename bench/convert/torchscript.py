"""TorchScript for PyTorch Mobile's lite interpreter (.ptl), from PyTorch modules and TorchScript files.

The file also holds, as an extra record, the names, shapes and dtypes of its inputs and outputs: the format itself keeps
only the inputs' names (see `bench.models.torchscript`).

Quantized weights are packed by the host's quantized engine (`x86` there, elsewhere PyTorch's default). ARM devices have
another one, qnnpack: whether an int8 or int8-dynamic .ptl made on x86 loads there, and gives the same outputs, is not
known. On x86 qnnpack is not used: its quantized ReLU6 on channels-last tensors is wrong there.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from bench.convert.recipe import Recipe, Work
from bench.convert.samples import buffers_of, restore, torch_example, torch_module, torch_samples
from bench.errors import ModelError
from bench.models.spec import TensorSpec
from bench.models.torchscript import SIGNATURE_RECORD

TOOLS = ("torch",)

RECIPES: tuple[Recipe, ...] = (
    Recipe(("torch", "torchscript"), "torchscript", "fp32", f"{__name__}:fp32", None, TOOLS, "torch"),
    Recipe(("torch",), "torchscript", "fp16", f"{__name__}:fp16", None, TOOLS, "torch"),
    Recipe(("torch",), "torchscript", "int8-dynamic", f"{__name__}:int8_dynamic", None, TOOLS, "torch"),
    Recipe(("torch",), "torchscript", "int8", f"{__name__}:int8", None, TOOLS, "torch", calibrated=True),
)


def fp32(work: Work) -> None:
    """Write the model as it is, frozen, which folds batch normalization into convolutions."""
    _write(work, torch_module(work), torch_example(work))


def fp16(work: Work) -> None:
    """Write the model in half precision; its floating-point inputs and outputs become float16 too."""
    _write(work, torch_module(work).half(), torch_example(work, half=True))


def int8_dynamic(work: Work) -> None:
    """Write the model with its Linear, LSTM and GRU layers quantized: 8-bit weights, activations at run time.

    Raises ModelError when the model has none of these.
    """
    import torch

    _choose_engine()
    module = torch.ao.quantization.quantize_dynamic(torch_module(work),
                                                    {torch.nn.Linear, torch.nn.LSTM, torch.nn.GRU})
    if not _holds_modules_of(module, "torch.ao.nn.quantized"):
        raise ModelError("not quantized: no Linear/LSTM/GRU layers")
    _write(work, module, torch_example(work))


def int8(work: Work) -> None:
    """Write the model with 8-bit weights and calibrated 8-bit activations, by FX graph mode quantization.

    Inputs and outputs stay float32. Raises ModelError when torch.fx cannot trace the model, or nothing was quantized.
    """
    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    # The engine's default qconfig limits activations to 7 bits on x86 (reduce_range): AVX2 sums saturate otherwise.
    mapping = get_default_qconfig_mapping(_choose_engine())
    example = torch_example(work)
    module = torch_module(work)
    fresh = buffers_of(module)
    try:
        prepared = prepare_fx(module, mapping, example)
    except torch.fx.proxy.TraceError as error:
        raise ModelError(f"torch.fx cannot trace the model: {_first_line(error)}") from error
    with torch.no_grad():
        for sample in torch_samples(work):
            prepared(*sample)
    converted = convert_fx(prepared)
    restore(converted, fresh)
    if not _holds_modules_of(converted, "torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized"):
        raise ModelError("not quantized: FX quantization found no layers that it quantizes")
    _write(work, converted, example)


def _choose_engine() -> str:
    """Set and return the quantized engine: x86 where this host has it, else PyTorch's own choice."""
    import torch

    if "x86" in torch.backends.quantized.supported_engines:
        torch.backends.quantized.engine = "x86"
    return str(torch.backends.quantized.engine)


def _holds_modules_of(module: Any, *packages: str) -> bool:
    return any(type(part).__module__.startswith(packages) for part in module.modules())


def _write(work: Work, module: Any, example: tuple[Any, ...]) -> None:
    """Save `module` for the lite interpreter, with its signature as an extra record."""
    import torch

    with torch.no_grad():
        frozen = _frozen(_scripted(module, example))
        # A copy is run: what a call leaves behind in a stateful module must not be saved with it.
        outputs = (copy.deepcopy(frozen) if work.probe and work.probe.state else frozen)(*example)
    names = [spec.name for spec in work.inputs]
    signature = {"inputs": _specs(names, example), "outputs": _specs([], outputs)}
    # The name of a saved file is stored inside it; through a buffer the same model gives the same bytes.
    work.output.write_bytes(frozen._save_to_buffer_for_lite_interpreter(
        _extra_files={SIGNATURE_RECORD: json.dumps(signature)}))


def _scripted(module: Any, example: tuple[Any, ...]) -> Any:
    """`module` as TorchScript: itself if it is, else scripted, else traced on `example`.

    Raises what tracing raised when neither works.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        return module
    try:
        return torch.jit.script(module)
    except Exception as error:
        # Scripting refuses most Python beyond a subset, with many kinds of exceptions; tracing takes any of it.
        print(f"torch.jit.script failed, tracing instead: {_first_line(error)}", flush=True)
        fresh = buffers_of(module)
        traced = torch.jit.trace(module, example)
        restore(traced, fresh)
        return traced


def _frozen(script: Any) -> Any:
    """`script` frozen; as it is when it was frozen before (freezing took its `training` flag away)."""
    import torch

    return torch.jit.freeze(script) if hasattr(script, "training") else script


def _specs(names: list[str], tensors: Any) -> list[dict[str, Any]]:
    """The specs of `tensors` (a tensor, or a sequence or a mapping of them), named `output_0`... where `names` ends."""
    import torch

    found = [tensors] if isinstance(tensors, torch.Tensor) else tensors
    if isinstance(found, dict):
        names, found = [str(key) for key in found], found.values()
    return [TensorSpec(names[i] if i < len(names) else f"output_{i}", tuple(tensor.shape),
                       str(tensor.dtype).removeprefix("torch.")).to_json() for i, tensor in enumerate(found)]


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
