"""Where the values of one input come from, and the values themselves, for calibrating, verifying and scoring.

What is calibrated on is never verified on. Real samples that serve for both are split: the first few verify, and of the
others as many as are wanted, evenly spaced, calibrate. Inputs with as many samples are split alike, so that sample
`i` of one goes with sample `i` of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.config.suite import InputConfig
from bench.datasets.arrays import as_type, check_shape, fit, shape_text
from bench.datasets.labelled import Dataset
from bench.datasets.ranges import check_table, random_values, range_of
from bench.errors import ConfigError
from bench.models.spec import Table, TensorSpec

Array = npt.NDArray[Any]
CALIBRATION: Final = 128
VERIFICATION: Final = 8


@dataclass(frozen=True)
class Values:
    """One input's values. `origin` is value, file, dataset, calibration, range or generated, `words` say it to people.

    `calibration` and `verification` give so many samples (count, *input shape), repeating those there are; of real ones
    there are `calibrating` and `verifying`, 0 where any number can be made. `every` gives the samples in the order of a
    labelled set. `made_up` is the range of values that nobody gave, empty where somebody did.
    """

    origin: str
    words: str
    calibration: Callable[[int], Array]
    verification: Callable[[int], Array]
    every: Callable[[int], Array]
    calibrating: int = 0
    verifying: int = 0
    made_up: str = ""

    @property
    def is_real(self) -> bool:
        """Whether somebody gave its values, rather than their range."""
        return self.origin not in ("generated", "range")


def values_of(spec: TensorSpec, setting: InputConfig, given: Array | None, dataset: Dataset | None,
              calibration: tuple[Array, str] | None, table: Table | None) -> Values:
    """The values of an input: of its own `value:` or `file:` (`given`), of the dataset where it is for this input, of
    the calibration samples (an array and what it is called), else random ones.

    Raises ConfigError for what does not fit, the functions in it for values that are not finite or leave the `table`.
    """
    chosen = None if calibration is None else _calibration_samples(*calibration, spec)
    if given is not None:
        origin = "file" if setting.value is None else "value"
        own = _explicit(given, spec, f"{origin}:")
        words = "as given by value:" if setting.value is not None else f"from {setting.file}"
        found = _of_samples(origin, words, (lambda rows: own[rows], len(own)), chosen)
    elif dataset is not None:
        what = f"dataset {dataset.name}"
        check_shape(dataset.inputs.shape, spec, what)
        samples = (lambda rows: fit(dataset.inputs[rows], spec, what)), len(dataset.inputs)
        found = _of_samples("dataset", f"from the {what}", samples, chosen)
    elif chosen is not None and calibration is not None:
        found = _of_samples("calibration", f"from {calibration[1]}", chosen, None)
    else:
        return _random(spec, setting, table)
    return replace(found, calibration=_checked(found.calibration, spec, table, found.words),
                   verification=_checked(found.verification, spec, table, found.words),
                   every=_checked(found.every, spec, table, found.words))


_Samples = tuple[Callable[[Any], Array], int]
"""A function that gives the samples of some numbers, and how many there are."""


def split(count: int) -> tuple[Array, Array]:
    """Of `count` samples the numbers of those to calibrate on, at most `CALIBRATION`, and of those to verify on, at
    most `VERIFICATION`; both are the only one where there is one."""
    verifying = min(VERIFICATION, max(1, count // 2))
    if count < 2:
        return np.arange(count), np.arange(count)
    rest = count - verifying
    chosen = np.unique(np.linspace(verifying, count - 1, min(CALIBRATION, rest)).round().astype(np.int64))
    return chosen, np.arange(verifying)


def _of_samples(origin: str, words: str, samples: _Samples, chosen: _Samples | None) -> Values:
    """Real samples: split, or those of `chosen` to calibrate on."""
    rows, count = samples
    calibrating, verifying = split(count)
    calibrate = rows
    if chosen is not None:
        calibrate, calibrating = chosen[0], np.arange(min(chosen[1], CALIBRATION))
    return Values(origin, words, lambda wanted: calibrate(_repeated(calibrating, wanted)),
                  lambda wanted: rows(_repeated(verifying, wanted)),
                  lambda wanted: rows(slice(wanted) if wanted <= count else _repeated(np.arange(count), wanted)),
                  len(calibrating), len(verifying))


def _repeated(numbers: Array, wanted: int) -> Array:
    return numbers[np.arange(wanted) % len(numbers)]


def _random(spec: TensorSpec, setting: InputConfig, table: Table | None) -> Values:
    limits = range_of(spec, setting.range, table)
    made_up = setting.range is None
    words = f"{'made-up' if made_up else 'random'} values, range {limits}: {limits.why}"
    # What is true or false has no range to be wrong about.
    return Values("generated" if made_up else "range", words, lambda wanted: random_values(spec, limits, wanted, 0),
                  lambda wanted: random_values(spec, limits, wanted, 1),
                  lambda wanted: random_values(spec, limits, wanted, 1),
                  made_up=str(limits) if made_up and spec.dtype != "bool" else "")


def _checked(give: Callable[[int], Array], spec: TensorSpec, table: Table | None,
             words: str) -> Callable[[int], Array]:
    def checked(wanted: int) -> Array:
        values = give(wanted)
        if not np.isfinite(values).all():
            raise ConfigError(f"the values of input {spec.name!r} hold NaN or infinity")
        check_table(values, table, f"{words}:")
        return values

    return checked


def _calibration_samples(samples: Array, what: str, spec: TensorSpec) -> _Samples:
    if not samples.ndim or not len(samples):
        raise ConfigError(f"{what}: wanted samples, found an array of shape {shape_text(samples.shape)}",
                          hint="save them with a leading axis of samples")
    check_shape(samples.shape, spec, what)
    return lambda rows: fit(samples[rows], spec, what), len(samples)


def _explicit(given: Array, spec: TensorSpec, what: str) -> Array:
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
