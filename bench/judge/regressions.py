"""Expectations against another run: the limit is the margin of a verdict over all cells that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.config.expect import Metric
from bench.judge.compare import LEAST_MIB, LEAST_MS
from bench.judge.earlier import State, find_earlier, listed
from bench.judge.noise import Floors
from bench.judge.types import CellPair, Comparison, Pair, Verdict
from bench.judge.verdict import judge
from bench.results import CellResult, Outcome

_VALUES: Final = {"latency_p50": "trial_medians_ms", "latency_p90": "trial_p90s_ms", "load_time": "trial_loads_ms",
                  "peak_memory": "trial_peak_rss_mib"}
"""The trials' own values of a metric."""


def judge_cells(metric: Metric, limit: str, margin: float, cells: Sequence[CellResult], comparison: Comparison,
                floors: Floors) -> list[Outcome]:
    """An outcome for each of the cells, in their order; `margin` is a fraction.

    All that can be compared are judged in one call, so that chance is shared out among them. A cell that was measured
    again in turn with the baseline's artifact is judged by those trials (p50 only, which alone is known of both).
    """
    pairs = {pair.after.cell: pair for pair in comparison.pairs}
    told = [(cell, pair, values) for cell in cells if (pair := pairs.get(cell.cell))
            and (values := _values(metric, pair, comparison, floors))]
    verdicts = judge([values for _, _, values in told], margin=margin,
                     least=LEAST_MIB if metric == "peak_memory" else LEAST_MS)
    found = {cell.cell: _outcome(metric, limit, margin, pair, verdict, comparison)
             for (cell, pair, _), verdict in zip(told, verdicts, strict=True)}
    return [found.get(cell.cell) or Outcome(metric, cell.cell, earlier.state, limit, "-", earlier.reason)
            for cell, earlier in zip(cells, find_earlier(cells, comparison), strict=True)]


def _values(metric: Metric, pair: CellPair, comparison: Comparison, floors: Floors) -> Pair | None:
    """The two sets of values; None where one side does not tell."""
    one, other = pair.before, pair.after
    if pair.retried and metric == "latency_p50":
        values = other.baseline_medians_ms, other.retry_medians_ms
    else:
        values = getattr(one, _VALUES[metric]), getattr(other, _VALUES[metric])
    if not all(side and min(side) > 0 for side in values):
        return None
    retried = pair.retried and metric == "latency_p50"
    memory = metric == "peak_memory"  # is not noisy as time is: the floor of latency says nothing of it
    one_run = comparison.before.run.id == comparison.after.run.id
    return Pair(other.cell, *values, same_run=retried or memory or one_run,
                in_turn=retried or (one_run and one.device == other.device and not (one.left_out or other.left_out)),
                floor=None if memory else floors.get((other.device, other.runtime)),
                trial_seconds=max((cell.trial_seconds for cell in (one, other) if cell.trial_seconds), default=None))


def _outcome(metric: Metric, limit: str, margin: float, pair: CellPair, verdict: Verdict,
             comparison: Comparison) -> Outcome:
    below = verdict.high is not None and verdict.high <= 1 + margin
    kept = verdict.call in ("better", "same") or below
    state: State = "kept" if kept else "broken" if verdict.call == "worse" else "inconclusive"
    chance = "" if verdict.p is None else f"; p {_probability(verdict.p)} after allowing for all cells judged together"
    parts = ["the whole interval is within the limit" if below else f"beyond the limit{chance}" if state == "broken"
             else verdict.reason]
    if pair.retried and metric == "latency_p50":
        parts.append("measured again in turn with the artifact of that run")
    if pair.despite:
        parts.append(f"despite {listed(pair.despite)}")
    if state == "broken":
        parts += _shifts(metric, pair.after, comparison)
        parts += [f"changed: {listed(pair.noted)}"] if pair.noted else []
    return Outcome(metric, pair.after.cell, state, limit, _found(verdict), "; ".join(part for part in parts if part))


def _probability(p: float) -> str:
    """`= 0.003`; the tails of real noise say nothing of smaller ones than `< 0.0001`."""
    return "< 0.0001" if p < 0.0001 else f"= {p:.1g}"


def _shifts(metric: Metric, cell: CellResult, comparison: Comparison) -> list[str]:
    """What is the device's doing rather than this cell's."""
    if metric not in ("latency_p50", "latency_p90"):
        return []
    return [f"device-wide: {shift.reason}" for shift in comparison.shifts
            if shift.device == cell.device and shift.call == "worse"]


def _found(verdict: Verdict) -> str:
    """`+14 % (+12.8 to +15.2)`."""
    change = f"{100 * (verdict.ratio - 1):+.1f} %"
    if verdict.low is None or verdict.high is None:
        return change
    return f"{change} ({100 * (verdict.low - 1):+.1f} to {100 * (verdict.high - 1):+.1f})"
