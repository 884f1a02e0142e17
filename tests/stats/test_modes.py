from __future__ import annotations

import math

import numpy as np
import pytest

from bench.stats.modes import two_speeds


def test_two_speeds_are_found_and_measured() -> None:
    fast, slow = [10.0, 10.1, 9.9, 10.05, 9.95, 10.0, 10.1], [13.0, 13.1, 12.9]
    found = two_speeds([*fast[:4], *slow[:2], *fast[4:], *slow[2:]])
    assert found is not None
    assert found.ratio == pytest.approx(1.3) and found.slow_share == pytest.approx(0.3)


def test_speeds_are_found_whichever_is_the_rarer() -> None:
    found = two_speeds([13.0, 10.0, 13.1, 12.9, 13.0, 10.1, 13.05, 12.95, 13.0, 13.1])
    assert found is not None and found.slow_share == pytest.approx(0.8)


@pytest.mark.parametrize("count", [6, 10, 30, 200])
@pytest.mark.parametrize("spread", [0.01, 0.13])
def test_log_normal_values_have_one_speed(count: int, spread: float) -> None:
    rows = np.random.default_rng(20261125).lognormal(0, spread, (1500, count))
    assert np.mean([two_speeds(row) is not None for row in rows]) <= 0.012


def test_a_second_speed_is_found_in_most_series_of_thirty() -> None:
    rng = np.random.default_rng(20261126)
    rows = np.exp(rng.normal(0, 0.02, (300, 30)) + 0.1 * (rng.random((300, 30)) < 0.5))
    assert np.mean([two_speeds(row) is not None for row in rows]) > 0.85


def test_a_step_within_a_trial_is_no_second_speed() -> None:
    rng = np.random.default_rng(1)
    assert two_speeds(np.exp(rng.normal(0, 0.01, 40) + 0.2 * (np.arange(40) >= 20))) is None


def test_evenly_spread_values_are_not_of_two_speeds() -> None:
    values = np.random.default_rng(3).permutation(np.linspace(10, 11, 400))
    assert two_speeds(values) is None


def test_one_outlier_is_no_speed() -> None:
    assert two_speeds([10, 10.1, 9.9, 10, 10.05, 9.95, 10, 10.1, 10, 20]) is None


def test_few_or_equal_values_show_no_speeds() -> None:
    assert two_speeds([1, 1, 2, 2, 1]) is None
    assert two_speeds([5.0] * 20) is None


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_logarithm_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="above 0 and finite"):
        two_speeds([1, 2, 3, 4, 5, value])
