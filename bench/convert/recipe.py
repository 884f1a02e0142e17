"""What a conversion is: a recipe says which function makes a variant, from what, with which tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.convert.probe import Probe
from bench.models.spec import Source, SourceKind, TensorSpec


@dataclass(frozen=True)
class Recipe:
    """How one variant of a model is made.

    `function` is `module:function`, called in a child process with a `Work`; it writes `work.output` or raises.
    `base` names the precision whose artifact of the same format is the starting point (None: the source itself), so
    that one export serves all precisions. `tools` are the distributions whose versions decide the result; `revision`
    rises whenever the recipe itself would make another file.
    """

    sources: tuple[SourceKind, ...]
    format: str
    precision: str
    function: str
    base: str | None
    tools: tuple[str, ...]
    extra: str
    calibrated: bool = False
    revision: int = 1


@dataclass(frozen=True)
class Work:
    """What a recipe's function gets.

    `base` is the base variant's file (None when the recipe starts from the source). `calibration` is an .npz with one
    array per input of shape (n, *input shape), keyed by the model's input names. `probe` is what calling the
    source told, None where that is not known.
    """

    source: Source
    inputs: tuple[TensorSpec, ...]
    precision: str
    base: Path | None
    calibration: Path
    output: Path
    probe: Probe | None = None
