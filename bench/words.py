"""The field's words, spelt in one place: formats, precisions, runtimes, and which goes with which."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

FORMATS: Final = ("onnx", "tflite", "torchscript", "executorch")
PRECISIONS: Final = ("fp32", "fp16", "bf16", "int8-dynamic", "int8", "int8-weight", "int16x8", "int4-weight")
"""bf16 is not made, only measured where a model's own weights are."""
CALIBRATED: Final = ("int8", "int16x8")
"""Precisions whose files hold ranges of activations, taken on samples."""
RUNTIMES: Final = ("onnxruntime", "tflite", "torch", "executorch")

FORMAT_OF_RUNTIME: Final = {"onnxruntime": "onnx", "tflite": "tflite", "torch": "torchscript",
                            "executorch": "executorch"}
RUNTIME_OF_FORMAT: Final = {format_: runtime for runtime, format_ in FORMAT_OF_RUNTIME.items()}
SUFFIX_OF_FORMAT: Final = {"onnx": ".onnx", "tflite": ".tflite", "torchscript": ".ptl", "executorch": ".pte"}
DELEGATES_OF_RUNTIME: Final = {"onnxruntime": ("cpu",), "tflite": ("xnnpack", "builtin"), "torch": ("cpu",),
                               "executorch": ("xnnpack",)}
"""A runtime's delegates; the first is its default."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence, with the valid choices and the nearest: `, did you mean 'int8'? (known: fp32, int8)`."""
    choices = list(known)
    close = _closest(word.lower(), {each.lower(): each for each in choices})
    guess = f", did you mean {close!r}?" if close else ""
    return f"{guess} (known: {', '.join(choices) or 'none'})"


def _closest(word: str, choices: Mapping[str, str]) -> str | None:
    """The choice that is the word, else begins with it (`int4` means int4-weight, not int8), else looks like it."""
    begun = [each for each in choices if len(word) > 1 and each.startswith(word)]
    close = [word] if word in choices else begun or difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return choices[close[0]] if close else None


def counted(count: int, noun: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
