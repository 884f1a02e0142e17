"""Warm-up and timed samples of one inference, by `perf_counter_ns`."""

from __future__ import annotations

import gc
import statistics
from array import array
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

SETTLE_RATIO = 0.02
"""Warm-up is steady when the median of the newer half of its window is within 2 % of the older half's."""
SETTLE_WINDOW = 10
LEAST_WINDOW = 4
"""A slow inference that cannot fill the window within the limit is judged by the runs there are."""
MAX_SAMPLES = 2_000_000


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
