from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.trend import correlation, trend

SERIES = st.lists(st.integers(1, 30).map(float), min_size=5, max_size=20)


@given(SERIES)
def test_slope_and_tau_are_those_of_the_oracle(values: list[float]) -> None:
    found, places = trend(values), np.arange(len(values))
    assert found is not None
    slope = float(oracle.theilslopes(values, places).slope) / float(np.median(values))
    assert found.slope == pytest.approx(slope, abs=1e-12)
    assert found.change == pytest.approx(slope * (len(values) - 1), abs=1e-12)
    if len(set(values)) == len(values):
        assert found.tau == pytest.approx(float(oracle.kendalltau(places, values).statistic), abs=1e-12)


def test_a_steady_rise_is_a_trend_and_noise_is_none() -> None:
    rising = trend([100, 101, 102, 103, 104, 105, 106, 107])
    # Kendall's score of 8 in perfect order is 28, its variance 8 * 7 * 21 / 18.
    assert rising is not None and rising.p == pytest.approx(2 * oracle.norm.sf(27 / (196 / 3) ** 0.5))
    assert rising.tau == 1 and rising.slope == pytest.approx(1 / 103.5)
    still = trend([100, 103, 99, 104, 98, 102, 101, 100.5])
    assert still is not None and still.p > 0.5


def test_equal_values_have_no_trend() -> None:
    still = trend([7.0] * 6)
    assert still is not None and (still.slope, still.p) == (0, 1)


@given(SERIES)
def test_a_reversed_series_has_the_reversed_trend(values: list[float]) -> None:
    there, back = trend(values), trend(values[::-1])
    assert there is not None and back is not None
    assert there.tau == -back.tau and there.p == back.p and there.slope == pytest.approx(-back.slope)


def test_an_order_without_trend_is_called_one_as_rarely_as_p_says() -> None:
    rng = np.random.default_rng(8)
    found = [trend(row) for row in rng.lognormal(0, 0.03, (2000, 10))]
    assert np.mean([one.p <= 0.01 for one in found if one]) <= 0.012


@given(SERIES, st.randoms(use_true_random=False))
def test_the_correlation_is_spearmans(values: list[float], random: object) -> None:
    readings = sorted(values, key=lambda _: random.random())  # type: ignore[attr-defined]
    found = correlation(values, readings)
    if found is None:
        assert len(set(values)) == 1
        return
    expected = oracle.spearmanr(values, readings)
    assert found.rho == pytest.approx(float(expected.statistic), abs=1e-12)
    assert found.p >= float(expected.pvalue) * (1 - 1e-6)


def test_five_values_in_perfect_order_are_not_beyond_chance() -> None:
    found = correlation([1, 2, 3, 4, 5], [30, 31, 33, 37, 40])
    assert found is not None and found.rho == pytest.approx(1)
    assert found.p == pytest.approx(2 / math.factorial(5))


def test_too_few_values_or_constant_readings_tell_nothing() -> None:
    assert trend([1, 2, 3, 4]) is None
    assert correlation([1, 2, 3, 4], [1, 2, 3, 4]) is None
    assert correlation([1, 2, 3, 4, 5], [40.0] * 5) is None


def test_what_cannot_be_ordered_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        trend([1, 2, math.nan, 4, 5])
    with pytest.raises(ValueError, match="5 values cannot be held against 6 readings"):
        correlation([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6])
