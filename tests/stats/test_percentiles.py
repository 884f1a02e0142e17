from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import stats


def test_a_percentile_is_interpolated_linearly() -> None:
    assert stats.percentile([10, 20, 30, 40], 50) == 25
    assert stats.percentile([10, 20, 30, 40], 90) == pytest.approx(37)
    assert stats.percentile([7], 99) == 7


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_a_percentile_of_nothing_or_of_no_number_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value, all of them finite"):
        stats.percentile(values, 50)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50), st.floats(0, 100), st.floats(0, 100))
def test_percentiles_grow_with_q_and_stay_within_the_values(values: list[float], a: float, b: float) -> None:
    low, high = stats.percentile(values, min(a, b)), stats.percentile(values, max(a, b))
    slack = 1e-9 * max(values)
    assert min(values) - slack <= low <= high + slack <= max(values) + 2 * slack


@pytest.mark.parametrize(("q", "expected"), [(90, 64), (99, 662)])
def test_the_minimum_counts_follow_from_the_binomial_bound(q: int, expected: int) -> None:
    def at_most_one_above(count: int) -> float:
        above = 1 - q / 100
        return sum(math.comb(count, k) * above**k * (1 - above) ** (count - k) for k in (0, 1))

    assert at_most_one_above(expected) <= 0.01 < at_most_one_above(expected - 1)
    assert stats.minimum_count(q) == expected
    assert stats.percentile_or_none(range(expected - 1), q) is None
    assert stats.percentile_or_none(range(expected), q) == pytest.approx(q / 100 * (expected - 1))


def test_a_minimum_count_exists_for_upper_percentiles_only() -> None:
    with pytest.raises(ValueError, match="above 50"):
        stats.minimum_count(50)
