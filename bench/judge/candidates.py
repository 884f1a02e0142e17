"""Which cells may be recommended at all, and which keep the limits that were asked for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.judge.limits import Interval, interval_of, more_trials, with_interval, within
from bench.results import Accuracy, CellResult
from bench.stats.student import t_quantile
from bench.units import MIB, milliseconds

Objective = Literal["latency", "memory", "size", "energy"]
_ROUNDING: Final = 1e-9
"""Of a fraction; a drop of exactly the limit keeps it."""


@dataclass(frozen=True)
class Wishes:
    """What is asked of a cell: limits (None for none) on p50, accuracy lost (a fraction of one), peak RSS and the
    artifact's size, and what is to be as small as can be within them."""

    max_latency_ms: float | None = None
    max_drop: float | None = None
    max_memory_mib: float | None = None
    max_size_mib: float | None = None
    objective: Objective = "latency"


@dataclass(frozen=True)
class Held:
    """One limit held against a cell. `excess` is how far it lies beyond the limit, as a part of it (0.2: 20 % beyond;
    infinite where the value is not known)."""

    limit: str
    state: Literal["kept", "broken", "inconclusive"]
    reason: str
    excess: float = 0.0


def refusal(cell: CellResult, labelled: bool, but: Collection[str] = ()) -> str:
    """Why a cell cannot be recommended whatever is asked; empty where it can. `labelled`: whether the accuracy of any
    cell of its model is known; `but`: checks that may have failed."""
    if cell.status != "ok" or not cell.latency_ms.p50:
        return f"not measured ({cell.status}): {cell.reason or 'no reason was stored'}"
    if cell.outputs is None:
        return "its outputs were not verified"
    if cell.outputs.wrong:
        return "its outputs differ from the fp32 reference"
    if cell.outputs.state == "unknown":
        return f"its outputs were not verified: {cell.outputs.reason or 'no comparison was possible'}"
    if cell.accuracy is None:
        return "its accuracy is not known" + ("" if labelled else ": the model has no labelled data in this run")
    failed = [f"{check.name} ({check.reason})" for check in cell.checks
              if check.state == "failed" and check.name not in but]
    return f"failed: {'; '.join(failed)}" if failed else ""


def hold(cell: CellResult, wishes: Wishes) -> list[Held]:
    """The limits that were asked for, held against a cell that may be recommended.

    Latency and memory by their 95 % intervals: kept when all of it lies within the limit, broken when all of it lies
    beyond. The size is exact, and so is the drop on the labelled set; where the limit lies within what that set's
    number of inputs leaves uncertain, the reason says so.
    """
    latency, memory = cell.latency_ms, cell.trial_peak_rss_mib
    held = []
    if wishes.max_latency_ms is not None and latency.p50:
        found = with_interval(latency.p50, latency.p50_low, latency.p50_high, cell.trial_medians_ms)
        held.append(_measured("latency", found, wishes.max_latency_ms, "ms"))
    if wishes.max_memory_mib is not None:
        held.append(_measured("memory", interval_of(memory), wishes.max_memory_mib, "MiB") if memory
                    else Held("memory", "inconclusive", "its peak memory is not known", math.inf))
    if wishes.max_size_mib is not None:
        held.append(_size(cell, wishes.max_size_mib))
    if wishes.max_drop is not None and cell.accuracy:
        held.append(_drop(cell, cell.accuracy, wishes.max_drop))
    return held


def drop_uncertainty(cell: CellResult) -> float | None:
    """Half the 95 % interval of the accuracy lost, a fraction of one; None where the drop is not known.

    Both scores are of the same n inputs, so that only those count on which the two differ: at least as many as the
    drop says, and, where outputs were compared, the share whose arg-max is not the reference's (q). Agresti and Min's
    adjusted Wald interval of matched pairs (Statistics in Medicine 24, 2005): 1.96 sqrt((q' - d'^2) / (n + 2)) with
    q' = (q n + 1) / (n + 2) and d' = d n / (n + 2).
    """
    score = cell.accuracy
    if score is None or score.drop is None or score.count < 1:
        return None
    agreement = cell.outputs.agreement if cell.outputs else None
    differing = max(abs(score.drop), 1 - agreement if agreement is not None else _independent(score))
    count = score.count + 2
    share, drop = (differing * score.count + 1) / count, score.drop * score.count / count
    return t_quantile(0.975, math.inf) * math.sqrt(max(share - drop**2, 0.0) / count)


def excluded_most(held: Iterable[Sequence[Held]]) -> str:
    """The limit that is not kept most often: its name; empty where all are kept."""
    counts: dict[str, int] = {}
    for limits in held:
        for item in limits:
            counts[item.limit] = counts.get(item.limit, 0) + (item.state != "kept")
    return max(counts, key=counts.__getitem__) if any(counts.values()) else ""


def _independent(score: Accuracy) -> float:
    """The share of inputs on which two scores differ if one is right whatever the other is."""
    reference = score.value + (score.drop or 0.0)
    return score.value * (1 - reference) + reference * (1 - score.value)


def _measured(name: str, found: Interval, limit: float, unit: str) -> Held:
    state = within(found, limit)
    excess = found.value / limit - 1
    shown = f"{milliseconds(found.value)} {unit}"
    if found.low is not None and found.high is not None:
        shown += f" ({milliseconds(found.low)}–{milliseconds(found.high)})"
    reason = f"{name} {shown}, limit {limit:g} {unit}"
    if state == "inconclusive":
        more = more_trials(found, limit)
        reason = f"cannot tell: {reason}; " + (f"{more} more trials would settle it" if more
                                               else "more trials would hardly settle it" if found.trials > 1
                                               else "one trial says nothing of its spread")
    return Held(name, state, reason, excess)


def _size(cell: CellResult, limit_mib: float) -> Held:
    if cell.artifact is None:
        return Held("size", "inconclusive", "its size is not known", math.inf)
    size_mib = cell.artifact.bytes / MIB
    return Held("size", "kept" if size_mib <= limit_mib else "broken",
                f"size {milliseconds(size_mib)} MiB, limit {limit_mib:g} MiB", size_mib / limit_mib - 1)


def _drop(cell: CellResult, score: Accuracy, limit: float) -> Held:
    half = drop_uncertainty(cell)
    if score.drop is None or half is None:
        return Held("drop", "inconclusive", "its drop is not known: the fp32 reference was not scored", math.inf)
    kept = score.drop <= limit + _ROUNDING
    reason = (f"drop {100 * score.drop:.1f} ± {100 * half:.1f} pp on {score.count} inputs, limit {100 * limit:g} pp")
    if abs(score.drop - limit) < half:
        reason += ", which lies within the uncertainty"
    return Held("drop", "kept" if kept else "broken", reason, (score.drop - limit) / max(limit, 0.001))
