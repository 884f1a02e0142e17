"""A run held against what its suite expects: limits and regressions, kept, broken, or not to be told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bench.collect.circumstances import CONTENTION
from bench.config.expect import (
    METRICS,
    BytesLimit,
    Drop,
    Expectation,
    ExpectConfig,
    Growth,
    Metric,
    Regression,
    TimeLimit,
)
from bench.judge import exact, regressions
from bench.judge.earlier import State, find_earlier
from bench.judge.guard import ALL
from bench.judge.limits import Interval, interval_of, more_trials, with_interval, within
from bench.judge.noise import Floors
from bench.judge.types import Comparison
from bench.judge.ways_on import ways_on
from bench.results import CellResult, Judgement, Outcome, RunResult
from bench.units import MIB, mebibytes, milliseconds
from bench.words import counted

TIMES: Final = ("latency_p50", "latency_p90", "load_time")
"""What other processes make longer."""
State_ = Literal["green", "red", "not judged", "partly judged", "none"]
"""Of a run."""


@dataclass(frozen=True)
class Baseline:
    """What a suite calls last-green, previous or a run's id: the comparison with it, or None and why there is none.
    `by_metric` are comparisons of single metrics, where cells' baselines are others for them."""

    comparison: Comparison | None
    note: str = ""
    by_metric: Mapping[str, Comparison] = field(default_factory=dict)

    def of(self, metric: str) -> Comparison | None:
        """The comparison that a metric is judged by."""
        return self.by_metric.get(metric, self.comparison)


@dataclass(frozen=True)
class Wish:
    """One line of `expect:`, as it is judged."""

    metric: Metric
    entry: Expectation
    limit: str

    def covers(self, cell: CellResult) -> bool:
        """Whether it is said of that cell."""
        said = ((self.entry.model, cell.model), (self.entry.device, cell.device), (self.entry.runtime, cell.runtime),
                (self.entry.precision, cell.precision))
        return all(wanted in (None, found) for wanted, found in said)


@dataclass(frozen=True)
class Held:
    """An expectation held against a cell."""

    entry: Expectation
    outcome: Outcome


def judge_expectations(expect: ExpectConfig, result: RunResult, baselines: Mapping[str, Baseline], floors: Floors,
                       labelled: Collection[str] | None = None) -> Judgement:
    """What `hold` finds, as one judgement: red when something is broken, or cannot be told and must be.

    Parameters as of `hold`.
    """
    return judgement_of(expect, hold(expect, result, baselines, floors, labelled), baselines)


def hold(expect: ExpectConfig, result: RunResult, baselines: Mapping[str, Baseline], floors: Floors,
         labelled: Collection[str] | None = None) -> tuple[Held, ...]:
    """Every expectation held against every cell it covers, cells that were left out excepted.

    Of those that were left out, what was measured in another run is held against that run: it has broken since, unless
    the suite itself leaves it out. `baselines` are by the names that `expect` uses. `labelled` are the models with a
    dataset, of which alone an accuracy is expected; None for all.
    """
    found: list[Held] = []
    for metric, entry in expect.entries():
        wish = Wish(metric, entry, _limit(entry))
        lost = _lost(wish, baselines)
        cells = [cell for cell in result.cells if _is_held(metric, cell, lost) and wish.covers(cell)
                 and (metric != "accuracy_drop" or labelled is None or cell.model in labelled)]
        found += [Held(entry, _explained(_settled(outcome, cell, expect), cell, wish, baselines))
                  for outcome, cell in zip(
            _judged(wish, cells, baselines, floors, expect.despite), cells, strict=True)]
    return tuple(found)


def _is_held(metric: Metric, cell: CellResult, lost: Collection[str]) -> bool:
    """Whether an expectation of that metric is held against the cell: one that was left out has broken, or, where only
    its device was in use, still has a file, whose accuracy may be known."""
    if cell.fault == "busy":
        known = {"size": cell.artifact, "accuracy_drop": cell.accuracy}.get(metric)
        return known is not None or cell.cell in lost
    return cell.status not in ("skipped", "pending") or cell.cell in lost


