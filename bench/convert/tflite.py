"""TensorFlow Lite files: exported from PyTorch by litert-torch, quantized by litert-quantizer without torch.

The layout stays the model's own (NCHW stays NCHW), so a model takes the same inputs under every runtime. litert-torch
narrows 64-bit integer inputs and outputs to 32 bits.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

from bench.convert.recipe import Recipe, Work
from bench.convert.samples import calibration_samples, torch_example, torch_module
from bench.convert.tflite_signature import repaired
from bench.errors import ModelError
from bench.models.spec import SourceKind

SIGNATURE: Final = "serving_default"
SOURCES: Final[tuple[SourceKind, ...]] = ("torch", "exported", "tflite")
EXPORT_TOOLS: Final = ("torch", "litert-torch", "litert-converter")
QUANTIZE_TOOLS: Final = ("litert-quantizer", "ai-edge-litert")

QUANTIZER_RECIPES: Final = {"int8-dynamic": "dynamic_wi8_afp32", "int8": "static_wi8_ai8", "int16x8": "static_wi8_ai16",
                            "int8-weight": "weight_only_wi8_afp32", "int4-weight": "weight_only_wi4_afp32"}
"""The function of litert_quantizer.recipe for a precision."""

MARKS: Final = {"fp16": 1, "int8-dynamic": 9, "int8": 9, "int16x8": 7, "int8-weight": 9, "int4-weight": 17}
"""The tensor type (TensorType of the TFLite schema) that a file of a precision holds more of than its fp32 base."""


def _quantizing(precision: str, *, calibrated: bool = False) -> Recipe:
    return Recipe(SOURCES, "tflite", precision, f"{__name__}:quantize", "fp32", QUANTIZE_TOOLS, "tflite", calibrated)


RECIPES: tuple[Recipe, ...] = (
    Recipe(("torch", "exported"), "tflite", "fp32", f"{__name__}:export", None, EXPORT_TOOLS, "torch"),
    Recipe(("tflite",), "tflite", "fp32", f"{__name__}:copy", None, (), "tflite"),
    _quantizing("fp16"),
    _quantizing("int8-dynamic"),
    _quantizing("int8", calibrated=True),
    _quantizing("int16x8", calibrated=True),
    _quantizing("int8-weight"),
    _quantizing("int4-weight"),
)


def export(work: Work) -> None:
    """Write the PyTorch model as a float file with one signature, `serving_default` (args_0... -> output_0...)."""
    import litert_torch

    converted = litert_torch.convert(torch_module(work), torch_example(work), strict_export="auto")
    converted.export(str(work.output))


def copy(work: Work) -> None:
    """Write the source file as it is. Raises ModelError when it holds another precision than the one wanted."""
    from bench.models.tflite import read

    held = read(Path(work.source.location)).precision
    if held != work.precision:
        raise ModelError(f"the source file holds {held}: no {work.precision} file can be made of it")
    shutil.copyfile(work.source.location, work.output)


def quantize(work: Work) -> None:
    """Write the fp32 base in `work.precision`; int8 and int16x8 files take and give integers, the others floats.

    Raises ModelError when the quantizer left every tensor as it was, or the base has several signatures.
    """
    from litert_quantizer.quantizer import Quantizer

    if work.base is None:
        raise ModelError(f"{work.precision} starts from an fp32 .tflite file, and none was given")
    quantizer = Quantizer(str(work.base), _quantizer_recipe(work.precision))
    ranges = _calibrated(quantizer, work, work.base) if quantizer.need_calibration else None
    quantized = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False).quantized_model
    base = work.base.read_bytes()
    mark = MARKS[work.precision]
    if _count(quantized, mark) <= _count(base, mark):
        raise ModelError(f"not quantized: litert-quantizer found nothing to quantize to {work.precision}")
    work.output.write_bytes(repaired(bytes(quantized), base))


def _quantizer_recipe(precision: str) -> Any:
    """litert-quantizer's own recipe for a precision."""
    from litert_quantizer import qtyping, recipe
    from litert_quantizer.algorithm_manager import AlgorithmName
    from litert_quantizer.recipe_manager import RecipeManager

    if precision != "fp16":
        return getattr(recipe, QUANTIZER_RECIPES[precision])()
    manager = RecipeManager()
    manager.add_weight_only_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 16,
                                   algorithm_key=AlgorithmName.FLOAT_CASTING)
    return manager.get_quantization_recipe()


def _calibrated(quantizer: Any, work: Work, base: Path) -> Any:
    """The ranges of all activations over the calibration samples, as `Quantizer.quantize` takes them.

    They reach from the smallest to the largest value seen. `Quantizer.calibrate` averages the samples' ranges instead,
    which cuts off what is beyond and ruins outputs.
    """
    from litert_quantizer.calibrator import Calibrator
    from litert_quantizer.recipe_manager import RecipeManager
    from litert_quantizer.utils.qsv_utils import min_max_update

    signature, details = _signature_inputs(base)
    if len(details) != len(work.inputs):
        raise ModelError(f"the signature {signature!r} takes {len(details)} inputs, the model {len(work.inputs)}")

    # A list: the quantizer goes through it twice, and calibrates on nothing when it is exhausted.
    feeds = [{name: array.astype(dtype, copy=False) for (name, dtype), array in zip(details, sample, strict=True)}
             for sample in calibration_samples(work)]
    manager = RecipeManager()
    manager.load_quantization_recipe(quantizer.get_quantization_recipe())
    # As many threads as the conversion was given for its other libraries.
    threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
    calibrator = Calibrator(base.read_bytes(), threads, qsv_update_func=min_max_update)
    calibrator.calibrate({signature: feeds}, manager)
    return calibrator.get_model_qsvs()


def _signature_inputs(path: Path) -> tuple[str, list[tuple[str, Any]]]:
    """The name of the file's signature, and its inputs' names and dtypes in the order of the graph's inputs.

    The signature is `serving_default`, else the only one. Raises ModelError when there is neither.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    known = list(interpreter.get_signature_list())
    if SIGNATURE not in known and len(known) != 1:
        raise ModelError(f"calibration needs one signature or one named {SIGNATURE!r}, "
                         f"the file has: {', '.join(known) or 'none'}")
    signature = SIGNATURE if SIGNATURE in known else known[0]
    inputs = interpreter.get_signature_runner(signature).get_input_details()
    order = {detail["index"]: place for place, detail in enumerate(interpreter.get_input_details())}
    # A signature lists its inputs by name; the graph has them in calling order.
    names = sorted(inputs, key=lambda name: order.get(inputs[name]["index"], len(order)))
    return signature, [(name, inputs[name]["dtype"]) for name in names]


def _count(model: Any, tensor_type: int) -> int:
    """How many tensors of a TFLite file (its bytes) are of `tensor_type`."""
    from litert_quantizer.utils.tfl_flatbuffer_utils import read_model

    return sum(tensor.type == tensor_type for subgraph in read_model(model).subgraphs for tensor in subgraph.tensors)
