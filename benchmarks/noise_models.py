"""Noise as it is met when networks are timed: simulated trials of cells of which the truth is known.

A sample's logarithm is the sum of: its run's shift, its process's shift (normal; or one of two speeds; or a burst), a
drift over the run, a wandering of the whole device from trial to trial, and noise within the process that is
autocorrelated (AR(1)). So samples are log-normal within a process, and processes differ from one another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CENTRE_MS = 10.0
SAMPLES = 30
"""Samples of a trial: the default `min_samples`."""


@dataclass(frozen=True)
class Noise:
    """How a cell's samples differ by chance, in logarithms (0.03: about 3 %).

    `trial_sds`: standard deviation between processes; a cell has one of them. `slow_share` of the processes take
    `slow_ratio` times as long; `burst_share` of them meet other work and take longer by an exponential with a mean of
    `burst`. `drift` is how much longer the run's last trial takes than its first. `wander_sd` is a state of the device
    that all cells share, with a correlation of `wander_rho` from one trial to the next.
    `sample_sd` and `rho` are of the samples within a process.
    """

    name: str
    trial_sds: tuple[float, ...]
    sample_sd: float = 0.03
    rho: float = 0.8
    slow_share: float = 0.0
    slow_ratio: float = 1.25
    burst_share: float = 0.0
    burst: float = 0.3
    drift: float = 0.0
    wander_sd: float = 0.0
    wander_rho: float = 0.9


MODELS = (
    Noise("0.5 %", (0.005,), 0.01),
    Noise("3 %", (0.03,)),
    Noise("8 %", (0.08,)),
    Noise("13 %", (0.13,)),
    Noise("drift of 10 %", (0.02,), drift=0.1),
    Noise("wandering 5 %", (0.02,), wander_sd=0.05),
    Noise("two-speed, 30 % slow", (0.02,), slow_share=0.3),
    Noise("two-speed, half slow", (0.02,), slow_share=0.5),
    Noise("bursts", (0.02,), burst_share=0.05),
    Noise("mixture", (0.005, 0.02, 0.05, 0.13), slow_share=0.1, burst_share=0.05, drift=0.03),
)


def draw(noise: Noise, rng: np.random.Generator, comparisons: int, cells: int, trials: int, *, same_run: bool = True,
         run_sd: float = 0.0, device_sd: float = 0.0, samples: int = SAMPLES) -> Array:
    """Samples in ms of two equal sides, of shape (comparisons, cells, 2, trials, samples).

    `same_run`: the sides' trials were taken in turn, side 0 first; otherwise one side after the other, with the drift
    in both. Two runs differ by `run_sd` in every cell, and by `device_sd` in all cells together.
    """
    shape = (comparisons, cells, 2, trials)
    sds = rng.choice(noise.trial_sds, (comparisons, cells, 1, 1))
    logs = rng.standard_normal(shape) * sds
    logs += math.log(noise.slow_ratio) * (rng.random(shape) < noise.slow_share)
    logs += rng.exponential(noise.burst, shape) * (rng.random(shape) < noise.burst_share)
    turn = (np.arange(trials * 2).reshape(trials, 2).T + 0.5) / (trials * 2)
    logs += noise.drift * (turn if same_run else (np.arange(trials) + 0.5) / trials)
    logs += noise.wander_sd * _wander(noise, rng, comparisons, trials, same_run)
    if not same_run:
        logs += run_sd * rng.standard_normal((comparisons, cells, 2, 1))
        logs += device_sd * rng.standard_normal((comparisons, 1, 2, 1))
    within = noise.sample_sd * autoregressive(rng, (*shape, samples), noise.rho)
    return np.asarray(CENTRE_MS * np.exp(logs[..., None] + within), dtype=np.float64)


def medians(noise: Noise, rng: np.random.Generator, comparisons: int, cells: int, trials: int, *,
            same_run: bool = True, run_sd: float = 0.0, device_sd: float = 0.0) -> Array:
    """Trial medians of `draw`, in ms: shape (comparisons, cells, 2, trials)."""
    return np.asarray(np.median(draw(noise, rng, comparisons, cells, trials, same_run=same_run, run_sd=run_sd,
                                     device_sd=device_sd), axis=-1), dtype=np.float64)


def centre_of(noise: Noise, rng: np.random.Generator, runs: int = 400) -> float:
    """The true p50 in ms: the median over the trials of so many long runs, of 100 trials each."""
    return float(np.median(medians(noise, rng, runs, 1, 100, same_run=False)))


def autoregressive(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> Array:
    """Standard normal series along the last axis, each value correlated by `rho` with the one before (AR(1))."""
    values = rng.standard_normal(shape)
    fresh = math.sqrt(1 - rho * rho)
    for index in range(1, shape[-1]):
        values[..., index] = rho * values[..., index - 1] + fresh * values[..., index]
    return np.asarray(values, dtype=np.float64)


def _wander(noise: Noise, rng: np.random.Generator, comparisons: int, trials: int, same_run: bool) -> Array:
    """The device's state at each trial, in standard deviations: shape (comparisons, 1, 2, trials)."""
    if not noise.wander_sd:
        return np.zeros((1, 1, 1, 1))
    if same_run:
        states = autoregressive(rng, (comparisons, trials * 2), noise.wander_rho)
        return states.reshape(comparisons, 1, trials, 2).swapaxes(2, 3)
    return autoregressive(rng, (comparisons, 1, 2, trials), noise.wander_rho)
