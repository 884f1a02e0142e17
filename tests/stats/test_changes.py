"""Change points: found where a level changed, and hardly anywhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.stats.changes import LEAST_NOISE, find_levels, night_noise

MARGIN = math.log(1.03)
Array = NDArray[np.float64]


def found(values: Array, least: float = MARGIN) -> list[int]:
    return find_levels([values], [night_noise(values)], least)[0]


def nights(rng: np.random.Generator, kind: str, sd: float, shape: tuple[int, int]) -> Array:
    """Stationary logarithms: normal, heavy-tailed (Student's t of 3), or with 7 % of nights slower by 25 % or so."""
    if kind == "heavy":
        return rng.standard_t(3, shape) * sd / 1.134
    odd = (rng.random(shape) < 0.07) * rng.exponential(0.25, shape) if kind == "odd nights" else 0.0
    return rng.normal(0, sd, shape) + odd


@pytest.mark.parametrize("kind", ["normal", "heavy", "odd nights"])
@pytest.mark.parametrize("sd", [0.02, 0.06])
def test_a_stationary_series_has_no_change_in_99_of_100_cases(kind: str, sd: float) -> None:
    series = list(nights(np.random.default_rng(1), kind, sd, (300, 60)))
    levels = find_levels(series, [night_noise(values) for values in series], MARGIN)
    assert sum(map(bool, levels)) <= 6, "1 % of 300, and what chance may add"


@pytest.mark.parametrize(("step", "sd", "within"), [(0.05, 0.01, 3), (0.10, 0.01, 2), (0.10, 0.02, 4)])
def test_a_step_is_found_where_it_is_within_a_few_nights(step: float, sd: float, within: int) -> None:
    rng = np.random.default_rng(2)
    series = list(rng.normal(0, sd, (200, 30 + within)))
    for values in series:
        values[30:] += math.log1p(step)
    levels = find_levels(series, [night_noise(values) for values in series], MARGIN)
    assert sum(any(abs(start - 30) <= 1 for start in starts) for starts in levels) >= 180


def test_one_odd_night_is_no_change_however_odd() -> None:
    values = np.random.default_rng(3).normal(0, 0.01, 40)
    values[20] += math.log(3)
    assert found(values) == []


def test_a_rise_and_a_fall_are_two_changes_where_they_were() -> None:
    values = np.random.default_rng(4).normal(0, 0.01, 40)
    values[15:22] += math.log(1.1)
    assert found(values) == [15, 22]


def test_a_change_below_the_least_is_none() -> None:
    values = np.random.default_rng(5).normal(0, 0.003, 60)
    values[30:] += math.log(1.02)
    assert found(values) == []
    assert found(values, math.log(1.01)) == [30]


def test_series_are_judged_each_by_itself_whatever_their_lengths() -> None:
    rng = np.random.default_rng(6)
    series = [rng.normal(0, 0.01, length) for length in (10, 25, 10, 3, 1)]
    series[1][12:] += math.log(1.2)
    series[2][6:] -= math.log(1.2)
    noise = [night_noise(values) for values in series]
    assert find_levels(series, noise, MARGIN) == [[], [12], [6], [], []]


def test_scaling_a_series_changes_nothing_and_turning_it_over_mirrors_it() -> None:
    values = np.random.default_rng(7).normal(0, 0.02, 50)
    values[20:] += math.log(1.15)
    assert found(values) == found(values + math.log(1000)) == found(-values) == [20]
    assert found(values[::-1].copy()) == [30]


def test_the_noise_is_that_about_the_levels_whatever_the_steps() -> None:
    values = np.random.default_rng(8).normal(0, 0.02, 2000)
    values[500:900] += 1
    assert night_noise(values) == pytest.approx(0.02, rel=0.1)


def test_the_noise_is_never_less_than_a_points_own_error_or_the_least() -> None:
    assert night_noise(np.zeros(20)) == night_noise(np.zeros(1)) == LEAST_NOISE
    assert night_noise(np.zeros(5), np.array([0.04, 0.05, math.nan, 0.06, math.nan])) == pytest.approx(0.05)
    assert night_noise(np.zeros(2), np.array([math.nan, math.nan])) == LEAST_NOISE
