"""Which cells get further trials, and when a cell has had enough: no device is needed to tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench import stats
from bench.run.schedule import CLEARLY, LEAST_TRIALS, Goal, Progress, half_width, narrow_enough, next_round

GOAL = Goal(until=0.02, most=12)


def _seen(sd: float, trials: int = 5, seconds: float = 1.0) -> Progress:
    """Trials whose medians lie evenly spread about 1 ms."""
    spread = np.linspace(-1, 1, trials) * sd
    return Progress(tuple((1e6 * np.exp(spread)).tolist()), seconds, trials)


QUIET, NOISY, LOUD = _seen(0.001), _seen(0.02), _seen(0.10)


def test_the_width_is_half_of_the_interval_as_a_share_of_p50() -> None:
    assert half_width(QUIET.medians) < 0.005 < half_width(NOISY.medians) < half_width(LOUD.medians)
    assert half_width([1e6] * 5) < 1e-9
    doubled = [2 * median for median in NOISY.medians]
    assert half_width(doubled) == pytest.approx(half_width(NOISY.medians), rel=1e-6)


def test_the_width_is_that_of_the_interval_in_reports() -> None:
    medians = [1.0e6, 1.1e6, 0.9e6, 1.05e6, 1.2e6, 1.0e6]
    centre = stats.cell_centre([[median, median, median] for median in medians])
    assert centre.low is not None and centre.high is not None
    assert half_width(medians) == pytest.approx((centre.high - centre.low) / 2 / centre.p50)


@pytest.mark.parametrize("medians", [(), (1e6,)])
def test_without_two_trials_a_width_is_not_known(medians: tuple[float, ...]) -> None:
    assert half_width(medians) == math.inf
    assert not narrow_enough(medians, 0.5)


def test_an_interval_must_still_be_narrow_enough_four_trials_later() -> None:
    medians = (0.98e6, 1.02e6, 0.99e6, 1.01e6, 1e6)
    until = 1.01 * half_width(medians)
    assert not narrow_enough(medians, until) and not narrow_enough((*medians, 1e6, 1e6, 1e6), until)
    assert narrow_enough((*medians, 1e6, 1e6, 1e6, 1e6), until)
    apart = (*medians, 0.9e6, 1.1e6, 0.9e6, 1.1e6)
    assert half_width(apart) > until and not narrow_enough(apart, until), "it was so, and is no more"


def test_an_interval_much_narrower_than_wanted_is_so_at_once() -> None:
    medians = (0.98e6, 1.02e6, 0.99e6, 1.01e6, 1e6)
    assert narrow_enough(medians, half_width(medians) / CLEARLY * 1.01)
    assert not narrow_enough(medians, half_width(medians) / CLEARLY * 0.99)


def test_fewer_trials_than_five_never_count_as_narrow_however_equal_they_are() -> None:
    assert not narrow_enough((1e6,) * (LEAST_TRIALS - 1), 0.01)
    assert narrow_enough((1e6,) * LEAST_TRIALS, 0.01)


def test_narrow_cells_are_closed_and_the_widest_are_measured_on() -> None:
    found = next_round({"quiet": QUIET, "noisy": NOISY, "loud": LOUD}, GOAL, None)
    assert found.cells == ("loud",), "noisy is not half as wide as loud"
    assert list(found.closed) == ["quiet"]
    assert found.closed["quiet"].startswith("narrow enough after 5 trials: p50 within 0.")


def test_cells_that_are_about_as_wide_share_a_round_in_their_own_order() -> None:
    cells = {"b": _seen(0.06), "quiet": _seen(0.03), "a": LOUD}
    assert next_round(cells, GOAL, None).cells == ("b", "a")


def test_a_cell_with_the_most_trials_is_closed_however_wide_it_is() -> None:
    found = next_round({"loud": _seen(0.1, trials=12)}, GOAL, None)
    assert found.cells == ()
    assert found.closed["loud"].startswith("not narrow enough after 12 trials, the most there may be: p50 within ")


def test_time_that_holds_no_further_trial_of_a_cell_closes_it_and_not_the_quicker_one() -> None:
    cells = {"slow": _seen(0.1, seconds=30.0), "quick": _seen(0.1, seconds=2.0)}
    found = next_round(cells, GOAL, 10.0)
    assert found.cells == ("quick",)
    assert "the time is used up" in found.closed["slow"]


def test_a_round_that_the_time_does_not_hold_is_cut_and_its_widest_cells_remain() -> None:
    cells = {"wide": _seen(0.08, seconds=6.0), "widest": _seen(0.1, seconds=6.0)}
    found = next_round(cells, GOAL, 10.0)
    assert found.cells == ("widest",) and found.closed == {}, "the other may fit when this one took less"


@pytest.mark.parametrize("left_s", [0.0, -5.0])
def test_no_time_closes_every_cell(left_s: float) -> None:
    found = next_round({"a": LOUD, "b": NOISY}, GOAL, left_s)
    assert found.cells == () and set(found.closed) == {"a", "b"} and found.expected == 0


def test_what_is_to_come_is_estimated_from_the_widths_and_bounded_by_the_limits() -> None:
    assert next_round({"quiet": QUIET}, GOAL, None).expected == 0
    assert next_round({"loud": LOUD}, GOAL, None).expected == 7, "at most 12 trials"
    assert next_round({"a": LOUD, "b": LOUD}, GOAL, 4.0).expected == 4, "a second each"
    noisy = next_round({"noisy": NOISY}, Goal(0.02, 1000), None)
    assert noisy.expected == math.ceil(5 * (half_width(NOISY.medians) / 0.02) ** 2) - 5


def test_a_trial_more_moves_the_mean_time_and_the_highest_number() -> None:
    seen = Progress().with_trial(1e6, 2.0, 1).with_trial(2e6, 4.0, 7)
    assert seen == Progress((1e6, 2e6), 3.0, 7)


def test_cells_end_after_no_more_trials_than_there_may_be() -> None:
    rng = np.random.default_rng(3)
    seen = {name: Progress() for name in ("steady", "restless")}
    sds = {"steady": 0.002, "restless": 0.2}
    closed: dict[str, str] = {}
    for _ in range(3):
        seen = {name: _measured(progress, sds[name], rng) for name, progress in seen.items()}
    while going := {name: progress for name, progress in seen.items() if name not in closed}:
        found = next_round(going, GOAL, None)
        closed |= found.closed
        seen |= {name: _measured(seen[name], sds[name], rng) for name in found.cells}
    assert {name: len(progress.medians) for name, progress in seen.items()} == {"steady": 5, "restless": 12}


def _measured(seen: Progress, sd: float, rng: np.random.Generator) -> Progress:
    return seen.with_trial(float(1e6 * np.exp(rng.normal() * sd)), 1.0, seen.highest + 1)
