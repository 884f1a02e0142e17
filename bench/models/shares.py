"""What the weights of a model are by share: its label, and what is to be said where they are of several kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

PURE: Final = 0.9
"""From this share on, weights count as all of one kind: quantizers leave the first or the last layer, or scales."""
_SAID_FROM: Final = 0.005
_OF_DTYPE: Final = {"float16": ("fp16", 2), "bfloat16": ("bf16", 2), "float32": ("fp32", 4), "float64": ("fp64", 8)}


def label(quantized: str, numbers: Mapping[str, int]) -> tuple[str, str]:
    """The precision of a model by the larger share of its weights, and what is to be said of them, empty where they
    are all of that kind: `mixed weights: 62 % int8, 38 % fp32`.

    `quantized` is the precision that its operators make of quantized weights, empty where they read none; `numbers` are
    how many numbers are stored as int4, int8, fp16, bf16, fp32 and fp64. What is quantized wins a tie, then 16 bits.
    """
    stored = {kind: count for kind, count in numbers.items() if count and (quantized or not kind.startswith("int"))}
    total = sum(stored.values())
    whole = sum(count for kind, count in stored.items() if kind.startswith("int"))
    own = {kind for kind in stored if kind.startswith("int")}
    precision = quantized
    if not quantized or 2 * whole < total:
        precision = _floating(stored)
        own = {precision}
    if not total or sum(stored.get(kind, 0) for kind in own) >= PURE * total:
        return precision, ""
    return precision, _said(stored, total)


def label_of_bytes(weights: Iterable[tuple[str, int]]) -> tuple[str, str]:
    """The same for a module's weights, as pairs of a dtype and its bytes; what is quantized there is packed and not to
    be seen."""
    known = [(*_OF_DTYPE[dtype], size) for dtype, size in weights if dtype in _OF_DTYPE]
    return label("", {kind: size // width for kind, width, size in known})


def _floating(stored: Mapping[str, int]) -> str:
    half, brain = stored.get("fp16", 0), stored.get("bf16", 0)
    if not half + brain or half + brain < stored.get("fp32", 0) + stored.get("fp64", 0):
        return "fp32"
    return "fp16" if half >= brain else "bf16"


def _said(stored: Mapping[str, int], total: int) -> str:
    shares = sorted(((count / total, kind) for kind, count in stored.items()), reverse=True)
    if shares[0][0] >= PURE:
        return f"its weights are {shares[0][1]}, which has no label of its own"
    return f"mixed weights: {', '.join(f'{100 * share:.0f} % {kind}' for share, kind in shares if share >= _SAID_FROM)}"
