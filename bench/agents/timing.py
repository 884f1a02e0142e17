"""Warm-up and timed samples of one inference, by `perf_counter_ns`."""

from __future__ import annotations

import gc
import statistics
from time import perf_counter_ns
from typing import Any, Callable, Dict, List, NamedTuple

SETTLE_RATIO = 0.02
"""Warm-up is steady when the median of the newer half of its window is within 2 % of the older half's."""
SETTLE_WINDOW = 10
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
            return WarmUp(len(times), elapsed, settled)


def steady(times: List[int]) -> bool:
    """Whether the last SETTLE_WINDOW times show no step: medians of their halves differ by at most SETTLE_RATIO.

    A difference of under 1 us is steady too: the clock and the interpreter do not resolve less.
    """
    if len(times) < SETTLE_WINDOW:
        return False
    half = SETTLE_WINDOW // 2
    older = statistics.median(times[-SETTLE_WINDOW:-half])
    newer = statistics.median(times[-half:])
    return abs(newer - older) <= max(SETTLE_RATIO * older, 1000)


def sample(invoke: Callable[[], None], measure: Dict[str, Any]) -> List[int]:
    """Nanoseconds of each inference, until both the minimum count and the minimum time are reached."""
    clock = perf_counter_ns
    times: List[int] = []
    append = times.append
    least, until = measure["min_samples"], clock() + measure["min_ns"]
    gc.collect()
    gc.disable()
    try:
        while True:
            start = clock()
            invoke()
            end = clock()
            append(end - start)
            if (end >= until and len(times) >= least) or len(times) >= MAX_SAMPLES:
                return times
    finally:
        gc.enable()
