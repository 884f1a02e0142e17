"""ExecuTorch programs (.pte) for the XNNPACK backend, from PyTorch modules and exported programs."""

from __future__ import annotations

from typing import Any

from bench.convert.recipe import Recipe, Work
from bench.convert.samples import buffers_of, export_program, restore, torch_example, torch_module, torch_samples
from bench.errors import ModelError
from bench.models.spec import SourceKind

SOURCES: tuple[SourceKind, ...] = ("torch", "exported")
TOOLS = ("torch", "executorch")
QUANTIZING_TOOLS = (*TOOLS, "torchao")

RECIPES: tuple[Recipe, ...] = (
    Recipe(SOURCES, "executorch", "fp32", f"{__name__}:fp32", None, TOOLS, "executorch"),
    Recipe(SOURCES, "executorch", "fp16", f"{__name__}:fp16", None, TOOLS, "executorch"),
    Recipe(SOURCES, "executorch", "int8-dynamic", f"{__name__}:int8_dynamic", None, QUANTIZING_TOOLS, "executorch"),
    Recipe(SOURCES, "executorch", "int8", f"{__name__}:int8", None, QUANTIZING_TOOLS, "executorch", calibrated=True),
)


def fp32(work: Work) -> None:
    """Write the model as it is, lowered to XNNPACK."""
    _write(work, torch_module(work), torch_example(work))


def fp16(work: Work) -> None:
    """Write the model in half precision; its floating-point inputs and outputs become float16 too."""
    _write(work, torch_module(work).half(), torch_example(work, half=True))


def int8_dynamic(work: Work) -> None:
    """Write the model with 8-bit weights and activations quantized at run time, where XNNPACK can (linear layers)."""
    _write(work, _quantized(work, dynamic=True), torch_example(work))


def int8(work: Work) -> None:
    """Write the model with 8-bit weights (per channel) and calibrated 8-bit activations.

    Inputs and outputs stay float32.
    """
    _write(work, _quantized(work, dynamic=False), torch_example(work))


def _quantized(work: Work, *, dynamic: bool) -> Any:
    """The model quantized by PT2E for XNNPACK, ready for lowering.

    Raises ModelError when the quantizer found nothing to quantize.
    """
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic)
    program = export_program(torch_module(work), torch_example(work))
    prepared = prepare_pt2e(program.module(), XNNPACKQuantizer().set_global(config))
    fresh = buffers_of(program.module())
    with torch.no_grad():
        for sample in torch_samples(work):
            prepared(*sample)
    converted = convert_pt2e(prepared)
    restore(converted, fresh)
    if not any("quantized_decomposed" in str(node.target) or "torchao" in str(node.target)
               for node in converted.graph.nodes):
        layers = "linear layers" if dynamic else "operators"
        raise ModelError(f"not quantized: XNNPACKQuantizer found no {layers} that it quantizes")
    return converted


def _write(work: Work, module: Any, example: tuple[Any, ...]) -> None:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    edge = to_edge_transform_and_lower(export_program(module, example), partitioner=[XnnpackPartitioner()])
    with work.output.open("wb") as stream:
        edge.to_executorch().write_to_file(stream)
