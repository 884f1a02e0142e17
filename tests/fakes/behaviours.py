"""Networks that are more than a function of their inputs: a chain of steps, each with a habit of its own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

SHAPE = (1, 6)
WRITING = {
    "relu_": lambda x: functional.relu(x, inplace=True), "sub_": lambda x: x.sub_(0.25),
    "through a view": lambda x: _viewed(x), "by index": lambda x: _indexed(x), "data": lambda x: _behind(x)}
"""Steps that write to what they are given; a later one still writes to the input when all before it do."""
DRAWING = {"noise": "randn_like", "dropout": "bernoulli_", "uniform": "uniform_", "choice": "multinomial"}
"""Steps that draw random numbers, and the operator that does."""
KEEPING = ("buffer", "copied", "attribute", "listed", "counter", "held by an object")
"""Steps that keep state under their own name."""
HARMLESS = ("table", "idle counter", "attention", "quiet dropout")
"""Steps that only look like any of these: a table filled by the first call, a count that nothing reads."""


class Chain(nn.Module):
    """The steps one after the other, behind a linear layer unless a writing step comes first."""

    def __init__(self, steps: Sequence[str]) -> None:
        super().__init__()
        self.steps = tuple(steps)
        self.linear = nn.Linear(SHAPE[1], SHAPE[1])
        self.register_buffer("buffer", torch.zeros(SHAPE))
        self.register_buffer("copied", torch.zeros(SHAPE))
        self.register_buffer("idle", torch.zeros((), dtype=torch.int64))
        self.attribute = torch.zeros(SHAPE)
        self.listed = [torch.zeros(SHAPE)]
        self.counter = 0
        self.held = _Holder()
        self.table: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for step in self.steps:
            x = WRITING[step](x) if step in WRITING else STEPS[step](self, x)
        return self.linear(x)


class _Holder:
    def __init__(self) -> None:
        self.value = torch.zeros(SHAPE)


def _viewed(x: torch.Tensor) -> torch.Tensor:
    x.view(-1).mul_(1.5)
    return x


def _indexed(x: torch.Tensor) -> torch.Tensor:
    x[:, ::2] += 1
    return x


def _behind(x: torch.Tensor) -> torch.Tensor:
    x.data.add_(1)
    return x


def _buffer(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.buffer = net.buffer * 0.5 + x
    return net.buffer


def _copied(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.copied.copy_(net.copied * 0.5 + x)
    return net.copied.clone()


def _attribute(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.attribute = net.attribute * 0.5 + x
    return net.attribute


def _listed(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.listed = [*net.listed[-2:], x.clone()]
    return torch.stack(net.listed).mean(0)


def _counter(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.counter += 1
    return x * (1 + 0.1 * net.counter)


def _object(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.held.value = net.held.value * 0.5 + x
    return net.held.value


def _table(net: Chain, x: torch.Tensor) -> torch.Tensor:
    if net.table is None:
        net.table = torch.arange(SHAPE[1], dtype=torch.float32)
    return x + net.table


def _idle(net: Chain, x: torch.Tensor) -> torch.Tensor:
    net.idle += 1
    return x * 1.0


def _choice(net: Chain, x: torch.Tensor) -> torch.Tensor:
    return x + torch.multinomial(torch.ones(SHAPE[1]), 3).sum()


STEPS: dict[str, Callable[[Chain, torch.Tensor], torch.Tensor]] = {
    "buffer": _buffer, "copied": _copied, "attribute": _attribute, "listed": _listed, "counter": _counter,
    "held by an object": _object, "table": _table, "idle counter": _idle,
    "attention": lambda net, x: functional.scaled_dot_product_attention(x[None], x[None], x[None])[0] + x,
    "quiet dropout": lambda net, x: functional.dropout(x * 1.0, 0.5, training=False),
    "noise": lambda net, x: x + torch.randn_like(x),
    "dropout": lambda net, x: functional.dropout(x, 0.5, training=True),
    "uniform": lambda net, x: x + torch.empty(SHAPE).uniform_(), "choice": _choice}

PLAN: list[str] = []
"""The steps of the next `planned` network: a factory takes no arguments."""


def planned() -> Chain:
    return Chain(PLAN)


class _Outside(nn.Module):
    """Adds what no seed of a framework decides."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + float(np.random.default_rng(list(os.urandom(8))).normal())


