"""Small networks that conversion targets are tested on: seeded, with every kind of layer that quantizers treat apart.

The factories are torch sources: `tests.fakes.target_nets:conv_net`, with the repository as their root.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNet(nn.Module):  # type: ignore[misc]
    """image (n, 3, 16, 16) -> logits (n, 10): convolutions with ReLU6, one of them depthwise, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
            nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
            nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6())
        self.hidden = nn.Linear(32, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        pooled = self.features(image).mean((2, 3))
        logits: Tensor = self.head(torch.relu(self.hidden(pooled)))
        return logits


class Tagger(nn.Module):  # type: ignore[misc]
    """tokens (n, 12) integers below 50, extra (n, 8) -> scores (n, 4) and their largest (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 32)
        self.hidden = nn.Linear(32 + 8, 64)
        self.head = nn.Linear(64, 4)

    def forward(self, tokens: Tensor, extra: Tensor) -> tuple[Tensor, Tensor]:
        joined = torch.cat((self.embedding(tokens).mean(1), extra), 1)
        scores = self.head(torch.relu(self.hidden(joined)))
        return scores, scores.amax(1)


class Branching(nn.Module):  # type: ignore[misc]
    """image -> image: its flow depends on data, its signature is open: torch.fx and torch.jit.script refuse it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, image: Tensor, **options: object) -> Tensor:
        result: Tensor = self.layer(image)
        return result if result.sum() > 1e9 else -result


class Plain(nn.Module):  # type: ignore[misc]
    """image -> image: nothing that has weights."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(image - 0.5)


def conv_net() -> nn.Module:
    """A ConvNet with batch statistics of its own inputs, so that folding them matters."""
    torch.manual_seed(0)
    net = ConvNet()
    with torch.no_grad():
        for _ in range(5):
            net(torch.rand(8, 3, 16, 16))
    return net.eval()


def tagger() -> nn.Module:
    torch.manual_seed(1)
    return Tagger().eval()


def conv_only() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()).eval()


def branching() -> nn.Module:
    torch.manual_seed(3)
    return Branching().eval()


def plain() -> nn.Module:
    return Plain().eval()
