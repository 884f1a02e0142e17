"""What goes into a conversion and what comes out of it, as data that also travels as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from bench.convert.lost_samples import LostSamples
from bench.convert.parts import Part
from bench.convert.probe import Probe
from bench.errors import Fault
from bench.models.spec import Source, TensorSpec


@dataclass(frozen=True)
class ModelJob:
    """A model together with the inputs that conversions and checks run on.

    `inputs` are the model's own inputs in calling order, all dimensions known. The .npz files hold one array per input,
    keyed by its name, with a leading axis of samples: shape (n, *input shape): those to calibrate on, and others to
    judge artifacts on. `precision` is what the source's own weights are: what is not fp32 is only taken as it is.
    `probe` is what calling it told, None where that is not known.
    """

    model: str
    source: Source
    inputs: tuple[TensorSpec, ...]
    calibration: Path
    calibration_sha256: str
    verification: Path
    verification_sha256: str
    precision: str = "fp32"
    probe: Probe | None = None


@dataclass(frozen=True)
class Gate:
    """How an artifact's outputs compare with the fp32 reference's on the verification inputs. SQNR in dB.

    `poor` are the parts of outputs that are poor or lost, the worst first; `worst` is the index of any output's axis
    with the lowest SQNR, poor or not. `not_compared` says why they were not compared, and all numbers are then NaN; ""
    when they were.
    """

    sqnr_db: float
    cosine: float
    max_abs: float
    poor: tuple[Part, ...] = ()
    worst: Part | None = None
    varying_db: float = math.inf
    """The lowest SQNR about an output's mean: of what the output tells, where most of it is an offset."""
    equal: float = 1.0
    """The lowest share of equal values of an output of integers (labels, indices, masks)."""
    not_compared: str = ""
    samples: tuple[LostSamples, ...] = ()
    """Those that were lost among others, by output."""


def uncompared(reason: str) -> Gate:
    """What is known of outputs that nothing can be compared with."""
    return Gate(math.nan, math.nan, math.nan, not_compared=reason)


@dataclass(frozen=True)
class Artifact:
    """A converted file that has passed the gate.

    `inputs` and `outputs` are the file's own tensors, in the order of the model's inputs and outputs (names, dtypes and
    quantization may differ from the model's). `places` tells for each input at which place the file takes it.
    """

    model: str
    format: str
    precision: str
    path: Path
    sha256: str
    size_bytes: int
    key: str
    inputs: tuple[TensorSpec, ...]
    places: tuple[int, ...]
    outputs: tuple[TensorSpec, ...]
    gate: Gate
    tools: dict[str, str]
    seconds: float
    cached: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A variant that could not be made, why (one line), and whose fault that is."""

    model: str
    format: str
    precision: str
    reason: str
    fault: Fault
    log: str = field(default="", repr=False)
