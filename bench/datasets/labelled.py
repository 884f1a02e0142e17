"""Labelled data sets: the user's .npy files, or one that is built in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.config.suite import BUILTIN_DATASETS, DatasetConfig
from bench.datasets.arrays import load_npy, shape_text
from bench.errors import ConfigError
from bench.words import nearest

Array = npt.NDArray[Any]
_ZOO: Final = Path(__file__).parent.parent / "zoo" / "data"


@dataclass(frozen=True)
class Labelled:
    """Inputs with the answers wanted: `inputs` by name, each (n, *input shape) of its dtype, `labels` (n,) int64; and
    which of the model's outputs is scored."""

    inputs: dict[str, Array]
    labels: Array
    metric: str
    output: int = 0


@dataclass(frozen=True)
class Dataset:
    """A set as it is stored: `inputs` (n, *sample), `labels` (n,) int64, `calibration` (m, *sample) where it has its
    own."""

    name: str
    inputs: Array
    labels: Array
    calibration: Array | None
    metric: str


def load_dataset(config: DatasetConfig | str, root: Path) -> Dataset:
    """The data set that a suite names; paths start at `root`. Raises ConfigError when it is none or does not match."""
    return _built_in(config) if isinstance(config, str) else _files(config, root)


def _files(config: DatasetConfig, root: Path) -> Dataset:
    inputs = load_npy(root / config.inputs, "the dataset's inputs")
    labels = load_npy(root / config.labels, "the dataset's labels")
    if inputs.ndim < 1 or not len(inputs):
        raise ConfigError(f"the dataset's inputs {config.inputs}: wanted samples, found an array of shape "
                          f"{shape_text(inputs.shape)}")
    if labels.shape != inputs.shape[:1]:
        raise ConfigError(f"the dataset's labels {config.labels}: wanted shape ({len(inputs)},), one for each input, "
                          f"found {shape_text(labels.shape)}")
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ConfigError(f"the dataset's labels {config.labels}: wanted class numbers from 0, found {labels.dtype} "
                          f"from {labels.min()}")
    return Dataset(str(config.inputs), inputs, labels.astype(np.int64), _calibration(config, inputs, root),
                   config.metric)


def _calibration(config: DatasetConfig, inputs: Array, root: Path) -> Array | None:
    if config.calibration is None:
        return None
    chosen = load_npy(root / config.calibration, "the dataset's calibration inputs")
    if chosen.shape[1:] != inputs.shape[1:] or not chosen.ndim or not len(chosen):
        raise ConfigError(f"the dataset's calibration inputs {config.calibration}: wanted samples of shape "
                          f"{shape_text(inputs.shape[1:])} as in {config.inputs}, found an array of shape "
                          f"{shape_text(chosen.shape)}")
    return chosen


def _built_in(name: str) -> Dataset:
    """A set of the zoo."""
    if name not in BUILTIN_DATASETS:
        raise ConfigError(f"wanted a built-in dataset, found {name!r}{nearest(name, BUILTIN_DATASETS)}")
    test, calibration, labels = (load_npy(_ZOO / f"fashion_{part}.npy", f"a file of {name}")
                                 for part in ("test_images", "calibration_images", "test_labels"))
    return Dataset(name, _scaled(test), labels.astype(np.int64), _scaled(calibration), "top1")


def _scaled(images: Array) -> Array:
    """uint8 images (n, height, width) as float32 (n, 1, height, width) in [0, 1]."""
    return images[:, None] / np.float32(255)
