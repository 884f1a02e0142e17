"""What a test of a conversion target needs: works for the small networks, and files measured against torch eager."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.convert.execute import run_file
from bench.convert.measures import sqnr_db
from bench.convert.recipe import Recipe, Work
from bench.models.open import open_model
from bench.models.spec import Source, SourceKind, TensorSpec

REPOSITORY = Path(__file__).parents[2]
SAMPLES = 32
IMAGE = (TensorSpec("image", (1, 3, 16, 16), "float32"),)
TAGS = (TensorSpec("tokens", (1, 12), "int64"), TensorSpec("extra", (1, 8), "float32"))
FACTORIES = {"conv_net": IMAGE, "tagger": TAGS, "conv_only": IMAGE, "branching": IMAGE, "plain": IMAGE}
"""The factories of tests.fakes.target_nets, and what their networks take."""

SQNR_DB = {"fp32": 80.0, "fp16": 40.0, "int8-dynamic": 25.0, "int8": 20.0, "int16x8": 25.0, "int8-weight": 25.0,
           "int4-weight": 10.0}
"""The least that a sound conversion of the small networks has. 4-bit weights cost 18-28 dB alone."""


def torch_source(factory: str) -> Source:
    return Source("torch", f"tests.fakes.target_nets:{factory}", REPOSITORY, factory)


def file_source(kind: SourceKind, path: Path) -> Source:
    return Source(kind, str(path), path.parent, path.name)


def work_for(factory: str, folder: Path, source: Source | None = None) -> Work:
    """A work for the network of `factory` (from `source` where given), with its calibration data in `folder`."""
    inputs = FACTORIES[factory]
    calibration = folder / f"{factory}.npz"
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for spec in inputs:
        shape = (SAMPLES, *(size or 1 for size in spec.shape))
        arrays[spec.name] = (random.random(shape, dtype=np.float32) if spec.dtype == "float32"
                             else random.integers(0, 50, shape))
    np.savez(calibration, **arrays)
    return Work(source or torch_source(factory), inputs, "fp32", None, calibration, folder / "none")


def recipe_for(recipes: Iterable[Recipe], kind: SourceKind, precision: str) -> Recipe:
    (found,) = [recipe for recipe in recipes if kind in recipe.sources and recipe.precision == precision]
    return found


def eager_outputs(factory: str, work: Work) -> tuple[npt.NDArray[np.float32], ...]:
    """The network's outputs on all calibration samples, by torch eager: each (n, *shape)."""
    import torch

    from tests.fakes import target_nets

    module = getattr(target_nets, factory)()
    rows = []
    with np.load(work.calibration) as arrays, torch.no_grad():
        for index in range(SAMPLES):
            given = module(*(torch.from_numpy(arrays[spec.name][index]) for spec in work.inputs))
            rows.append([tensor.numpy() for tensor in ([given] if isinstance(given, torch.Tensor) else given)])
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


@dataclass(frozen=True)
class Measured:
    """What a file holds by its reader, and its worst output's SQNR against torch eager (dB)."""

    precision: str
    sqnr_db: float


def measure(factory: str, work: Work, path: Path, format_: str) -> Measured:
    info = open_model(path, expected=format_)
    with np.load(work.calibration) as arrays:
        executed = run_file(info, work.inputs, dict(arrays))
    pairs = zip(eager_outputs(factory, work), executed.values, strict=True)
    return Measured(info.precision, min(sqnr_db(wanted, found) for wanted, found in pairs))
