from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.drawing_in import REACH, draw_in
from bench.stats.outliers import RESOLUTION

LOGS = st.lists(st.floats(-3, 3), min_size=1, max_size=12)


def test_a_trial_far_off_is_set_to_where_the_others_end() -> None:
    before, after = (0.0, 0.01, -0.01, 0.02, -0.02), (0.0, 0.01, -0.01, 5.0, -0.02)
    plain, drawn = draw_in(before, after)
    # Eight of ten distances are at most 0.02, within 1.2816 deviations of which 80 % of a normal's values lie.
    limit = REACH * 0.02 / oracle.norm.ppf(0.9)
    assert plain.logs == before and drawn.logs == pytest.approx((0.0, 0.01, -0.01, limit, -0.02))
    assert (plain.drawn, drawn.drawn, drawn.kept) == (0, 1, 4)
    assert drawn.squares == pytest.approx(np.var(drawn.logs) * 5)


def test_two_of_ten_are_drawn_in_and_three_tell_of_two_speeds() -> None:
    calm = (0.0, 0.01, -0.01, 0.02, -0.02)
    assert draw_in(calm, (3.0, 0.01, -0.01, 3.0, -0.02))[1].drawn == 2
    assert draw_in(calm, (3.0, 0.01, 3.0, 3.0, -0.02))[1].drawn == 0


def test_a_trial_among_the_other_sides_is_not_far_off() -> None:
    fast, slow = (0.0, 0.001, -0.001, 0.002, -0.002), (0.3, 0.301, 0.299, 0.302, 0.0)
    assert sum(side.drawn for side in draw_in(fast, slow)) == 0
    assert [side.drawn for side in draw_in(fast, (*slow[:4], 0.6))] == [0, 1]
    assert [side.drawn for side in draw_in((*fast[:4], -0.3), slow)] == [1, 0]


def test_what_a_coarse_clock_made_equal_is_not_all_far_off() -> None:
    near, far = 0.99 * REACH * RESOLUTION, 1.01 * REACH * RESOLUTION
    assert [draw_in((0.0,) * 5, (0.0,) * 4 + (odd,))[1].drawn for odd in (near, far)] == [0, 1]


def test_the_noisier_side_of_fewer_trials_keeps_them() -> None:
    noisy, calm = (0.0, 0.1, -0.2, 0.3), tuple(np.linspace(-0.01, 0.01, 40))
    assert draw_in(noisy, calm)[0].logs == noisy


@given(LOGS, LOGS)
def test_half_of_either_side_and_two_at_least_are_kept(before: list[float], after: list[float]) -> None:
    for side, logs in zip(draw_in(before, after), (before, after), strict=True):
        assert side.kept >= max(min(2, len(logs)), len(logs) / 2)
        assert min(logs) - 1e-12 <= min(side.logs) and max(side.logs) <= max(logs) + 1e-12


def test_a_single_trial_and_none_leave_all_as_it_is() -> None:
    many = (0.0, 0.01, 9.0, 0.02)
    for few in ((), (5.0,)):
        assert [side.logs for side in draw_in(few, many)] == [few, many]


def test_normal_trials_are_hardly_ever_drawn_in() -> None:
    rng = np.random.default_rng(20261122)
    for trials, most in ((5, 0.06), (10, 0.04), (20, 0.025)):
        pairs = rng.normal(0, 0.03, (1500, 2, trials))
        assert np.mean([sum(side.drawn for side in draw_in(*pair.tolist())) > 0 for pair in pairs]) <= most
    assert math.isclose(draw_in((0.0, 2.0), (1.0, 3.0))[0].mean, 1.0)
