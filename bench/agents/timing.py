"""Warm-up and timed samples of one inference, by `perf_counter_ns`."""

from __future__ import annotations

import gc
import random
import statistics
from array import array
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

SETTLE_RATIO = 0.02
"""Warm-up is steady when the median of the newer half of its window is within 2 % of the older half's."""
SETTLE_WINDOW = 10
LEAST_WINDOW = 4
"""A slow inference that cannot fill the window within the limit is judged by the runs there are."""
MAX_SAMPLES = 2_000_000
SETTING_SHARE = 3
"""Where inputs are set before each inference, at most so many times as long is sampled as inferences are to take."""
LEAST_ROUNDS = 3
MOST_ROUNDS = 20
"""Of inferences by turns. Medians of 20 know enough, and each is stored."""
SLOW_NS = 1_000_000_000
"""Where an inference takes longer on the average, one round must do."""


class WarmUp(NamedTuple):
    runs: int
    ns: int
    settled: bool


def once(invoke: Callable[[], None]) -> int:
    """Nanoseconds of one call."""
    start = perf_counter_ns()
    invoke()
    return perf_counter_ns() - start


def warm_up(invoke: Callable[[], None], measure: Dict[str, Any]) -> WarmUp:
    """Run until the minimum count and time are reached and the rolling median has settled, at most `warmup_max_ns`."""
    times: List[int] = []
    start = perf_counter_ns()
    while True:
        times.append(once(invoke))
        elapsed = perf_counter_ns() - start
        settled = steady(times)
        enough = len(times) >= measure["warmup_min_runs"] and elapsed >= measure["warmup_min_ns"]
        if (enough and settled) or (elapsed >= measure["warmup_max_ns"] and len(times) >= measure["warmup_min_runs"]):
            return WarmUp(len(times), elapsed, settled or steady(times, min(len(times), SETTLE_WINDOW)))


def steady(times: List[int], window: int = SETTLE_WINDOW) -> bool:
    """Whether the last `window` times show no step: medians of their halves differ by at most SETTLE_RATIO.

    A difference of under 1 us is steady too: the clock and the interpreter do not resolve less.
    """
    if len(times) < window or window < LEAST_WINDOW:
        return False
    half = window // 2
    older = statistics.median(times[-window:-half])
    newer = statistics.median(times[-half:])
    return abs(newer - older) <= max(SETTLE_RATIO * older, 1000)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """No collection, nor one beforehand: it takes up to a quarter of a second once torch is there."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def sample(invoke: Callable[[], None], measure: Dict[str, Any]) -> array[int]:
    """Nanoseconds of each inference, until both the minimum count and the minimum time are reached.

    Kept in 8 bytes each, so that a million of them do not look like the model's memory.
    """
    clock = perf_counter_ns
    times = array("q")
    append = times.append
    least, until = measure["min_samples"], clock() + measure["min_ns"]
    while True:
        start = clock()
        invoke()
        end = clock()
        append(end - start)
        if (end >= until and len(times) >= least) or len(times) >= MAX_SAMPLES:
            return times


def sample_with(prepare: Sequence[Callable[[], None]], invoke: Callable[[], None],
                measure: Dict[str, Any]) -> array[int]:
    """As `sample`, with the next of `prepare` called before each inference, outside its time; whole turns of them.

    The minimum time is that of the inferences; where `prepare` takes far longer, `SETTING_SHARE` limits the wait.
    """
    clock = perf_counter_ns
    times = array("q")
    until = measure["min_ns"]
    latest = clock() + SETTING_SHARE * until
    worked = 0
    while True:
        for each in prepare:
            each()
            start = clock()
            invoke()
            end = clock()
            times.append(end - start)
            worked += end - start
        if ((worked >= until or end >= latest) and len(times) >= measure["min_samples"]) or len(times) >= MAX_SAMPLES:
            return times


def by_turns(prepare: Sequence[Callable[[], None]], invoke: Callable[[], None], typical_ns: float, budget_ns: float,
             left_ns: float) -> Optional[List[List[int]]]:
    """Nanoseconds of an inference after each of `prepare`, in rounds of all of them: a list for each, equally long.

    The order is drawn anew for each round: whatever else the device does meets all of them alike, by chance alone, and
    a test of their difference needs to assume nothing of the noise. As many rounds as the budget allows; at least
    `LEAST_ROUNDS`, or one of slow inferences, for which that would take too long. None when even these are likely to
    take longer than `left_ns`, judged by what an inference typically takes.
    """
    count = len(prepare)
    if typical_ns * count * (1 if typical_ns > SLOW_NS else LEAST_ROUNDS) > left_ns:
        return None
    times: List[List[int]] = [[] for _ in prepare]
    order = list(range(count))
    begin = perf_counter_ns()
    for done in range(1, MOST_ROUNDS + 1):
        random.shuffle(order)
        for number in order:
            prepare[number]()
            times[number].append(once(invoke))
        elapsed = perf_counter_ns() - begin
        least = 1 if elapsed > SLOW_NS * count * done else LEAST_ROUNDS
        if done >= least and elapsed * (done + 1) / done > budget_ns:
            break
    return times
