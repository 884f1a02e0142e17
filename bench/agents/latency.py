"""Timing one loaded model: first inference, warm-up, samples, and each sample's time by turns."""

from __future__ import annotations

import statistics
from functools import partial
from time import perf_counter_ns
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from bench import protocol
from bench.agents import inputs, runtimes, timing
from bench.agents.inputs import Arrays, Inputs
from bench.agents.probes import cpu, memory

BUDGET_SHARE = 0.1
"""Of the time that warm-up and samples took: what timing each sample by turns may take."""
NEWEST = 1000
"""Samples whose median is what an inference typically takes: a million are long to sort here."""

Say = Callable[..., None]


class Measured(NamedTuple):
    """What the result message says of the timed model."""

    phases: Dict[str, int]
    memory: Dict[str, Optional[int]]
    findings: Dict[str, Any]
    fields: Dict[str, Any]


class _Sampled(NamedTuple):
    times: Sequence[int]
    warm_up: timing.WarmUp
    ns: int
    peak_rss: Optional[int]
    cpu_ns: Dict[str, Optional[int]]


def measure(model: runtimes.Loaded, samples: List[Arrays], asked: Dict[str, Any], left_ns: Callable[[], float],
            say: Say) -> Measured:
    """Time the model on its first sample, or on all of them interleaved where `asked["inputs"]` is "all".

    A model that writes into its inputs has them set again before each inference, outside the clock; any other runs on
    one sample in a tight loop. `left_ns` is how long the trial may still take until it verifies; `say` speaks.
    """
    given = Inputs(model, samples)
    given.set(0)
    say("phase", name="first")
    first_ns = timing.once(model.invoke)
    cycle = list(range(len(samples))) if asked.get("inputs") == "all" else [0]
    changed = given.changed()
    sampled = _sample(model, given, cycle, changed, asked, say)
    if not changed and given.changed():
        changed = True
        if len(cycle) == 1:
            # Not in its first inference, but in a later one: what was timed may have run on what that left behind.
            sampled = _sample(model, given, cycle, changed, asked, say)
    for at in range(0, len(sampled.times), protocol.SAMPLES_PER_MESSAGE):
        say("samples", ns=list(sampled.times[at:at + protocol.SAMPLES_PER_MESSAGE]))
    begin = perf_counter_ns()
    by_sample = _by_turns(model, given, samples, sampled, left_ns, say)
    phases = {"first_ns": first_ns, "samples_ns": sampled.ns, "by_turns_ns": perf_counter_ns() - begin}
    return Measured(
        phases, {"peak_rss_bytes": sampled.peak_rss, "pss_bytes": memory.pss()},
        {"inputs_changed": changed, "cycle": len(cycle), "by_sample_ns": by_sample},
        {"warm_up": sampled.warm_up._asdict(), "cpu_ns": sampled.cpu_ns, "sample_count": len(sampled.times)})


def _sample(model: runtimes.Loaded, given: Inputs, cycle: List[int], changed: bool, asked: Dict[str, Any],
            say: Say) -> _Sampled:
    prepare = [partial(given.set, number) for number in cycle]
    restoring = changed or len(cycle) > 1
    given.set(0)

    def turn() -> None:
        for each in prepare:
            each()
            model.invoke()

    say("phase", name="warm-up")
    with timing.no_garbage_collection():
        warm = timing.warm_up(turn if restoring else model.invoke, asked)
        peak = memory.peak_rss()  # before samples are kept and sent: they are not the model's
        say("phase", name="samples")
        before = cpu.usage()
        begin = perf_counter_ns()
        if restoring:
            times = timing.sample_with(prepare, model.invoke, asked)
        else:
            times = timing.sample(model.invoke, asked)
        ns = perf_counter_ns() - begin
        used = cpu.since(before)
    return _Sampled(times, warm._replace(runs=warm.runs * len(cycle)), ns, peak, used)


def _by_turns(model: runtimes.Loaded, given: Inputs, samples: List[Arrays], sampled: _Sampled,
              left_ns: Callable[[], float], say: Say) -> Optional[List[List[int]]]:
    """Nanoseconds of the inferences on each sample; None where all are the same, or there is no time for it."""
    if inputs.alike(samples):
        return None
    say("phase", name="by turns")
    prepare = [partial(given.set, number) for number in range(len(samples))]
    typical = statistics.median(sampled.times[-NEWEST:])
    verifying = 2 * typical * (len(samples) + 1)
    with timing.no_garbage_collection():
        return timing.by_turns(prepare, model.invoke, typical, BUDGET_SHARE * (sampled.warm_up.ns + sampled.ns),
                               left_ns() - verifying)
