"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) as Debian's package `dataset-fashion-mnist` installs it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.errors import ConfigError

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_UINT8 = 0x08
"""The element type's code in an idx file's header."""


@dataclass(frozen=True)
class Split:
    """`images` (n, 28, 28) and `labels` (n,), both uint8."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array of a gzipped idx file of uint8. Raises ConfigError when there is none or it is torn."""
    try:
        data = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"wanted Fashion-MNIST's {path.name} in {path.parent}, found no such file",
                          hint="install it with: apt-get install dataset-fashion-mnist; or give its folder: --data DIR",
                          ) from None
    except (OSError, EOFError) as error:
        raise ConfigError(f"wanted a gzipped idx file, {path} is not one: {error}") from None
    if len(data) < 4 or data[:3] != bytes([0, 0, _UINT8]):
        raise ConfigError(f"wanted an idx file of uint8, {path} begins with {data[:4].hex(' ')}")
    header = 4 + 4 * data[3]
    shape = np.frombuffer(data[4:header], dtype=">u4").tolist()
    if len(data) - header != np.prod(shape):
        raise ConfigError(f"wanted {shape} values in {path}, found {len(data) - header}")
    return np.frombuffer(data[header:], dtype=np.uint8).reshape(shape)


def read_split(folder: Path, name: Literal["train", "t10k"]) -> Split:
    """The training ("train", 60,000) or test ("t10k", 10,000) split in `folder`."""
    return Split(read_idx(folder / f"{name}-images-idx3-ubyte.gz"), read_idx(folder / f"{name}-labels-idx1-ubyte.gz"))


def stratified(split: Split, per_class: int) -> Split:
    """The first `per_class` images of each class, in the split's order."""
    rows = np.sort(np.concatenate([np.flatnonzero(split.labels == label)[:per_class] for label in range(10)]))
    return Split(split.images[rows], split.labels[rows])
