"""To ONNX: export from torch, and quantization of any ONNX file.

The 8-bit static recipe uses 7-bit weights (`reduce_range`). On x86 without VNNI, onnxruntime multiplies u8 by s8 with
an instruction that saturates at 16 bits; a MobileNetV2 then falls from 41 to 23 dB of SQNR, with 7-bit weights it has
39 dB on every CPU (docs/decisions has the measurement). The dynamic recipe has unsigned weights, which do not saturate.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.convert.recipe import Recipe, Work
from bench.convert.samples import buffers_of, calibration_samples, restore, torch_example, torch_module
from bench.errors import ModelError
from bench.models.spec import SourceKind

if TYPE_CHECKING:
    import torch

LEGACY_OPSET = 17
"""The newest opset that the tracing exporter and every quantizer here agree on."""
PER_CHANNEL_OPSET = 13
"""The first with scales per channel; older files are brought up before they are quantized."""
BLOCK = 32
"""Weights that share a scale in MatMulNBits: the smallest block that all CPU kernels take, hence the most exact."""

LARGEST_BYTES = (1 << 31) - 1
"""What one ONNX file can hold: protobuf's limit of a message."""

_TORCH: tuple[SourceKind, ...] = ("torch", "exported")
_ANY: tuple[SourceKind, ...] = (*_TORCH, "onnx")


def _derived(precision: str, function: str, converter: tuple[str, ...] = (), calibrated: bool = False) -> Recipe:
    return Recipe(_ANY, "onnx", precision, f"bench.convert.onnx:{function}", base="fp32", extra="onnx",
                  tools=("onnx", "onnxruntime", *converter), calibrated=calibrated, revision=4)


RECIPES: tuple[Recipe, ...] = (
    Recipe(_TORCH, "onnx", "fp32", "bench.convert.onnx:export", base=None, extra="torch",
           tools=("torch", "onnx", "onnxscript")),
    Recipe(("onnx",), "onnx", "fp32", "bench.convert.onnx:as_is", base=None, extra="onnx", tools=("onnx",),
           revision=2),
    _derived("fp16", "half", converter=("onnxconverter-common",)),
    _derived("int8-dynamic", "dynamic_int8"),
    _derived("int8", "static_int8", calibrated=True),
    _derived("int8-weight", "weight_int8"),
    _derived("int4-weight", "weight_int4"),
)


def as_is(work: Work) -> None:
    """The source's own file; weights in files beside it are taken in.

    Raises ModelError where they are too large for one file.
    """
    import onnx

    from bench.models.onnx import external_files

    path = work.source.root / work.source.location
    beside = external_files(path, onnx.load(str(path), load_external_data=False))
    size = sum(file.stat().st_size for file in (path, *beside))
    if size > LARGEST_BYTES:
        raise ModelError(f"the model and the weights beside it have {size:,} bytes, one ONNX file can have at most "
                         f"{LARGEST_BYTES:,}: bench cannot measure ONNX models that large")
    if beside:
        onnx.save(onnx.load(str(path)), str(work.output))
    else:
        shutil.copyfile(path, work.output)


def export(work: Work) -> None:
    """torch.onnx.export: by tracing (seconds), and where that fails or may be wrong by torch.export (ten times slower).

    A program that is exported already goes the second way only. Raises ModelError with both exporters' words.
    """
    import torch

    from bench.agents.runtimes.torch import flat
    module = torch_module(work)
    example, fresh = torch_example(work), buffers_of(module)
    with torch.no_grad():
        count = len(flat(module(*example)))
    restore(module, fresh)
    names = {"input_names": [spec.name for spec in work.inputs],
             "output_names": ["output"] if count == 1 else [f"output_{place}" for place in range(count)]}
    ways: list[Callable[..., None]] = [_export_program] if work.source.kind == "exported" else [_trace, _export_program]
    said = []
    for way in ways:
        try:
            return way(module, example, work.output, names)
        except Exception as error:
            # Exporters raise whatever they like; the next way is worth a try with any of it.
            said.append(f"{way.__name__.strip('_')}: {_words(error)}")
            print(f"bench: {said[-1]}", flush=True)
    raise ModelError(f"no ONNX exporter takes the model: {'; '.join(said)}")


def half(work: Work) -> None:
    """Weights and arithmetic in fp16, inputs and outputs in fp32."""
    import onnx
    from onnxconverter_common.float16 import convert_float_to_float16

    from bench.convert.onnx_graph import constants_to_initializers, sort_nodes, weights_apart

    model = onnx.load(str(_base(work)))
    weights_apart(model)
    constants_to_initializers(model.graph)
    converted = convert_float_to_float16(model, keep_io_types=True)
    sort_nodes(converted.graph)
    onnx.save(converted, str(work.output))


