"""Time by input: equal inputs seldom seem unlike, whatever the noise is, and unlike ones are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.stats.by_input import BY_CHANCE, unlike_medians

Times = Any


def steady(random: np.random.Generator, count: int, sd: float = 0.03) -> Times:
    return 1e6 * np.exp(random.normal(0, sd, count))


def drifting(random: np.random.Generator, count: int) -> Times:
    return steady(random, count) * np.linspace(1, 1.5, count)


def of_two_speeds(random: np.random.Generator, count: int) -> Times:
    """Each lasts for some 5 inferences."""
    return steady(random, count) * (1 + 0.4 * (np.cumsum(random.random(count) < 0.2) % 2))


def in_bursts(random: np.random.Generator, count: int) -> Times:
    return steady(random, count, 0.1) * np.where(random.random(count) < 0.1, 10, 1)


def wandering(random: np.random.Generator, count: int) -> Times:
    return 1e6 * np.exp(0.1 * np.cumsum(random.normal(0, 1, count)))


def very_noisy(random: np.random.Generator, count: int) -> Times:
    return steady(random, count, 0.3)


NOISES = (steady, very_noisy, drifting, of_two_speeds, in_bursts, wandering)


def table(random: np.random.Generator, noise: Any, rounds: int, inputs: int) -> Times:
    """As a device would take them: noise in the order of time, inputs in a random order in each round."""
    times = noise(random, rounds * inputs).reshape(rounds, inputs)
    return np.take_along_axis(times, np.argsort(random.random((rounds, inputs)), axis=1), axis=1)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_equal_inputs_seem_unlike_in_less_than_one_of_a_hundred_cells(noise: Any) -> None:
    random = np.random.default_rng(1)
    found = [unlike_medians(table(random, noise, rounds, inputs)) is not None
             for rounds, inputs in ((6, 4), (15, 4), (15, 8)) for _ in range(100)]
    assert sum(found) <= 0.01 * len(found)


@pytest.mark.parametrize(("factor", "rounds"), [(1.12, 15), (1.3, 6), (100.0, 6), (100.0, 100)])
@pytest.mark.parametrize("slow", [0, 3])
def test_one_slow_input_of_four_is_found_with_its_median(factor: float, rounds: int, slow: int) -> None:
    random = np.random.default_rng(2)
    for _ in range(5):
        times = table(random, steady, rounds, 4)
        times[:, slow] *= factor
        medians = unlike_medians(times)
        assert medians is not None and int(np.argmax(medians)) == slow
        assert medians == tuple(np.median(times, axis=0))


def test_bursts_do_not_hide_an_input_that_is_twice_as_slow() -> None:
    random = np.random.default_rng(3)
    times = table(random, in_bursts, 60, 4)
    times[:, 1] *= 2
    assert unlike_medians(times) is not None


@pytest.mark.parametrize(("rounds", "inputs", "known"), [(3, 4, False), (6, 4, True), (8, 2, False), (11, 2, True)])
def test_few_rounds_tell_nothing_however_far_apart_the_times_are(rounds: int, inputs: int, known: bool) -> None:
    times = table(np.random.default_rng(4), steady, rounds, inputs)
    times[:, 0] *= 1000
    assert (unlike_medians(times) is not None) == known
    assert (inputs * inputs**-rounds <= BY_CHANCE) == known, "so seldom is one input the slowest of all rounds"


@pytest.mark.parametrize(("one", "other"), [(1e6, 1.04e6), (2000, 2900), (5.0, 5.0), (0.0, 0.0)])
def test_differences_not_worth_telling_are_not_told(one: float, other: float) -> None:
    assert unlike_medians([[one, other]] * 50) is None


@pytest.mark.parametrize("times", [[[1e6, 2e6]], [[1e6]] * 9])
def test_one_round_or_one_input_tells_nothing(times: list[list[float]]) -> None:
    assert unlike_medians(times) is None


@pytest.mark.parametrize("times", [[1.0, 2.0], [[1.0, np.nan]] * 9])
def test_what_is_no_table_of_times_is_refused(times: Any) -> None:
    with pytest.raises(ValueError, match="finite times by round and input"):
        unlike_medians(times)