class _OwnGenerator(nn.Module):
    """Noise from a generator that the module seeded itself: a fresh instance gives the same numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn(SHAPE, generator=self.generator)


class _Seldom(nn.Module):
    """A sampled token that is nearly always the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.multinomial(torch.tensor([0.55, 0.45]), 1) + 0 * x


def outside() -> nn.Module:
    return _Outside()


def own_generator() -> nn.Module:
    return _OwnGenerator()


def seldom() -> nn.Module:
    return _Seldom()


def numpy_noise() -> nn.Module:
    class Noise(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + float(np.random.normal())

    return Noise()


def another_each_time() -> nn.Module:
    net = nn.Linear(SHAPE[1], 2)
    net.weight.data.copy_(torch.from_numpy(np.random.default_rng(list(os.urandom(8))).normal(size=(2, SHAPE[1]))))
    return net


def numpy_weights() -> nn.Module:
    net = nn.Linear(SHAPE[1], 2)
    net.weight.data.copy_(torch.from_numpy(np.random.normal(size=(2, SHAPE[1]))))
    return net


class _Scores(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(SHAPE[1], 3).half()
        self.register_buffer("scale", torch.ones(4))

    def forward(self, x: torch.Tensor) -> Any:
        return {"scores": self.linear(x.half()).float(), "boxes": (x, x[:, :2].to(torch.bfloat16))}


def scores() -> nn.Module:
    return _Scores()


class _Detector(nn.Module):
    """Boxes in pixels and a score each; the scores are noisy or follow those of earlier calls."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.boxes, self.scores = nn.Linear(SHAPE[1], 400), nn.Linear(SHAPE[1], 100)
        self.register_buffer("smooth", torch.zeros(1, 100))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        boxes, scores = torch.sigmoid(self.boxes(x)) * 640, torch.sigmoid(self.scores(x))
        if self.kind == "noise":
            scores = torch.rand_like(scores)
        elif self.kind == "state":
            self.smooth = 0.7 * self.smooth + 0.3 * scores
            scores = self.smooth
        return torch.cat([boxes, scores], 1)


def steady_detector() -> nn.Module:
    return _Detector("")


def noisy_detector() -> nn.Module:
    return _Detector("noise")


def smoothing_detector() -> nn.Module:
    return _Detector("state")


class _Late(nn.Module):
    """Holds something that changes at every call and acts late, or never."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.count = kind, 0
        self.linear, self.frames = nn.Linear(SHAPE[1], SHAPE[1]), deque[torch.Tensor](maxlen=8)
        self.register_buffer("ring", torch.zeros(8, SHAPE[1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x)
        if self.kind == "deque":
            self.frames.append(x.clone())
            return y + torch.stack([*self.frames]).mean(0) if len(self.frames) == 8 else y
        if self.kind == "period":
            self.count = (self.count + 1) % 5
            return y * 2 if self.count == 3 else y
        self.ring.copy_(torch.cat([self.ring[1:], x]))
        if self.kind == "ring":
            self.count += 1
            return y + self.ring.mean(0) if self.count >= 12 else y
        return y


def late_deque() -> nn.Module:
    return _Late("deque")


def late_period() -> nn.Module:
    return _Late("period")


def late_ring() -> nn.Module:
    return _Late("ring")


def idle_ring() -> nn.Module:
    return _Late("idle")


def counts_batches() -> nn.Module:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(SHAPE[1])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.norm.num_batches_tracked.add_(1)
            return self.norm(x)

    return Counting()
