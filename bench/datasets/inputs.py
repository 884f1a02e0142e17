"""The inputs that a model is calibrated, checked, timed and scored with.

Values come, for each input, from the first of: `value:`, `file:`, the dataset, `range:`, seeded random numbers (floats
in [0, 1), integers in {0, 1}, the whole range of quantized integers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bench.config.suite import InputConfig, ModelConfig
from bench.datasets.arrays import as_type, fit, load_npy, numpy_dtype, shape_text
from bench.datasets.labelled import Dataset, Labelled, load_dataset
from bench.datasets.shapes import complete, explicit_array
from bench.errors import ConfigError
from bench.models.spec import ModelInfo, TensorSpec
from bench.words import nearest

Array = npt.NDArray[Any]
SEED: Final = 20260101
GENERATED_CALIBRATION: Final = 16
GENERATED_VERIFICATION: Final = 4
VERIFICATION: Final = 8


@dataclass(frozen=True)
class ResolvedInputs:
    """A model's inputs, all dimensions known, with their values: arrays (n, *input shape) by the input's name.

    `origin` says for each input where its values come from: value, file, dataset, range or generated.
    """

    specs: tuple[TensorSpec, ...]
    calibration: dict[str, Array]
    verification: dict[str, Array]
    labelled: Labelled | None
    origin: dict[str, str]
    warnings: tuple[str, ...] = ()


def resolve_inputs(config: ModelConfig, info: ModelInfo | None, root: Path) -> ResolvedInputs:
    """The inputs of a model; `info` is what its file says (None for a factory), `root` where relative paths start.

    Neither a factory nor most TorchScript files say what they take: the suite's inputs: are all of them, in order.
    Raises ConfigError for unknown names, for shapes or dtypes that do not fit, and for what is left open.
    """
    dataset = None if config.dataset is None else load_dataset(config.dataset, root)
    declared = {spec.name: spec for spec in info.inputs} if info is not None else {}
    names = list(declared) or list(config.inputs) or (["input"] if dataset else [])
    _check_names(config, names)
    taker = None if dataset is None else _taker(config, names)
    counts = (GENERATED_CALIBRATION, GENERATED_VERIFICATION) if dataset is None else (
        len(dataset.calibration), min(VERIFICATION, len(dataset.inputs)))
    specs, calibration, verification, scored, origin = [], {}, {}, {}, {}
    for name in names:
        setting = config.inputs.get(name, InputConfig())
        own = dataset if name == taker else None
        given = _given(name, setting, declared.get(name), root)
        spec = complete(name, declared.get(name), setting, given, None if own is None else own.inputs)
        origin[name], values = _values(spec, setting, given, own)
        calibration[name], verification[name] = values(counts[0], 0), values(counts[1], 1)
        _check_finite(name, calibration[name], verification[name])
        if dataset is not None:
            scored[name] = values(len(dataset.inputs), 1)
        specs.append(spec)
    labelled = None if dataset is None else Labelled(scored, dataset.labels, dataset.metric)
    return ResolvedInputs(tuple(specs), calibration, verification, labelled, origin,
                          () if dataset is None else dataset.warnings)


def _check_names(config: ModelConfig, names: list[str]) -> None:
    if not names:
        raise ConfigError("the source does not say its inputs, and the suite gives neither inputs: nor dataset:",
                          hint="write in the suite, in the order of forward's arguments, e.g.: "
                               "inputs: {image: {shape: [1, 3, 224, 224], dtype: float32, range: [0, 1]}}")
    for name in config.inputs:
        if name not in names:
            raise ConfigError(f"the model has no input {name!r}{nearest(name, names)}")


def _taker(config: ModelConfig, names: list[str]) -> str:
    """The one input that the dataset's samples go to. Raises ConfigError when that is not clear."""
    settings = {name: config.inputs.get(name, InputConfig()) for name in names}
    free = [name for name, setting in settings.items() if setting.value is None and setting.file is None]
    free = [name for name in free if settings[name].range is None] if len(free) > 1 else free
    if len(free) != 1:
        raise ConfigError(f"wanted one input that the dataset is for, found {' and '.join(free) or 'none'}",
                          hint="give every other input its value:, file: or range:, and that one none of them")
    return free[0]


def _given(name: str, setting: InputConfig, declared: TensorSpec | None, root: Path) -> Array | None:
    if setting.file is not None:
        return load_npy(root / setting.file, f"input {name!r}, file")
    return explicit_array(setting, setting.dtype or (declared.dtype if declared else None))


def _values(spec: TensorSpec, setting: InputConfig, given: Array | None,
            dataset: Dataset | None) -> tuple[str, Callable[[int, int], Array]]:
    """Where an input's values come from, and a function of (count, role) that gives them; role 0 is calibration."""
    if given is not None:
        origin = "value" if setting.value is not None else "file"
        samples = _samples(given, spec, f"{origin}:")
        return origin, lambda count, _: samples[np.arange(count) % len(samples)]
    if dataset is not None:
        sets = (dataset.calibration, dataset.inputs)
        return "dataset", lambda count, role: fit(sets[role][:count], spec, f"dataset {dataset.name}")
    return ("generated" if setting.range is None else "range",
            lambda count, role: _random(spec, setting.range, count, role))


def _samples(given: Array, spec: TensorSpec, what: str) -> Array:
    """Explicit values as (n, *input shape): one value for the input, many, or a number for all its elements."""
    shape = tuple(dim for dim in spec.shape if dim is not None)
    typed = as_type(given, spec, what)
    if typed.ndim == 0 or typed.shape == shape:
        return np.broadcast_to(typed, shape)[None]
    if typed.shape[1:] == shape and len(typed):
        return typed
    raise ConfigError(f"{what} of shape {shape_text(given.shape)} does not fit input {spec.name!r} "
                      f"{shape_text(spec.shape)}",
                      hint="wanted are that shape, that shape after an axis of samples, or a single number")


def _random(spec: TensorSpec, limits: tuple[float, float] | None, count: int, role: int) -> Array:
    """Seeded random values (count, *input shape), the same whatever other inputs there are."""
    dtype = numpy_dtype(spec)
    random = np.random.default_rng([SEED, crc32(spec.name.encode()), role])
    shape = (count, *(dim for dim in spec.shape if dim is not None))
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.kind == "f" or (spec.quantization is not None and limits is not None):
        low, high = limits or (0.0, 1.0)
        return as_type(random.uniform(low, high, shape), spec, "range:")
    if spec.quantization is not None:
        whole = np.iinfo(dtype)
        return random.integers(whole.min, whole.max, shape, dtype=dtype.type, endpoint=True)
    low, high = _whole_limits(spec, dtype, limits)
    return random.integers(low, max(high, low + 1), shape, dtype=dtype.type)


def _whole_limits(spec: TensorSpec, dtype: np.dtype[Any], limits: tuple[float, float] | None) -> tuple[int, int]:
    low, high = limits or (0, 2)
    whole = np.iinfo(dtype)
    if not (float(low).is_integer() and float(high).is_integer() and whole.min <= low <= high <= whole.max + 1):
        raise ConfigError(f"range: wanted whole numbers that {spec.dtype} holds for input {spec.name!r}, "
                          f"found [{low:g}, {high:g}]")
    return int(low), int(high)


def _check_finite(name: str, *arrays: Array) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise ConfigError(f"the values of input {name!r} hold NaN or infinity")
