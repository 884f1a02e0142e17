"""Where the zoo's committed files come from, as the text that stands beside them."""

from __future__ import annotations

import platform
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.models.files import sha256_file


@dataclass(frozen=True)
class Files:
    """The names of the zoo's files in `bench/zoo/data/`."""

    weights: str = "fashion.safetensors"
    inputs: str = "fashion_test_images.npy"
    labels: str = "fashion_test_labels.npy"
    calibration: str = "fashion_calibration_images.npy"


FILES = Files()


def provenance(folder: Path, settings: dict[str, object], *, on_all: float, on_chosen: float) -> str:
    """PROVENANCE.md for the files in `folder`: command, settings, versions, accuracy and sha256s."""
    lines = ["# Where these files come from", "",
             "Made by `python -m bench.zoo.train` from Fashion-MNIST (Han Xiao, Kashif Rasul, Roland Vollgraf, 2017),",
             "as Debian's package `dataset-fashion-mnist` installs it. Licence of images and labels: MIT, see LICENSE.",
             "The test images are the first 100 of each class of the test split, in its order; the calibration images",
             "are 128 of the training split, drawn by numpy's default_rng(seed). All are uint8, (n, 28, 28).", "",
             "| setting | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in settings.items()),
             *(f"| {package} | {version(package)} |" for package in ("torch", "numpy", "safetensors")),
             f"| Python | {platform.python_version()} |", f"| machine | {platform.machine()} |", "",
             f"Top-1 accuracy: {100 * on_all:.2f} % of all 10,000 test images, {100 * on_chosen:.1f} % of the 1,000.",
             "",
             "The same command on the same machine with these versions gives the same bytes. Another CPU or torch may",
             "sum in another order, and so end with other weights of about the same accuracy.", "",
             "| file | bytes | sha256 |", "| --- | --- | --- |"]
    for name in astuple(FILES):
        lines.append(f"| {name} | {(folder / name).stat().st_size} | {sha256_file(folder / name)} |")
    return "\n".join(lines) + "\n"
