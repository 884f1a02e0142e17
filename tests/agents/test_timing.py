"""Warm-up and samples, with an inference whose time is told and not waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
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


class Device:
    """Its clock goes on by what an inference takes (by input, in ms) and by 7 ms for each input that is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ms: float) -> None:
        self.now, self.input, self.ms = 0, -1, ms
        self.ran: list[int] = []
        self.prepare = [partial(self.set, number) for number in range(len(ms))]
        monkeypatch.setattr(timing, "perf_counter_ns", lambda: self.now)

    def set(self, number: int) -> None:
        self.now += 7_000_000
        self.input = number

    def invoke(self) -> None:
        self.now += int(self.ms[self.input] * 1e6)
        self.ran.append(self.input)


def test_inputs_are_set_before_each_inference_and_outside_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch, 1, 5)
    times = timing.sample_with(device.prepare, device.invoke, {**MEASURE, "min_samples": 5})
    assert times.tolist() == [1_000_000, 5_000_000] * 3, "whole turns, so that each input counts alike"
    assert device.ran == [0, 1] * 3


def test_the_time_that_is_asked_for_is_that_of_inferences_but_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = Device(monkeypatch, 10), Device(monkeypatch, 0.001)
    measure = {**MEASURE, "min_samples": 1, "min_ns": 100_000_000}
    monkeypatch.setattr(timing, "perf_counter_ns", lambda: slow.now)
    assert len(timing.sample_with(slow.prepare, slow.invoke, measure)) == 10
    monkeypatch.setattr(timing, "perf_counter_ns", lambda: quick.now)
    timing.sample_with(quick.prepare, quick.invoke, measure)
    assert 300_000_000 <= quick.now < 310_000_000


def rounds(device: Device, budget_ms: float, left_ms: float = 1e9) -> list[list[int]] | None:
    return timing.by_turns(device.prepare, device.invoke, device.ms[0] * 1e6, budget_ms * 1e6, left_ms * 1e6)


def test_by_turns_each_input_runs_once_a_round_in_an_order_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch, 1, 2, 3, 4)
    assert rounds(device, 1e9) == [[ms * 1_000_000] * timing.MOST_ROUNDS for ms in (1, 2, 3, 4)]
    taken = [tuple(device.ran[at:at + 4]) for at in range(0, len(device.ran), 4)]
    assert all(sorted(each) == [0, 1, 2, 3] for each in taken)
    assert len(set(taken)) > 5


@pytest.mark.parametrize(("ms", "budget_ms", "wanted"), [
    (1, 0, 3), (1, 100, 6), (900, 0, 3), (1100, 0, 1), (1100, 100_000, 20), (60_000, 6000, 1)])
def test_by_turns_keeps_to_its_budget_but_for_a_few_rounds_or_one_slow_one(
        monkeypatch: pytest.MonkeyPatch, ms: float, budget_ms: float, wanted: int) -> None:
    found = rounds(Device(monkeypatch, ms, ms), budget_ms)
    assert found is not None and len(found[0]) == len(found[1]) == wanted


@pytest.mark.parametrize(("ms", "left_ms", "begins"), [(100, 601, True), (100, 599, False), (2000, 4001, True),
                                                       (2000, 3999, False), (1, -1, False)])
def test_by_turns_nothing_is_begun_that_the_trial_has_no_time_for(
        monkeypatch: pytest.MonkeyPatch, ms: float, left_ms: float, begins: bool) -> None:
    device = Device(monkeypatch, ms, ms)
    assert (rounds(device, 0, left_ms) is not None) == begins == bool(device.ran)
