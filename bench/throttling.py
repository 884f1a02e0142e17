"""Whether a device kept its pace while a trial ran: pure functions on its readings and samples.

Computed whenever a run is reported, from what was stored, and never stored: a better rule needs no new run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.conditions import Reading, thermal
from bench.contention import Contention, reason

CLOCK_FALL = 0.10
"""The share by which the fastest of a trial's cores may lose clock between the halves of its readings."""
RISE_C = 8.0
"""Degrees by which a sensor may rise while the trial runs. Before it the device idles: that jump is no drift."""
DRIFT = 0.05
"""The share by which the samples' median may change from their first third to their last."""
RESOLUTION_NS = 1000
"""And at least by this: the clock and the interpreter do not resolve less."""
CERTAINTY = 4.5
"""That change over its standard error, at least, when there are many samples. See `drift`."""
EXTRA = 30.0
"""What is added to `CERTAINTY`, over the number of samples in a third: an error known from few is itself uncertain."""
BATCHES = 5
"""Batches of successive samples in a third, from whose medians the standard error is taken."""
INDEPENDENT = 8
"""A third needs the information of so many independent samples, else nothing is said."""


@dataclass(frozen=True)
class Signs:
    """What a trial's readings and samples say of the device: sentences, "" for what did not happen.

    `clocks_mhz` are those of the fastest of its cores while it ran, by reading; `degrees_c` the temperatures then, of
    one sensor; `statuses` Android's thermal statuses.
    """

    clocks_mhz: tuple[float, ...]
    degrees_c: tuple[float, ...]
    statuses: tuple[int, ...]
    clock: str
    heat: str
    status: str
    slowed: str
    disturbed: tuple[str, ...]
    """What else changed while the trial ran, or cannot be trusted."""
    contention: str = ""
    """How others took the processor from it (`bench.contention`)."""
    shared: Contention | None = None
    """How it shared the processor; None where that is not known."""

    @property
    def throttled(self) -> tuple[str, ...]:
        """Why the trial counts as throttled: its clock fell, it grew hot, the device told so, its samples slowed."""
        return tuple(text for text in (self.clock, self.heat, self.status, self.slowed) if text)


def signs(readings: Sequence[Reading], samples_ns: ArrayLike, cores: Sequence[int] = (),
          shared: Contention | None = None, threads: int = 1) -> Signs:
    """The signs of one trial. `cores` are the numbers of those it was allowed to run on; of none given, all count.

    Samples that slowed while others took the processor (`shared`, of a trial of so many `threads`), with clocks and
    temperature as they were, were slowed by those: that is no throttling.
    """
    change = drift(samples_ns)
    contention = reason(shared, threads)
    slowed = f"samples slowed by {100 * change:.0f} % from the first third to the last" if change and change > 0 else ""
    ran = [reading for reading in readings if reading.when in ("during", "after")]
    told = [_fastest(reading, cores) for reading in ran]
    clocks = tuple(clock for clock in told if clock is not None)
    sensors = _by_sensor(ran)
    statuses = tuple(reading.thermal_status for reading in readings if reading.thermal_status is not None)
    clock, heat = _clock(clocks), _heat(sensors)
    status = thermal(max(statuses)) if max(statuses, default=0) > 0 else ""
    theirs = bool(contention) and not (clock or heat or status)
    return Signs(clocks, next(iter(sensors.values()), ()), statuses, clock, heat, status, "" if theirs else slowed,
                 tuple(_disturbed(readings, change, contention, slowed if theirs else "")), contention, shared)


def _disturbed(readings: Sequence[Reading], change: float | None, contention: str, slowed: str) -> list[str]:
    found = [text for text in (contention, slowed) if text]
    if change is not None and change < 0:
        found.append(f"samples shortened by {-100 * change:.0f} % from the first third to the last")
    charging = [reading.battery.charging for reading in readings if reading.battery]
    if _changed(charging):
        found.append("charging began or ended during the trial")
    if _changed([reading.screen_on for reading in readings]):
        found.append("the screen went on or off during the trial")
    if any(reading.battery and reading.battery.faked for reading in readings):
        found.append("the battery's values are faked")
    if any(reading.thermal_faked for reading in readings):
        found.append("the thermal status is faked")
    return found


