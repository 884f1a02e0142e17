"""Networks that differ in how forward takes its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Ordinary(nn.Module):
    """Weighs its arguments, so that swapped ones show."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, first: torch.Tensor, second: torch.Tensor, third: torch.Tensor) -> torch.Tensor:
        return self.linear(first + 10 * second) - 100 * third


class KeywordOnly(Ordinary):
    def forward(self, *, first: torch.Tensor, second: torch.Tensor, third: torch.Tensor) -> torch.Tensor:
        return super().forward(first, second, third)


class Optional(Ordinary):
    """With an argument in between that the suite leaves out."""

    def forward(self, first: torch.Tensor, scale: torch.Tensor | None = None, second: torch.Tensor | None = None,
                third: torch.Tensor | None = None) -> torch.Tensor:
        if second is None or third is None:
            raise ValueError("given in another place")
        return super().forward(first if scale is None else first * scale, second, third)


class Normalising(nn.Module):
    """Writes to its input before it uses it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x.sub_(0.45).div_(0.22)
        return self.linear(x)


class Rectifying(nn.Module):
    """An in-place activation directly on the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.linear = nn.ReLU(inplace=True), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.first(x)) + x.sum()


class Remembering(nn.Module):
    """A leaky sum of what came before, in a buffer; exact in floating point whatever the converter."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("memory", torch.zeros(1, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.memory.copy_(0.5 * self.memory + x)
        return self.linear(self.memory)


class Smoothing(Remembering):
    """A small smoothed part beside a large one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.memory.copy_(0.5 * self.memory + x)
        return torch.cat([self.linear(x) + 4096, 0.125 * self.memory + 0.0], 1)


class Late(Remembering):
    """Adds what it has summed once it was called 24 times."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count.add_(1)
        self.memory.copy_(0.5 * self.memory + x)
        return self.linear(x) + (self.count >= 24).float() * self.memory


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + torch.randn_like(x)


class Anything(nn.Module):
    def forward(self, *given: torch.Tensor, **named: Any) -> torch.Tensor:
        return given[0] - 2 * given[1]


class MoreByName(nn.Module):
    def forward(self, x: torch.Tensor, scale: float = 1.0, **more: torch.Tensor) -> torch.Tensor:
        return x * scale - 3 * more["mask"] - 7 * more["bias"]


class ByPlaceOnly(nn.Module):
    def forward(self, a: torch.Tensor, b: float = 0.5, c: torch.Tensor | None = None, /,
                d: torch.Tensor | None = None, e: torch.Tensor | None = None) -> torch.Tensor:
        if d is not None:
            raise ValueError("given in another place")
        return a * b - 3 * (0 if c is None else c) - 7 * (0 if e is None else e)


def _passed_on(forward: Callable[..., Any]) -> Callable[..., Any]:
    def passed(*given: Any, **named: Any) -> Any:
        return forward(*given, **named)

    return passed


def _wrapped(forward: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(forward)(_passed_on(forward))


class Nameless(Ordinary):
    """Decorated, so that the names of its arguments are lost."""

    forward = _passed_on(Ordinary.forward)


class Decorated(Ordinary):
    """Decorated as it should be."""

    forward = _wrapped(Ordinary.forward)


def ordinary() -> nn.Module: return Ordinary()
def keyword_only() -> nn.Module: return KeywordOnly()
def optional() -> nn.Module: return Optional()
def normalising() -> nn.Module: return Normalising()
def rectifying() -> nn.Module: return Rectifying()
def remembering() -> nn.Module: return Remembering()
def noisy() -> nn.Module: return Noisy()
def anything() -> nn.Module: return Anything()
def more_by_name() -> nn.Module: return MoreByName()
def by_place_only() -> nn.Module: return ByPlaceOnly()
def nameless() -> nn.Module: return Nameless()
def decorated() -> nn.Module: return Decorated()
def smoothing() -> nn.Module: return Smoothing()
def late() -> nn.Module: return Late()
