"""Tiny torch nets for converter tests: seeded, with weights set so that quantization has something to lose."""

from __future__ import annotations

import torch
from torch import nn


class Small(nn.Module):  # type: ignore[misc]
    """conv + relu6 + depthwise conv + relu6 + linear: (1, 3, 16, 16) -> (1, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU6(),
                                  nn.Conv2d(16, 16, 3, 1, 1, groups=16), nn.ReLU6(), nn.Conv2d(16, 32, 1), nn.ReLU6())
        self.head = nn.Linear(32, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(image).mean((2, 3)))


class Convolutions(nn.Module):  # type: ignore[misc]
    """No matrix product anywhere: what weight-only 4-bit quantization passes over."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU6(), nn.Conv2d(8, 4, 3))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.body(image)


class Branching(nn.Module):  # type: ignore[misc]
    """A branch on a value: a trace would freeze it."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * 2 if image.sum() > 0 else image - 1


class TwoInputs(nn.Module):  # type: ignore[misc]
    """Tokens (integers) and an offset (a scalar) in, vectors and their sum out."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 64)
        self.mix = nn.Linear(64, 64)

    def forward(self, tokens: torch.Tensor, offset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = self.mix(self.table(tokens)) + offset
        return vectors, vectors.sum(-1)


def small() -> nn.Module:
    return _seeded(Small)


def convolutions() -> nn.Module:
    return _seeded(Convolutions)


def branching() -> nn.Module:
    return _seeded(Branching)


def two_inputs() -> nn.Module:
    return _seeded(TwoInputs)


def broken() -> nn.Module:
    raise ValueError("the weights are on the other machine")


def _seeded(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return kind().eval()