def drift(samples_ns: ArrayLike) -> float | None:
    """The share by which the samples' median changed from their first third to their last, where that is no noise.

    None unless the change is beyond `DRIFT`, `RESOLUTION_NS` and `CERTAINTY` standard errors. The error is that of the
    thirds' own medians, from `BATCHES` batches of each, so that samples that follow one another's mood do not look
    certain and a step between the thirds does not look like noise. Samples so much alike to their neighbours that a
    third holds fewer than `INDEPENDENT` (k (1 - r) / (1 + r), r their autocorrelation) tell nothing.

    By simulation of 2,000 log-normal trials each: false alarms in 0 to 0.8 % of stationary ones of 30 to 1,000
    samples with noise of 1 to 8 % and autocorrelation of 0 to 0.9 (1.3 % for 30 samples at 0.9). With 3 % of
    independent noise a step of 20 % is found in 79 % of trials of 30 samples and in all of 60 or more, a steady drift
    of 10 % in 9 % of 30 samples, in 78 % of 120, in all of 300.
    """
    samples = np.maximum(np.asarray(samples_ns, dtype=np.float64).ravel(), 1.0)
    third = samples.size // 3
    if third < INDEPENDENT:
        return None
    before, after = float(np.median(samples[:third])), float(np.median(samples[-third:]))
    change = math.log(after / before)
    if abs(change) <= math.log1p(DRIFT) or abs(after - before) < RESOLUTION_NS:
        return None
    first, last = np.log(samples[:third]), np.log(samples[-third:])
    error = math.sqrt((_batch_variance(first) + _batch_variance(last)) / BATCHES)
    certain = abs(change) > (CERTAINTY + EXTRA / third) * error and _independent(first, last) >= INDEPENDENT
    return after / before - 1 if certain else None


def _batch_variance(third: NDArray[np.float64]) -> float:
    medians = [np.median(batch) for batch in np.array_split(third, BATCHES)]
    return float(np.var(medians, ddof=1))


def _independent(first: NDArray[np.float64], last: NDArray[np.float64]) -> float:
    """To how many independent samples a third amounts, once outliers are drawn in and each third's slope is taken out;
    what that takes from a short series' autocorrelation is given back."""
    count = first.size
    both = np.stack([first - np.median(first), last - np.median(last)])
    spread = 3 * 1.4826 * float(np.median(np.abs(both)))
    both = np.clip(both, -spread, spread)
    place = np.arange(count) - (count - 1) / 2
    both -= both.mean(axis=1, keepdims=True) + np.outer(both @ place / (place @ place), place)
    variance = float((both**2).mean())
    raw = float((both[:, 1:] * both[:, :-1]).mean()) / variance if variance > 0 else 0.0
    alike = min(max(raw + (2 + 4 * raw) / count, 0.0), 0.99)
    return count * (1 - alike) / (1 + alike)


def _clock(clocks: Sequence[float]) -> str:
    """The fastest core is compared: which one works is the scheduler's choice. An idle device's clocks say nothing,
    so those before the trial do not count; those after it are taken the moment its result arrives."""
    if len(clocks) < 2:
        return ""
    half = len(clocks) // 2
    early, late = max(clocks[:half]), max(clocks[half:])
    return f"clock fell from {early:.0f} to {late:.0f} MHz" if late < (1 - CLOCK_FALL) * early else ""


def _fastest(reading: Reading, cores: Sequence[int]) -> float | None:
    """The highest clock among `cores`, or among all where they are not all told of; None where none is known."""
    clocks = reading.clocks_mhz
    known = bool(cores) and max(cores) < len(clocks)
    counted = [clocks[core] for core in cores] if known else clocks
    return max((clock for clock in counted if clock is not None), default=None)


def _by_sensor(readings: Sequence[Reading]) -> dict[str | None, tuple[float, ...]]:
    degrees: dict[str | None, list[float]] = {}
    for reading in readings:
        if reading.temperature_c is not None:
            degrees.setdefault(reading.temperature_of, []).append(reading.temperature_c)
    return {sensor: tuple(seen) for sensor, seen in degrees.items()}


def _heat(sensors: Mapping[str | None, Sequence[float]]) -> str:
    for sensor, seen in sensors.items():
        if max(seen) - seen[0] > RISE_C:
            return f"{(sensor or 'temperature')[:60]} rose from {seen[0]:.0f} to {max(seen):.0f} C"
    return ""


def _changed(values: Sequence[bool | None]) -> bool:
    known = [value for value in values if value is not None]
    return any(one != other for one, other in pairwise(known))
