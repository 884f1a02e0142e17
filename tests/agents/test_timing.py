"""Warm-up and samples, with an inference whose time is told and not waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.agents import timing

MEASURE: dict[str, Any] = {"min_samples": 30, "min_ns": 0, "warmup_min_runs": 5, "warmup_min_ns": 0,
                           "warmup_max_ns": 10**9}


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[int]], Callable[[], None]]:
    """Makes an `invoke` that moves the clock on by the next of the given durations."""
    now = [0]
    monkeypatch.setattr(timing, "perf_counter_ns", lambda: now[0])

    def make(durations: Iterator[int]) -> Callable[[], None]:
        def invoke() -> None:
            now[0] += next(durations)
        return invoke
    return make


def forever(value: int) -> Iterator[int]:
    while True:
        yield value


def test_warm_up_of_a_steady_inference_ends_when_its_window_is_full(clocked: Any) -> None:
    assert timing.warm_up(clocked(forever(1_000_000)), MEASURE) == (timing.SETTLE_WINDOW, 10_000_000, True)


def test_warm_up_goes_on_while_the_times_still_fall(clocked: Any) -> None:
    def falling() -> Iterator[int]:
        for step in range(40):
            yield 10_000_000 - 200_000 * step
        yield from forever(2_000_000)

    done = timing.warm_up(clocked(falling()), MEASURE)
    assert done.settled
    assert done.runs > 40


def test_warm_up_that_never_settles_ends_at_its_limit_and_says_so(clocked: Any) -> None:
    def jumping() -> Iterator[int]:
        while True:
            yield from [1_000_000] * 5 + [5_000_000] * 5

    done = timing.warm_up(clocked(jumping()), {**MEASURE, "warmup_max_ns": 20_000_000})
    assert done.ns >= 20_000_000


def test_warm_up_of_a_slow_but_steady_inference_counts_as_settled_at_the_limit(clocked: Any) -> None:
    done = timing.warm_up(clocked(forever(600_000_000)), {**MEASURE, "warmup_max_ns": 3_000_000_000})
    assert done == (5, 3_000_000_000, True)


def test_warm_up_reaches_its_minimum_time(clocked: Any) -> None:
    assert timing.warm_up(clocked(forever(1_000)), {**MEASURE, "warmup_min_ns": 500_000}).ns >= 500_000


def test_sampling_reaches_both_the_count_and_the_time(clocked: Any) -> None:
    assert len(timing.sample(clocked(forever(1_000_000)), MEASURE)) == 30
    assert len(timing.sample(clocked(forever(1_000_000)), {**MEASURE, "min_ns": 100_000_000})) == 100


def test_samples_are_what_the_clock_says(clocked: Any) -> None:
    values = iter(range(1, 31))
    assert timing.sample(clocked(values), MEASURE).tolist() == list(range(1, 31))


def test_differences_below_the_clock_count_as_steady() -> None:
    assert timing.steady([100] * 5 + [900] * 5)
    assert not timing.steady([100_000] * 5 + [900_000] * 5)
    assert not timing.steady([1000] * (timing.SETTLE_WINDOW - 1))
