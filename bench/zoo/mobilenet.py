"""The embedded default: a MobileNetV2-style family, small for Fashion-MNIST and full-sized for speed.

Built after Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, tables 1 and 2.
Inputs are pixels in [0, 1]; the BatchNorm behind the first convolution is the normalisation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

WEIGHTS = Path(__file__).parent / "data" / "fashion.safetensors"
WEIGHTS_SHA256 = "a8ad533eb5b32acba492625c01ad1b264cfff39940e19c7c28e8151fb39f0228"
"""Of the file above. It stands in the code because a factory is identified by its code: new weights are a new model."""
_NOISE_SEED = 20180113


@dataclass(frozen=True)
class Stage:
    """`repeats` blocks with `channels` outputs; the first has the stride. `expansion` widens the depthwise part."""

    expansion: int
    channels: int
    repeats: int
    stride: int


@dataclass(frozen=True)
class Architecture:
    """One member of the family. The first convolution always halves height and width."""

    input_channels: int
    stem: int
    stages: tuple[Stage, ...]
    head: int
    classes: int


FASHION = Architecture(1, 16, (Stage(1, 24, 1, 1), Stage(3, 32, 2, 2), Stage(3, 56, 2, 2)), 128, 10)


def wide(width: float) -> Architecture:
    """MobileNetV2 for colour images and 1,000 classes; channels are multiples of 8. Width 1.0 has 3.5 M parameters."""

    def channels(count: int) -> int:
        return max(8, round(count * width / 8) * 8)

    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    stages = tuple(Stage(expansion, channels(count), repeats, stride) for expansion, count, repeats, stride in table)
    return Architecture(3, channels(32), stages, max(1280, channels(1280)), 1000)


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution with its BatchNorm and ReLU6, padded so that stride 1 keeps height and width."""
    return [nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs), nn.ReLU6()]


class InvertedResidual(nn.Module):  # type: ignore[misc]
    """Expand, filter each channel apart, project linearly; added to the input where the shapes allow it."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = convolution(inputs, hidden, 1) if expansion > 1 else []
        project = [nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.layers = nn.Sequential(*expand, *convolution(hidden, hidden, 3, stride, groups=hidden), *project)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNet(nn.Module):  # type: ignore[misc]
    """Images (n, channels, height, width) in [0, 1] to logits (n, classes)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        layers = convolution(architecture.input_channels, architecture.stem, 3, stride=2)
        channels = architecture.stem
        for stage in architecture.stages:
            for index in range(stage.repeats):
                stride = stage.stride if index == 0 else 1
                layers.append(InvertedResidual(channels, stage.channels, stride, stage.expansion))
                channels = stage.channels
        self.features = nn.Sequential(*layers, *convolution(channels, architecture.head, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(architecture.head, architecture.classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(torch.flatten(self.pool(self.features(x)), 1))
        return logits


def fashion_untrained() -> nn.Module:
    """The Fashion-MNIST net with torch's initial weights: images (n, 1, 28, 28) in [0, 1], 10 logits."""
    return MobileNet(FASHION)


def fashion() -> nn.Module:
    """The Fashion-MNIST net with the weights that `python -m bench.zoo.train` made, ready for inference."""
    from safetensors.torch import load

    data = WEIGHTS.read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(f"{WEIGHTS} is not the file whose hash is WEIGHTS_SHA256 in {__file__}: write its own there")
    net = fashion_untrained()
    net.load_state_dict(load(data))
    return net.eval()


def imagenet224() -> nn.Module:
    """MobileNetV2 1.0 for (n, 3, 224, 224) in [0, 1], 1,000 logits: for speed only, its weights are seeded noise."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_NOISE_SEED)
        net = MobileNet(wide(1.0))
        _settle_statistics(net, torch.rand(2, 4, 3, 224, 224))
    return net.eval()


def _settle_statistics(net: nn.Module, batches: Tensor) -> None:
    """Give every BatchNorm the mean statistics of `batches`, so that activations neither vanish nor blow up."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    net.train()
    with torch.no_grad():
        for batch in batches:
            net(batch)
