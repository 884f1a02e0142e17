from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.planning import MOST_TRIALS, further_trials, log_for, power, trials_for
from bench.stats.ratio import compare_medians

BOUND, EFFECT = math.log(1.03), math.log(1.05)


@pytest.mark.parametrize(("sd", "trials", "run_sd"), [(0.01, 4, 0), (0.02, 6, 0), (0.03, 12, 0), (0.02, 10, 0.008)])
def test_power_is_what_a_simulation_finds(sd: float, trials: int, run_sd: float) -> None:
    rng = np.random.default_rng(20261124)
    logs = rng.normal(0, sd, (2500, 2, trials)) + rng.normal(0, run_sd or 1e-12, (2500, 2, 1))
    found = [compare_medians(list(np.exp(a)), list(np.exp(b + EFFECT)), floor_sd=sd, run_sd=run_sd, in_turn=not run_sd)
             for a, b in logs]
    called = np.mean([one.p <= 0.01 and one.log > BOUND for one in found])
    assert called == pytest.approx(power(trials, EFFECT, sd=sd, bound=BOUND, threshold=0.01, run_sd=run_sd), abs=0.06)


def test_the_fewest_trials_are_just_enough() -> None:
    for sd in (0.005, 0.02, 0.03, 0.08):
        trials = trials_for(EFFECT, sd=sd, bound=BOUND, threshold=0.01, power_wanted=0.9)
        assert trials is not None
        assert power(trials, EFFECT, sd=sd, bound=BOUND, threshold=0.01) >= 0.9
        assert trials == 2 or power(trials - 1, EFFECT, sd=sd, bound=BOUND, threshold=0.01) < 0.9


def test_what_no_number_of_trials_finds_has_none() -> None:
    assert trials_for(BOUND, sd=0.01, bound=BOUND, threshold=0.01, power_wanted=0.9) is None
    assert trials_for(EFFECT, sd=0.01, bound=BOUND, threshold=0.01, power_wanted=0.9, run_sd=0.02) is None
    assert trials_for(EFFECT, sd=2.0, bound=BOUND, threshold=0.01, power_wanted=0.9) is None


def test_no_noise_needs_two_trials() -> None:
    assert trials_for(EFFECT, sd=0.0, bound=BOUND, threshold=0.01, power_wanted=0.9) == 2
    assert power(2, 0.5 * BOUND, sd=0.0, bound=BOUND, threshold=0.01) == 0


def test_the_smallest_difference_is_the_one_that_so_many_trials_find() -> None:
    smallest = log_for(8, sd=0.02, bound=BOUND, threshold=0.01, power_wanted=0.9)
    assert power(8, smallest, sd=0.02, bound=BOUND, threshold=0.01) == pytest.approx(0.9, abs=1e-6)


def test_further_trials_settle_what_they_promise() -> None:
    before, after = (10.0, 10.4, 9.7, 10.2, 9.8), (10.6, 11.0, 10.2, 10.9, 10.5)
    found = compare_medians(before, after)
    more = further_trials(found, bound=BOUND, threshold=1e-4)
    assert more is not None and more > 1
    error, df = found.strict.with_more(more).error()
    assert 2 * (1 - _t_cdf(found.log / error, df)) <= 1e-4
    error, df = found.strict.with_more(more - 1).error()
    assert 2 * (1 - _t_cdf(found.log / error, math.floor(df))) > 1e-4


def test_an_estimate_at_the_bound_or_runs_too_far_apart_are_settled_by_nothing() -> None:
    before, after = (10.0, 10.2, 9.8), (10.3, 10.506, 10.094)
    assert further_trials(compare_medians(before, after), bound=math.log(1.03) + 1e-9, threshold=0.01) is None
    apart = compare_medians(before, (10.6, 10.8, 10.4), run_sd=0.05)
    assert further_trials(apart, bound=BOUND, threshold=0.01) is None
    assert MOST_TRIALS >= 1000


def _t_cdf(t: float, df: float) -> float:
    return float(oracle.t.cdf(t, df))
