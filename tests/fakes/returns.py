"""Modules that all compute the same two tensors, and return them as their authors like."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn


@dataclass
class Detected:
    scores: torch.Tensor
    boxes: torch.Tensor
    names: tuple[str, ...] = ("cat", "dog")


class Pair(NamedTuple):
    scores: torch.Tensor
    boxes: torch.Tensor


class ModelOutput(OrderedDict[str, Any]):
    """As a hub's models return: a dict whose keys are attributes too."""


SHAPES: dict[str, Any] = {
    "tuple": lambda scores, boxes: (scores, boxes),
    "dict": lambda scores, boxes: {"scores": scores, "boxes": boxes},
    "nested dict": lambda scores, boxes: {"z": {"scores": scores}, "a": [boxes]},
    "dict of a class": lambda scores, boxes: ModelOutput(scores=scores, boxes=boxes, loss=None),
    "dataclass": Detected,
    "named tuple": Pair,
    "None among them": lambda scores, boxes: (None, scores, boxes, None),
    "numbers among them": lambda scores, boxes: (scores, 4, boxes, 0.5, "px"),
    "masked": lambda scores, boxes: (scores.masked_fill(torch.tensor([False, True, False]), float("-inf")), boxes),
    "list in a tuple": lambda scores, boxes: (scores, [boxes]),
}
"""What is made of the two, in the order in which they must stay."""
PLAN = ["tuple"]
"""What the factory makes next."""


class Returning(nn.Module):
    def __init__(self, shape: str) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.shape = shape
        self.scores, self.boxes = nn.Linear(8, 3), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> Any:
        return SHAPES[self.shape](self.scores(x).sigmoid(), 640 * self.boxes(x))


def planned() -> nn.Module:
    return Returning(PLAN[0])
