"""Scores of outputs against labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.errors import ConfigError, ModelError
from bench.words import nearest

Array = npt.NDArray[Any]


def top1(outputs: Array, labels: Array) -> float:
    """The share of rows whose arg-max is the label: of equal values the first counts, as in numpy. NaN is wrong."""
    known = ~np.isnan(outputs).any(axis=1)
    return float(np.mean((np.argmax(outputs, axis=1) == labels) & known))


METRICS: Final[dict[str, Callable[[Array, Array], float]]] = {"top1": top1}


def score(metric: str, outputs: Array, labels: Array) -> float:
    """The score, as a fraction of one, of `outputs` (n, classes) against integer `labels` (n,).

    Raises ConfigError for an unknown metric and for labels that the outputs have no class for, ModelError for outputs
    of another shape.
    """
    if metric not in METRICS:
        raise ConfigError(f"wanted a metric, found {metric!r}{nearest(metric, METRICS)}")
    if outputs.ndim != 2 or len(outputs) != len(labels) or not len(labels):
        raise ModelError(f"wanted outputs of shape ({len(labels)}, classes) to score, found {outputs.shape}")
    if labels.min() < 0 or labels.max() >= outputs.shape[1]:
        raise ConfigError(f"wanted labels below {outputs.shape[1]}, the number of the model's outputs, found "
                          f"{labels.min()} to {labels.max()}")
    return METRICS[metric](outputs, labels)
