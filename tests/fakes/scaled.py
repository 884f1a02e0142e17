"""A small net with two inputs, one of them a scalar, and two outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scaled(nn.Module):  # type: ignore[misc]
    """image (n, 3, 8, 8), scale () -> logits (n, 5), total ()."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)

    def forward(self, image: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.fc(torch.relu(self.conv(image)).mean((2, 3)))
        return logits * scale, image.sum()


def scaled() -> nn.Module:
    """The net with random weights."""
    return Scaled()
