"""A small net of token ids, types and a mask, as language models take them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROWS = 300


class Tokens(nn.Module):
    """ids, types, mask (1, n) whole numbers -> scores (1, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.types, self.head = nn.Embedding(ROWS, 32), nn.Embedding(2, 32), nn.Linear(32, 4)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        found = (self.words(ids.long()) + self.types(types)) * mask[..., None].float()
        scores: Tensor = self.head(found.mean(1))
        return scores


def tokens() -> nn.Module:
    torch.manual_seed(0)
    return Tokens()


def half_features() -> nn.Module:
    """x (n, 8) -> (n, 4), its weights float16."""
    torch.manual_seed(0)
    return nn.Linear(8, 4).half()


class Brain(nn.Module):
    """x (n, 8) float32 -> (n, 4) float32, computed in bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 4).bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x.to(torch.bfloat16)).float()
        return found


def brain() -> nn.Module:
    torch.manual_seed(0)
    return Brain()


class TwoOutputs(nn.Module):
    """x (1, 3) -> features (1, 16), logits (1, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.lift, self.head = nn.Linear(3, 16), nn.Linear(3, 2)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]))
            self.head.bias.copy_(torch.tensor([0.1, -0.1]))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"features": torch.relu(self.lift(x)), "logits": self.head(x)}


def two_outputs() -> nn.Module:
    torch.manual_seed(0)
    return TwoOutputs()
