from __future__ import annotations

import math
import time
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench import stats

Trials = list[NDArray[np.float64]]


def _cell(rng: np.random.Generator, trials: int, shift: float, count: int = 40) -> Trials:
    """Trials around 1 ms: log-normal shifts between processes, autocorrelated 3 % noise within."""
    noise = rng.normal(size=(trials, count))
    for i in range(1, count):
        noise[:, i] = 0.6 * noise[:, i - 1] + 0.8 * noise[:, i]
    return list(1e6 * np.exp(rng.normal(0, shift, (trials, 1)) + 0.03 * noise))


def _covered(trials: int, shift: float, cells: int) -> float:
    rng = np.random.default_rng(20261121)
    hits = 0
    for _ in range(cells):
        centre = stats.cell_centre(_cell(rng, trials, shift))
        assert centre.low is not None and centre.high is not None
        hits += centre.low <= 1e6 <= centre.high
    return hits / cells


def test_the_centre_is_the_median_of_trial_medians_not_of_all_samples() -> None:
    centre = stats.cell_centre([[100, 100, 100, 100, 100], [200], [300]])
    assert centre.p50 == 200
    assert centre.between_cv == pytest.approx(0.5)
    assert centre.note == ""


def test_the_variations_are_plain_and_apart() -> None:
    centre = stats.cell_centre([[90, 100, 110], [190, 200, 210]])
    assert centre.within_cv == pytest.approx((0.1 + 0.05) / 2)
    assert centre.between_cv == pytest.approx(np.std([100, 200], ddof=1) / 150)


def test_one_trial_is_said_to_be_one() -> None:
    centre = stats.cell_centre([np.linspace(100, 110, 50)])
    assert centre.note == stats.ONE_TRIAL
    assert centre.between_cv is None
    assert centre.low is not None and centre.high is not None and 100 < centre.low < 105 < centre.high < 110


def test_one_sample_has_no_interval() -> None:
    assert stats.cell_centre([[5.0]]) == stats.Centre(5.0, None, None, None, None, stats.ONE_TRIAL)


def test_constant_samples_have_an_interval_of_no_width() -> None:
    centre = stats.cell_centre([[7.0] * 10] * 5)
    assert (centre.p50, centre.within_cv, centre.between_cv) == (7, 0, 0)
    assert centre.low == pytest.approx(7) and centre.high == pytest.approx(7)


def test_a_clock_that_reads_nothing_does_not_break_the_interval() -> None:
    centre = stats.cell_centre([[0, 0, 0], [0, 1, 0]])
    assert centre.low is not None and math.isfinite(centre.low)


def test_empty_trials_are_left_out_and_a_cell_without_samples_is_refused() -> None:
    assert stats.cell_centre([[], [3.0, 4.0]]).note == stats.ONE_TRIAL
    with pytest.raises(ValueError, match="at least one sample"):
        stats.cell_centre([[], []])
    with pytest.raises(ValueError, match="finite"):
        stats.cell_centre([[1.0, math.nan]])


def test_the_same_samples_give_the_same_interval() -> None:
    trials = _cell(np.random.default_rng(3), 5, 0.05)
    assert stats.cell_centre(trials) == stats.cell_centre(trials)


@given(st.lists(st.lists(st.floats(1, 1e9), min_size=1, max_size=8), min_size=1, max_size=7))
def test_the_interval_holds_the_centre(trials: list[list[float]]) -> None:
    centre = stats.cell_centre(trials)
    if centre.low is not None and centre.high is not None:
        assert 0 < centre.low <= centre.p50 * (1 + 1e-9) and centre.p50 <= centre.high * (1 + 1e-9)


@pytest.mark.parametrize("count", range(6, 40))
def test_the_order_statistics_cover_just_over_95_percent(count: int) -> None:
    def coverage(rank: int) -> float:
        return 1 - 2 * sum(math.comb(count, k) for k in range(rank + 1)) / float(2**count)

    rank = stats.outer_rank(count)
    assert coverage(rank) >= 0.95 > coverage(rank + 1)


def test_a_thousand_trials_use_the_normal_approximation_in_the_same_place() -> None:
    assert abs(stats.outer_rank(1001) - stats.outer_rank(1000)) <= 2


@pytest.mark.parametrize("trials", [2, 3, 5, 7, 10, 20])
def test_the_interval_covers_the_true_centre_as_often_as_it_says(trials: int) -> None:
    assert 0.93 <= _covered(trials, 0.08, 600) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.03, 0.13])
@pytest.mark.parametrize("trials", [2, 4, 6, 15])
def test_coverage_holds_over_the_shifts_seen_between_processes(trials: int, shift: float) -> None:
    assert 0.932 <= _covered(trials, shift, 750) <= 0.968


@pytest.mark.parametrize("count", [5, 7, 10, 20])
def test_processes_of_two_speeds_do_not_break_the_interval(count: int) -> None:
    rng = np.random.default_rng(20261122)
    slow = rng.random((3000, count)) < 0.3
    values = np.exp(rng.normal(0, 0.02, slow.shape) + 0.2 * slow)
    centre = math.exp(0.02 * NormalDist().inv_cdf(0.5 / 0.7))
    intervals = [stats.median_interval(row) for row in values]
    assert np.mean([low <= centre <= high for low, high in intervals]) >= 0.93


def test_interpolated_ranks_lie_between_those_that_hold_more_and_less_than_95_percent() -> None:
    values = np.arange(1.0, 11.0)
    low, high = stats.median_interval(values)
    # Ranks 2 and 9 of 10 enclose the median with 97.85 %, ranks 3 and 8 with 89.06 %: I = 0.3244, 8 I / (2 + 6 I).
    assert low == pytest.approx(2 + 0.6577, abs=1e-4) and high == pytest.approx(11 - low)


def test_a_cell_of_five_thousand_samples_takes_milliseconds() -> None:
    trials = _cell(np.random.default_rng(1), 5, 0.05, 1000)
    stats.cell_centre(trials)
    started = time.process_time()
    for _ in range(5):
        stats.cell_centre(trials)
    assert (time.process_time() - started) / 5 < 0.01
