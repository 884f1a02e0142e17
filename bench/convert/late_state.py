"""State that acts only after several calls: a buffer of frames that must first be full, an effect of every fifth call.

Looked for where calls change buffers or attributes and outputs did not follow in the few calls that every model gets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from bench.convert.module_state import changed, snapshot
from bench.convert.sameness import same

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[Any]

OTHERS, FIRST = 16, 16
"""Calls: of the other samples, which fill what the model holds, and then of the first, which any period up to as many
calls strikes."""
LIMIT_S = 1.0
"""For each of the two; one call of each is made however long it takes."""


@dataclass(frozen=True)
class Late:
    """`changed` are the names that still changed in these calls; `followed`: so did the outputs of the first sample."""

    changed: tuple[str, ...]
    calls: int
    followed: bool


def late_state(module: nn.Module, call: Callable[[int], list[Array]], samples: int, first: Sequence[Array]) -> Late:
    """What more calls of the module tell. `call` runs the sample of an index, always with the same random numbers;
    `first` are the outputs of sample 0 in an instance that had run nothing before."""
    def fill(turn: int) -> bool:
        call(1 + turn % (samples - 1) if samples > 1 else 0)
        return False

    filled, _ = _until(fill, OTHERS)
    before = snapshot(module)
    followed = not same(first, call(0))
    between, compared = snapshot(module), 0
    if not followed:
        compared, followed = _until(lambda _: not same(first, call(0)), FIRST - 1)
    return Late(changed(before, between, snapshot(module)), filled + 1 + compared, followed)


def order_of_calls(samples: int, calls: int) -> list[int]:
    """Samples in whose order a model that keeps state gives other outputs of sample 0: `calls` as `Probe` has it."""
    if not calls:
        return [0, 0, *range(1, samples), 0]
    fill = min(OTHERS, calls - 3)
    return [0, 0, *(1 + turn % (samples - 1) if samples > 1 else 0 for turn in range(fill)), *[0] * (calls - 2 - fill)]


def _until(done: Callable[[int], bool], most: int) -> tuple[int, bool]:
    """How often `done` was called, at most so often and so long, and whether it said yes."""
    end = time.monotonic() + LIMIT_S
    for turn in range(most):
        if done(turn):
            return turn + 1, True
        if time.monotonic() > end:
            return turn + 1, False
    return most, False