def dynamic_int8(work: Work) -> None:
    """8-bit weights, activations quantized as they come, in every op that onnxruntime can."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    prepared = _prepare(work)
    quantize_dynamic(prepared, work.output, weight_type=QuantType.QUInt8)
    _finish(work, prepared, "DynamicQuantizeLinear", "Conv, MatMul or Gemm with constant weights")


def static_int8(work: Work) -> None:
    """QDQ with u8 activations, s8 weights per channel in 7 bits, ranges from the calibration samples (min-max)."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """The calibration samples one by one, as feeds."""

        def __init__(self) -> None:
            self.feeds = _feeds(work)

        def get_next(self) -> dict[str, Any] | None:
            return next(self.feeds, None)

    prepared = _prepare(work)
    quantize_static(prepared, work.output, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    _finish(work, prepared, "QuantizeLinear", "op that onnxruntime has in 8 bits")


def weight_int8(work: Work) -> None:
    """8-bit weights of matrix products in blocks, arithmetic in float."""
    _weights(work, bits=8)


def weight_int4(work: Work) -> None:
    """4-bit weights of matrix products in blocks, arithmetic in float."""
    _weights(work, bits=4)


def _weights(work: Work, bits: int) -> None:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    from bench.convert.onnx_graph import (
        constant_products,
        constants_to_initializers,
        gemm_to_matmul,
        weights_apart,
    )

    model = onnx.load(str(_base(work)))
    weights_apart(model)
    constants_to_initializers(model.graph)
    gemm_to_matmul(model.graph)
    if not constant_products(model.graph):
        raise ModelError("not quantized: no MatMul or Gemm with constant 2-D weights, the only ops with "
                         f"weights in blocks (the net has {_ops(model)})")
    quantizer = MatMulNBitsQuantizer(model, bits=bits, block_size=BLOCK, is_symmetric=False)
    quantizer.process()
    onnx.save(quantizer.model.model, str(work.output))
    _finish(work, _base(work), "MatMulNBits", "MatMul with constant weights")


def _trace(module: torch.nn.Module, example: tuple[torch.Tensor, ...], output: Path, names: dict[str, Any]) -> None:
    """The tracing exporter; a branch that depends on values, which a trace would freeze, is an error."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("error", torch.jit.TracerWarning)
        torch.onnx.export(module, example, str(output), dynamo=False, opset_version=LEGACY_OPSET, **names)


def _export_program(module: torch.nn.Module, example: tuple[torch.Tensor, ...], output: Path,
                    names: dict[str, Any]) -> None:
    import torch

    torch.onnx.export(module, example, str(output), dynamo=True, external_data=False, verbose=False, **names)


def _prepare(work: Work) -> Path:
    """The base with its weights as initializers, batch norms folded and shapes inferred, in a throw-away folder."""
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from bench.convert.onnx_graph import constants_to_initializers, weights_apart

    plain, prepared = (Path(tempfile.mkdtemp()) / name for name in ("plain.onnx", "prepared.onnx"))
    model = onnx.load(str(_base(work)))
    weights_apart(model)
    constants_to_initializers(model.graph)
    if _opset(model) < PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, LEGACY_OPSET)
    onnx.save(model, str(plain))
    # Symbolic shape inference needs sympy, and tells the quantizers nothing more about fixed shapes.
    quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    return prepared


def _opset(model: Any) -> int:
    return max(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def _feeds(work: Work) -> Iterator[dict[str, Any]]:
    """One feed per calibration sample, under the file's own input names."""
    import onnx

    from bench.convert.execute import calling_order
    from bench.models.spec import TensorSpec

    graph = onnx.load(str(_base(work)), load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    own = [TensorSpec(value.name, (), "") for value in graph.input if value.name not in constants]
    order = calling_order(work.inputs, own)
    for sample in calibration_samples(work):
        yield {own[place].name: array for place, array in zip(order, sample, strict=True)}


def _finish(work: Work, before: Path, op_type: str, wanted: str) -> None:
    """Put the nodes in order; raise ModelError when the quantizer wrote a file without the op that it adds."""
    import onnx

    from bench.convert.onnx_graph import sort_nodes

    model = onnx.load(str(work.output))
    if sort_nodes(model.graph):
        onnx.save(model, str(work.output))
    if not any(node.op_type == op_type for node in model.graph.node):
        held = _ops(onnx.load(str(before), load_external_data=False))
        raise ModelError(f"not quantized: the net has no {wanted} (it has {held})")


def _ops(model: Any) -> str:
    return ", ".join(sorted({node.op_type for node in model.graph.node})) or "no ops"


def _base(work: Work) -> Path:
    if work.base is None:
        raise ModelError(f"the recipe of {work.precision} starts from the fp32 ONNX file, and got none")
    return work.base


def _words(error: BaseException) -> str:
    from bench.convert.child import one_line

    words = one_line(error)
    frozen = words.startswith("TracerWarning")
    return "it branches on values that a trace would freeze (TracerWarning)" if frozen else words
