from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.multiple import benjamini_hochberg, next_threshold

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(PROBABILITIES)
def test_the_adjustment_is_that_of_the_oracle(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(oracle.false_discovery_control(p), rel=1e-12)


def test_a_lone_p_stays_as_it_is_and_none_are_none() -> None:
    assert benjamini_hochberg([0.04]) == (0.04,)
    assert benjamini_hochberg([]) == ()


@given(PROBABILITIES)
def test_the_next_threshold_is_where_one_more_is_called(p: list[float]) -> None:
    level = 0.05
    rest, threshold = sorted(p)[:-1], next_threshold(p, level)
    assert benjamini_hochberg([*rest, threshold * (1 - 1e-9)])[-1] <= level
    assert threshold == level or benjamini_hochberg([*rest, threshold * (1 + 1e-9)])[-1] > level


def test_the_next_threshold_alone_and_among_many() -> None:
    assert next_threshold([0.5], 0.01) == 0.01
    assert next_threshold([0.5] * 48, 0.01) == pytest.approx(0.01 / 48)
    assert next_threshold([0.0] * 9 + [0.5], 0.01) == pytest.approx(0.01)
    assert next_threshold([], 0.01) == 0.01


def test_where_nothing_differs_a_false_call_is_as_rare_as_the_level() -> None:
    rng = np.random.default_rng(5)
    called = [min(benjamini_hochberg(list(rng.random(48)))) <= 0.05 for _ in range(2000)]
    assert 0.03 <= np.mean(called) <= 0.07