def _lost(wish: Wish, baselines: Mapping[str, Baseline]) -> set[str]:
    """Cells that the run which the entry is held against had, and this one has not any more."""
    known = _comparison(wish, baselines)
    return {cell.cell for cell in known.broke} if known else set()


def _comparison(wish: Wish, baselines: Mapping[str, Baseline]) -> Comparison | None:
    """What the wish is judged by; None for a limit, and where there is no baseline."""
    known = baselines.get(wish.entry.against) if isinstance(wish.entry, Regression | Growth | Drop) else None
    return known.of(wish.metric) if known else None


def judgement_of(expect: ExpectConfig, held: Sequence[Held],
                 baselines: Mapping[str, Baseline]) -> Judgement:
    """All that was held, together; notes tell what is missing: a baseline, cells that it had, or any cells that an
    expectation covers."""
    outcomes = tuple(each.outcome for each in held)
    notes = [baseline.note for baseline in baselines.values() if baseline.note]
    idle = [(metric, entry) for metric, entry in expect.entries() if not any(each.entry is entry for each in held)]
    notes += [f"{metric} {_limit(entry)}: no cell of this run is held against it" for metric, entry in idle]
    notes += [note for name, baseline in baselines.items() for note in ways_on(name, _all(baseline), outcomes)]
    known = [baseline.comparison for baseline in baselines.values() if baseline.comparison]
    notes += [_gone(told) for told in known if told.only_before]
    notes += [remark for told in known for remark in told.remarks]
    return Judgement(state_of(outcomes, expect.on_inconclusive), outcomes, known[0].before.run.id if known else None,
                     tuple(dict.fromkeys(notes)), expect.on_not_judged)


def _all(baseline: Baseline) -> Mapping[str, Comparison]:
    """The comparison that each metric is judged by, where there is one."""
    known = {metric: baseline.of(metric) for metric in METRICS}
    return {metric: comparison for metric, comparison in known.items() if comparison}


def _gone(told: Comparison) -> str:
    """What nothing is expected of any more: a cell that the suite dropped, or a device under another name."""
    first, *more = told.only_before
    return (f"{counted(len(told.only_before), 'cell')} of run {told.before.run.id} not in this one: {first}"
            + (", ..." if more else ""))


def state_of(outcomes: Sequence[Outcome], on_inconclusive: str) -> State_:
    """Of all outcomes together. What was not judged is never green, whatever else is."""
    states = {outcome.state for outcome in outcomes}
    if not states:
        return "none"
    if "broken" in states or ("inconclusive" in states and on_inconclusive != "pass"):
        return "red"
    if "not judged" in states:
        return "not judged" if states == {"not judged"} else "partly judged"
    return "green"


def _judged(wish: Wish, cells: Sequence[CellResult], baselines: Mapping[str, Baseline], floors: Floors,
            despite: Collection[str]) -> Iterable[Outcome]:
    """An outcome for each of the cells, in their order."""
    entry = wish.entry
    if isinstance(entry, TimeLimit | BytesLimit):
        return [_limited(wish, entry, cell) for cell in cells]
    if isinstance(entry, Drop) and entry.against == "fp32":
        return [exact.drop_from_fp32(wish.limit, entry.at_most, cell) for cell in cells]
    assert isinstance(entry, Regression | Growth | Drop)
    comparison = baselines[entry.against].of(wish.metric)
    if comparison is None:
        return [Outcome(wish.metric, cell.cell, "kept", wish.limit, "-", "new: nothing to compare with")
                for cell in cells]
    if isinstance(entry, Regression):
        return regressions.judge_cells(wish.metric, wish.limit, entry.at_most, cells, comparison, floors)
    both = zip(cells, find_earlier(cells, comparison), strict=True)
    if isinstance(entry, Growth):
        return [exact.growth(wish.limit, entry.at_most, cell, earlier) for cell, earlier in both]
    return [exact.drop_from_run(wish.limit, entry.at_most, cell, earlier, despite) for cell, earlier in both]


