"""Networks of other sizes than the zoo's, with seeded random weights: for speed only."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn


def mlp() -> nn.Module:
    """(1, 64) -> (1, 10), 9 thousand weights: a few microseconds, where every call's own cost shows."""
    return _seeded(lambda: nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 10)))


def wide_mlp() -> nn.Module:
    """(1, 784) -> (1, 10), 2 million weights read once each: bound by memory."""
    return _seeded(lambda: nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(),
                                         nn.Linear(1024, 10)))


def convolutions() -> nn.Module:
    """Images (1, 3, 64, 64) -> (1, 10) by five plain convolutions: bound by arithmetic."""
    def build() -> nn.Module:
        widths = (3, 32, 48, 64, 96, 128)
        layers = [layer for inputs, outputs in pairwise(widths)
                  for layer in (nn.Conv2d(inputs, outputs, 3, 1 if inputs == 3 else 2, 1), nn.ReLU())]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 16, 10))
    return _seeded(build)


def _seeded(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20240101)
        return build().eval()
