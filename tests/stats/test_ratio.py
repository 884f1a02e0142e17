from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.ratio import LEAST_TURNS, compare_medians, log_ratio

VALUES = st.lists(st.floats(1, 1e4), min_size=2, max_size=12)
TURNS = st.lists(st.tuples(st.floats(1, 1e4), st.floats(1, 1e4)), min_size=LEAST_TURNS, max_size=20)


@given(VALUES, VALUES)
def test_without_a_floor_it_is_welchs_test_of_logarithms(before: list[float], after: list[float]) -> None:
    found = compare_medians(before, after)
    assume(not found.drawn and np.ptp(np.log(before)) + np.ptp(np.log(after)) > 1e-6)
    test = oracle.ttest_ind(np.log(after), np.log(before), equal_var=False)
    assert found.p == pytest.approx(test.pvalue, rel=1e-6, abs=1e-12)
    interval = test.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)


@given(TURNS, st.sampled_from([0.0, 0.5]))
def test_eight_turns_or_more_are_students_test_of_their_differences(turns: list[tuple[float, float]],
                                                                   floor_sd: float) -> None:
    before, after = zip(*turns, strict=True)
    found = compare_medians(before, after, floor_sd=floor_sd, in_turn=True)
    assume(not found.drawn and np.ptp(np.log(after) - np.log(before)) > 1e-6)
    test = oracle.ttest_rel(np.log(after), np.log(before))
    assert found.p == pytest.approx(test.pvalue, rel=1e-6, abs=1e-12)
    interval = test.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)


def test_fewer_turns_and_unequal_counts_are_two_sides() -> None:
    before, after = (10.0, 10.3, 9.8, 10.1, 9.9, 10.2, 10.0, 9.7), (10.2, 10.4, 10.1, 10.3, 9.9, 10.5, 10.1, 9.9)
    for one, other in ((before[:7], after[:7]), (before, after[:7])):
        assert compare_medians(one, other, in_turn=True) == compare_medians(one, other)
    assert compare_medians(before, after, in_turn=True).p < compare_medians(before, after).p


def test_a_turn_with_a_trial_drawn_in_is_not_counted() -> None:
    before = [10.0, 10.1, 9.9, 10.05, 9.95, 10.0, 10.1, 9.9, 30.0, 10.0]
    for place, turns in ((8, 9), (2, 8)):
        after = [10.05, 10.0, 9.9, 10.1, 9.95, 10.1, 10.0, 9.9, 10.0, 10.05]
        after[place] = 40.0
        found = compare_medians(before, after, in_turn=True)
        assert (found.drawn, found.strict.counts) == (2, (turns, turns))
        assert found.strict.error()[1] == turns - 1


@pytest.mark.parametrize("trials", [8, 20])
def test_a_wandering_device_meets_both_trials_of_a_turn(trials: int) -> None:
    rng = np.random.default_rng(20261122)
    device = np.cumsum(rng.normal(0, 0.03, (1500, 1, trials)), axis=2)
    pairs = np.exp(device + rng.normal(0, 0.02, (1500, 2, trials)))
    paired, apart = ([compare_medians(list(a), list(b), in_turn=turns) for a, b in pairs] for turns in (True, False))
    covered = [np.mean([one.low <= 0 <= one.high for one in found]) for found in (paired, apart)]
    assert 0.93 <= covered[0] <= 0.97 and covered[1] > 0.985
    assert np.mean([one.p <= 0.01 for one in paired]) <= 0.018
    assert np.median([one.high for one in paired]) < 0.7 * np.median([one.high for one in apart])


def test_a_trial_drawn_in_costs_a_degree_of_freedom() -> None:
    before, after = (10.0, 10.1, 9.9, 10.05, 9.95), (10.0, 10.1, 30.0, 10.05, 9.95)
    found = compare_medians(before, after)
    assert found.drawn == 1 and found.strict.counts == (5, 4)
    drawn = np.log([10.0, 10.1, 10.0, 10.05, 9.95])
    distances = [math.log(10.1 / 10.0), math.log(10.1 / 10.05)]  # of the odd side the median is 10.05
    drawn[2] = math.log(10.05) + 4 * sorted([*np.abs(np.log(np.array(before) / 10.0)),
                                             *np.abs(np.log(np.array(after) / 10.05))])[7] / oracle.norm.ppf(0.9)
    assert max(distances) < 4 * 0.01 / oracle.norm.ppf(0.9)
    assert found.log == pytest.approx(drawn.mean() - np.log(before).mean())
    assert found.strict.after == pytest.approx(np.var(drawn) * 5 / 3)


def test_a_stall_does_not_carry_the_ratio_away() -> None:
    rng = np.random.default_rng(20261121)
    logs = rng.normal(0, 0.02, (600, 2, 10)) + 0.5 * (rng.random((600, 2, 10)) < 0.1)
    found = [compare_medians(list(a), list(b)) for a, b in np.exp(logs)]
    assert np.std([one.log for one in found]) < 0.05 < np.std(logs[:, 1].mean(axis=1) - logs[:, 0].mean(axis=1))
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.94
    assert np.mean([one.p <= 0.005 for one in found]) <= 0.01


def test_trials_that_agree_by_luck_are_held_to_the_noise_floor() -> None:
    before, after = (10.0, 10.001, 10.0), (10.5, 10.501, 10.5)
    assert compare_medians(before, after).p < 1e-6
    held = compare_medians(before, after, floor_sd=0.03)
    assert held.p == pytest.approx(2 * oracle.t.sf(math.log(1.05) / (0.03 * math.sqrt(2 / 3)), 4), rel=1e-3)
    assert 0.05 < held.high - held.low < 0.06  # of a deviation of 1.2 %: what the floor shows once in 20


def test_trials_noisier_than_the_floor_keep_their_own_variance() -> None:
    before, after = (10.0, 11.0, 12.0, 13.0), (11.0, 12.0, 13.0, 15.0)
    assert compare_medians(before, after, floor_sd=0.03) == compare_medians(before, after)


def test_what_runs_differ_by_adds_to_the_error_and_its_uncertainty() -> None:
    before, after = (10.0, 10.1, 10.2), (10.5, 10.6, 10.7)
    plain, known, barely = (compare_medians(before, after, run_sd=sd, run_df=df)
                            for sd, df in ((0.0, math.inf), (0.02, math.inf), (0.02, 3)))
    assert plain.spread.error()[0] ** 2 + 2 * 0.02**2 == pytest.approx(known.spread.error()[0] ** 2)
    assert plain.p < known.p < barely.p


def test_constant_sides_are_equal_or_certainly_not() -> None:
    assert compare_medians([5, 5], [5, 5]).p == 1
    changed = compare_medians([5, 5], [6, 6])
    assert changed.p == 0 and changed.low == changed.high == pytest.approx(math.log(1.2))


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [-1.0, 2.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_what_has_no_logarithm_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="above 0 and finite"):
        log_ratio([1.0, 2.0], values)


def test_one_value_has_a_ratio_and_no_error() -> None:
    assert log_ratio([2.0], [3.0]) == pytest.approx(math.log(1.5))
    with pytest.raises(ValueError, match="two values on each side"):
        compare_medians([2.0], [3.0, 4.0])


@pytest.mark.parametrize("trials", [2, 3, 5, 10])
def test_the_interval_covers_with_a_known_floor(trials: int) -> None:
    rng = np.random.default_rng(20261123)
    pairs = np.exp(rng.normal(0, 0.03, (2000, 2, trials)))
    found = [compare_medians(list(a), list(b), floor_sd=0.03) for a, b in pairs]
    assert 0.94 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.982
