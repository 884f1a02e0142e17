"""The inputs that a model is calibrated, checked, timed and scored with.

Values come, for each input, from the first of: `value:`, `file:`, the dataset, `calibration:`, `range:`, seeded random
numbers (floats in [0, 1), integers as dtype and graph allow). Those to calibrate on come from `calibration:` first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.config.suite import InputConfig, ModelConfig
from bench.datasets.arrays import load_npy
from bench.datasets.labelled import Dataset, Labelled, load_dataset
from bench.datasets.shapes import check_size, complete, explicit_array
from bench.datasets.values import Values, values_of
from bench.errors import ConfigError
from bench.models.spec import ModelInfo, Table, TensorSpec
from bench.words import nearest

Array = npt.NDArray[Any]
GENERATED_CALIBRATION: Final = 16
GENERATED_VERIFICATION: Final = 4
SAME_SAMPLES: Final = "there is only one sample to calibrate and to verify on"


@dataclass(frozen=True)
class ResolvedInputs:
    """A model's inputs, all dimensions known, with their values: arrays (n, *input shape) by the input's name.

    No sample is in both `calibration` and `verification`, but where there is only one: then `shared` says so.
    `origin` says for each input where its values come from: value, file, dataset, calibration, range or generated;
    `words` says it to people, and `made_up` has the ranges of those that nobody gave.
    """

    specs: tuple[TensorSpec, ...]
    calibration: dict[str, Array]
    verification: dict[str, Array]
    labelled: Labelled | None
    origin: dict[str, str]
    words: dict[str, str] = field(default_factory=dict)
    made_up: dict[str, str] = field(default_factory=dict)
    shared: str = ""
    warnings: tuple[str, ...] = ()


def resolve_inputs(config: ModelConfig, info: ModelInfo | None, root: Path,
                   tables: Sequence[Table] = ()) -> ResolvedInputs:
    """The inputs of a model; `info` is what its file says (None for a factory), `root` where relative paths start.

    Neither a factory nor most TorchScript files say what they take: the suite's inputs: are all of them, in order. Nor
    do they say which tables these index: `tables` are what was found by running them. Raises ConfigError for unknown
    names, for shapes, dtypes or values that do not fit, and for what is left open; ModelError for inputs of a file that
    this host's memory does not hold.
    """
    dataset = None if config.dataset is None else load_dataset(config.dataset, root)
    declared = {spec.name: spec for spec in info.inputs} if info is not None else {}
    one = dataset is not None or isinstance(config.calibration, Path)
    names = list(declared) or list(config.inputs) or (["input"] if one else [])
    _check_names(config, names)
    taker = None if dataset is None else _taker(config, names, "dataset")
    chosen = _calibration(config, dataset, names, taker, root)
    by_input = {table.input: table for table in (tables or (info.tables if info is not None else ()))}
    found: dict[str, Values] = {}
    specs = []
    for name in names:
        setting = config.inputs.get(name, InputConfig())
        own, real = dataset if name == taker else None, chosen.get(name)
        given = _given(name, setting, declared.get(name), root)
        samples = own.inputs if own is not None else None if real is None else real[0]
        spec = complete(name, declared.get(name), setting, given, samples)
        check_size(spec, by_suite=setting.shape is not None)
        found[name] = values_of(spec, setting, given, own, real, by_input.get(name))
        specs.append(spec)
    verification, calibration, shared = _samples(found, dataset, chosen)
    return ResolvedInputs(
        tuple(specs), calibration, verification, _labelled(found, dataset),
        {name: values.origin for name, values in found.items()}, {name: values.words for name, values in found.items()},
        {name: values.made_up for name, values in found.items() if values.made_up}, shared,
        _flattered(dataset, taker, chosen, calibration))


def _check_names(config: ModelConfig, names: list[str]) -> None:
    if not names:
        raise ConfigError("the source does not say its inputs, and the suite gives neither inputs: nor dataset:",
                          hint="write in the suite, in the order of forward's arguments, e.g.: "
                               "inputs: {image: {shape: [1, 3, 224, 224], dtype: float32, range: [0, 1]}}")
    for name in config.inputs:
        if name not in names:
            raise ConfigError(f"the model has no input {name!r}{nearest(name, names)}")


def _taker(config: ModelConfig, names: list[str], what: str) -> str:
    """The one input that the samples of `what` go to. Raises ConfigError when that is not clear."""
    settings = {name: config.inputs.get(name, InputConfig()) for name in names}
    free = [name for name, setting in settings.items() if setting.value is None and setting.file is None]
    free = [name for name in free if settings[name].range is None] if len(free) > 1 else free
    if len(free) != 1:
        raise ConfigError(f"wanted one input that the {what} is for, found {' and '.join(free) or 'none'}",
                          hint="give every other input its value:, file: or range:, and that one none of them")
    return free[0]


def _calibration(config: ModelConfig, dataset: Dataset | None, names: list[str], taker: str | None,
                 root: Path) -> dict[str, tuple[Array, str]]:
    """The samples to calibrate on that are given as such, by input, each with what it is called."""
    found: dict[str, tuple[Array, str]] = {}
    if dataset is not None and dataset.calibration is not None and taker is not None:
        found[taker] = dataset.calibration, "dataset.calibration"
    if isinstance(config.calibration, Path):
        name = taker or _taker(config, names, "calibration file")
        found[name] = _load(config.calibration, root)
    for name, path in config.calibration.items() if isinstance(config.calibration, dict) else ():
        if name not in names:
            raise ConfigError(f"calibration: the model has no input {name!r}{nearest(name, names)}")
        found[name] = _load(path, root)
    counts = {name: len(samples) for name, (samples, _) in found.items() if samples.ndim}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} for {name}" for name, count in counts.items())
        raise ConfigError(f"calibration: wanted as many samples for each input, found {listed}")
    return found


def _load(path: Path, root: Path) -> tuple[Array, str]:
    return load_npy(root / path, "the calibration inputs"), f"{path} (calibration:)"


def _given(name: str, setting: InputConfig, declared: TensorSpec | None, root: Path) -> Array | None:
    if setting.file is not None:
        return load_npy(root / setting.file, f"input {name!r}, file")
    return explicit_array(setting, setting.dtype or (declared.dtype if declared else None))


def _samples(found: Mapping[str, Values], dataset: Dataset | None,
             chosen: Collection[str]) -> tuple[dict[str, Array], dict[str, Array], str]:
    """What is verified and what is calibrated on, by input; and, where these are the same, that they are."""
    leading = [values for values in found.values()
               if values.origin == ("calibration" if dataset is None else "dataset")]
    wanted = max((values.verifying for values in leading), default=GENERATED_VERIFICATION)
    calibrating = max(values.calibrating for values in found.values())
    if not leading:
        calibrating = max(calibrating, GENERATED_CALIBRATION)
    verification = {name: values.verification(wanted) for name, values in found.items()}
    calibration = {name: values.calibration(calibrating) for name, values in found.items()}
    # Beside random values no two samples would be alike, whatever of them is real.
    telling = [name for name, values in found.items() if values.is_real
               and (values in leading or name in chosen or _varies(verification[name], calibration[name]))] or [*found]
    known = set(_rows(verification, telling))
    unseen = [place for place, row in enumerate(_rows(calibration, telling)) if row not in known]
    if not unseen:
        return verification, calibration, SAME_SAMPLES
    return verification, {name: array[unseen] for name, array in calibration.items()}, ""


def _varies(verification: Array, calibration: Array) -> bool:
    """Whether an input has several values: one that is always the same makes no samples alike."""
    return len({*_rows({"": verification}, [""]), *_rows({"": calibration}, [""])}) > 1


def _rows(arrays: Mapping[str, Array], names: Sequence[str]) -> list[bytes]:
    """Each sample of these inputs together, as bytes that are equal when the samples are."""
    mine = [arrays[name] for name in names]
    return [b"".join(np.ascontiguousarray(array[place] + 0).tobytes() if array.dtype.kind == "f"
                     else np.ascontiguousarray(array[place]).tobytes() for array in mine)
            for place in range(len(mine[0]))]


def _labelled(found: Mapping[str, Values], dataset: Dataset | None) -> Labelled | None:
    if dataset is None:
        return None
    inputs = {name: values.every(len(dataset.inputs)) for name, values in found.items()}
    return Labelled(inputs, dataset.labels, dataset.metric)


def _flattered(dataset: Dataset | None, taker: str | None, chosen: Mapping[str, object],
               calibration: Mapping[str, Array]) -> tuple[str, ...]:
    if dataset is None or taker is None or taker in chosen:
        return ()
    return (f"calibration uses {len(calibration[taker])} of the test inputs, which flatters int8's accuracy; "
            "give calibration: FILE",)
