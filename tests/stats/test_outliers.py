from __future__ import annotations

import math

import numpy as np
import pytest

from bench.stats.outliers import Outliers, outliers


def test_values_far_off_are_counted_on_their_side() -> None:
    values = [10.0, 10.1, 9.9, 10.2, 9.8, 10.1, 9.9, 10.0, 30.0, 1.0]
    assert outliers(values) == Outliers(above=1, below=1, share=0.2)


def test_the_limit_is_hyperfines() -> None:
    # Median 10, median absolute deviation 1: the limit is 14.826 away from the median.
    near, far = [9.0, 11.0, 9.0, 11.0, 10.0, 24.8], [9.0, 11.0, 9.0, 11.0, 10.0, 24.9]
    assert outliers([*near, 10.0]).above == 0
    assert outliers([*far, 10.0]).above == 1


def test_equal_readings_of_a_coarse_clock_make_no_outlier_of_the_next_tick() -> None:
    assert outliers([1000.0] * 9 + [1001.0]).share == 0
    assert outliers([1000.0] * 9 + [1100.0]).share == 0.1


def test_log_normal_samples_have_none() -> None:
    rows = np.random.default_rng(2).lognormal(0, 0.03, (500, 100))
    assert all(outliers(row).share == 0 for row in rows)


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_nothing_and_no_number_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value, all of them finite"):
        outliers(values)
