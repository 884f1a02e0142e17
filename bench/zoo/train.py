"""The recipe that trained the embedded default: `python -m bench.zoo.train [--data DIR] [--out DIR]`.

Writes the weights, 1,000 labelled test images, 128 calibration images and PROVENANCE.md. The same machine with the same
torch and the same recipe gives the same bytes; another CPU or torch may round differently and so end elsewhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bench.errors import BenchError
from bench.models.files import sha256_file
from bench.zoo.fashion_mnist import DEBIAN_FOLDER, Split, read_split, stratified
from bench.zoo.mobilenet import WEIGHTS, fashion_untrained
from bench.zoo.provenance import FILES, provenance

SEED = 0
EPOCHS = 12
BATCH = 256
PEAK_RATE = 4e-3
THREADS = 2
"""Part of the recipe: the number of threads decides the order of sums."""


def pixels(split: Split) -> Tensor:
    """The split's images as (n, 1, 28, 28) float32 in [0, 1]."""
    return torch.from_numpy(split.images.astype(np.float32) / 255).unsqueeze(1)


def train(data: Split) -> nn.Module:
    """The net trained on `data`: AdamW under one cycle of the learning rate, random flips, label smoothing."""
    torch.manual_seed(SEED)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    net = fashion_untrained().to(memory_format=torch.channels_last)
    images, labels = pixels(data), torch.from_numpy(data.labels.astype(np.int64))
    steps = EPOCHS * (len(labels) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.25)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(EPOCHS):
        started, losses = time.monotonic(), []
        for rows in torch.randperm(len(labels)).split(BATCH)[: len(labels) // BATCH]:
            optimizer.zero_grad()
            loss = loss_of(net(_augment(images[rows])), labels[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}, {time.monotonic() - started:.0f} s",
              file=sys.stderr)
    return net.to(memory_format=torch.contiguous_format).eval()


def _augment(images: Tensor) -> Tensor:
    """Half of `images` mirrored left to right."""
    mirrored = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(mirrored, images.flip(3), images).contiguous(memory_format=torch.channels_last)


def accuracy(net: nn.Module, data: Split) -> float:
    """The share of `data` whose arg-max logit is its label."""
    with torch.inference_mode():
        guesses = torch.cat([net(batch).argmax(1) for batch in pixels(data).split(1000)])
    return float((guesses.numpy() == data.labels).mean())


def write_all(folder: Path, net: nn.Module, training: Split, test: Split) -> str:
    """Write the zoo's files into `folder`; returns what to tell: PROVENANCE.md, and the weights' hash."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    chosen = stratified(test, 100)
    rows = np.sort(np.random.default_rng(SEED).choice(len(training.labels), 128, replace=False))
    (folder / FILES.weights).write_bytes(save({name: value.contiguous() for name, value in net.state_dict().items()}))
    np.save(folder / FILES.inputs, chosen.images, allow_pickle=False)
    np.save(folder / FILES.labels, chosen.labels, allow_pickle=False)
    np.save(folder / FILES.calibration, training.images[rows], allow_pickle=False)
    settings: dict[str, object] = {"seed": SEED, "epochs": EPOCHS, "batch": BATCH,
                                   "peak learning rate": PEAK_RATE, "threads": THREADS}
    text = provenance(folder, settings, on_all=accuracy(net, test), on_chosen=accuracy(net, chosen))
    (folder / "PROVENANCE.md").write_text(text, encoding="utf-8")
    return f"{text}\nWEIGHTS_SHA256 in bench/zoo/mobilenet.py must be {sha256_file(folder / FILES.weights)}"


def main() -> None:
    """Train and write; a missing data set ends it with one clear error."""
    parser = argparse.ArgumentParser(prog="python -m bench.zoo.train", description="Train the embedded default.")
    parser.add_argument("--data", type=Path, default=DEBIAN_FOLDER, help="folder of the four idx files (%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS.parent, help="folder to write to (%(default)s)")
    arguments = parser.parse_args()
    try:
        training, test = read_split(arguments.data, "train"), read_split(arguments.data, "t10k")
        print(write_all(arguments.out, train(training), training, test))
    except BenchError as error:
        sys.exit(_complain(error))


def _complain(error: BenchError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    main()