def _limited(wish: Wish, entry: TimeLimit | BytesLimit, cell: CellResult) -> Outcome:
    """A cell against a limit: ms for durations, bytes for sizes."""
    def outcome(state: State, found: str, reason: str) -> Outcome:
        return Outcome(wish.metric, cell.cell, state, wish.limit, found, reason)

    if cell.status == "failed":
        return outcome("not judged" if cell.lab_failed else "broken", "-",
                       f"not measured: {cell.reason}")
    limit = entry.at_most * 1000 if isinstance(entry, TimeLimit) else entry.at_most
    if wish.metric == "size":
        return exact.size(wish.limit, limit, cell)
    measured = _interval(wish.metric, cell)
    if measured is None:
        return outcome("inconclusive", "-", "it was not told")
    state = within(measured, limit)
    return outcome(state, _found(wish.metric, measured), {
        "kept": "the whole interval is within the limit", "broken": "the whole interval is above the limit",
        "inconclusive": _untold(measured, limit, cell)}[state])


def _interval(metric: Metric, cell: CellResult) -> Interval | None:
    """The cell's value of a metric, ms or bytes: of p50 as reported, of others from the trials' own values."""
    if metric == "latency_p50":
        latency, medians = cell.latency_ms, cell.trial_medians_ms
        if not latency.p50 or min(medians, default=0.0) <= 0:
            return None
        return with_interval(latency.p50, latency.p50_low, latency.p50_high, medians)
    if metric == "peak_memory":
        values = tuple(value * MIB for value in cell.trial_peak_rss_mib)
    else:
        values = cell.trial_p90s_ms if metric == "latency_p90" else cell.trial_loads_ms
    return interval_of(values) if values and min(values) > 0 else None


def _untold(measured: Interval, limit: float, cell: CellResult) -> str:
    if measured.low is None:
        return "a single trial has no interval"
    more = more_trials(measured, limit)
    if more is None:
        return "the interval holds the limit; more trials would hardly settle it"
    return f"the interval holds the limit; {more} more trial{'s' if more != 1 else ''} would settle it"


def _found(metric: Metric, measured: Interval) -> str:
    show, unit = (mebibytes, "MiB") if metric == "peak_memory" else (milliseconds, "ms")
    if measured.low is None or measured.high is None:
        return f"{show(measured.value)} {unit}"
    return f"{show(measured.value)} {unit} ({show(measured.low)} to {show(measured.high)})"


def _limit(entry: Expectation) -> str:
    """`at most +5 % against last-green`."""
    if isinstance(entry, TimeLimit):
        return f"at most {1000 * entry.at_most:g} ms"
    if isinstance(entry, BytesLimit):
        return f"at most {entry.at_most / MIB:.4g} MiB"
    assert isinstance(entry, Regression | Growth | Drop)
    most = f"{100 * entry.at_most:g} pp" if isinstance(entry, Drop) else f"+{100 * entry.at_most:g} %"
    return f"at most {most} against {entry.against}"


def _settled(outcome: Outcome, cell: CellResult, expect: ExpectConfig) -> Outcome:
    """Others' work makes a time longer: what it breaks cannot be told, unless the suite lets contention pass."""
    lets_pass = {CONTENTION, ALL} & set(expect.despite)
    if not cell.disturbed or lets_pass or outcome.state != "broken" or outcome.expectation not in TIMES:
        return outcome
    return replace(outcome, state="inconclusive", reason=f"measured while disturbed ({cell.disturbed}): measure again")


def _explained(outcome: Outcome, cell: CellResult, wish: Wish, baselines: Mapping[str, Baseline]) -> Outcome:
    """With what a reader must know beside it; what was measured of wrong outputs keeps nothing but an accuracy."""
    entry = wish.entry
    wrong = cell.outputs is not None and cell.outputs.wrong
    if wrong and outcome.state in ("kept", "inconclusive") and outcome.expectation not in ("accuracy_drop", "size"):
        outcome = replace(outcome, state="not judged",
                          reason="its outputs differ from the fp32 reference: how fast it computes them says nothing")
    failed = [check.name for check in cell.checks if check.state == "failed" and not wrong]
    parts = [outcome.reason]
    parts += [f"not trusted ({', '.join(failed)})"] if failed and outcome.state != "kept" else []
    parts += [f"the suite says: {entry.because}"] if entry.because and outcome.state != "kept" else []
    known = _comparison(wish, baselines)
    return replace(outcome, reason="; ".join(parts), baseline=known.run_of(cell.cell) if known else None)
