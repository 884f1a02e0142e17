"""A cell as a row of the page's data: what it is, what was measured, how it ranks, how it stands to the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.judge.ranking import baselines, lowest, pareto, peer, rankable, speedup
from bench.judge.types import CellPair, Difference, Refused, Verdict
from bench.report.morning import Morning
from bench.report.rows import engine
from bench.results import CellResult, Outputs

Row = dict[str, object]
Place = Callable[[str], int]
"""Where a text stands in the page's list of texts."""
COLUMNS: Final = (
    "id", "device", "model", "precision", "runtime", "delegate", "engine", "threads", "batch", "emulated", "status",
    "fault", "reason", "badge", "checks", "throttled", "disturbed", "warnings", "circumstances",
    "p50", "low", "high", "p90", "p99", "within", "between", "throughput", "load", "first", "trials", "samples",
    "medians", "quantiles", "peak", "modelMemory", "pss", "size", "accuracy", "metric", "drop", "images",
    "outputs", "outputsWord", "part", "maxAbs", "cosine", "sqnr", "agreement",
    "rankable", "lowest", "lowestHere", "front", "frontOfModel", "base", "speedup", "clear",
    "change", "verdict", "memory", "sizeRatio", "accuracyChange", "before", "differences", "noted", "retried")
"""Names in the order of a row's values."""


@dataclass(frozen=True)
class Ranks:
    """Cells that stand out, by identity, as `bench.judge.ranking` finds them: the lowest p50 of a model on a device,
    and of one precision and thread count there; the line of p50 against accuracy of a device, and of a model on it."""

    lowest: frozenset[int]
    lowest_here: frozenset[int]
    front: frozenset[int]
    front_of_model: frozenset[int]


def cell_rows(morning: Morning, place: Place) -> list[list[object]]:
    """A row of `COLUMNS` for each cell of the result, in its order."""
    cells = morning.result.cells
    ranks, fp32 = find_ranks(cells), baselines(cells)
    rows = {id(cell): number for number, cell in enumerate(cells)}
    told = _changes(morning, place)
    found = []
    for cell in cells:
        gain = speedup(cell, fp32)
        row = {**_identity(cell, place), **_trust(cell, place), **_measured(cell, place), **_rank(cell, ranks),
               "base": rows[id(fp32[peer(cell)])] if gain else None,
               "speedup": short(gain.ratio) if gain else None, "clear": gain.clear if gain else None,
               **told.get(cell.cell, _NEVER)}
        found.append([row[name] for name in COLUMNS])
    return found


def find_ranks(cells: Sequence[CellResult]) -> Ranks:
    """Who stands out, in every table that the page shows."""
    return Ranks(_chosen(cells, lowest, lambda cell: (cell.device, cell.model)),
                 _chosen(cells, lowest, lambda cell: (cell.device, cell.model, cell.precision, cell.threads)),
                 _chosen(cells, pareto, lambda cell: (cell.device, cell.accuracy and cell.accuracy.metric)),
                 _chosen(cells, pareto, lambda cell: (cell.device, cell.model)))


def short(value: float | None, digits: int = 5) -> float | None:
    """`value` with as many significant digits; None for what is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded


_NEVER: Final[Row] = dict.fromkeys(("change", "verdict", "memory", "sizeRatio", "accuracyChange", "before",
                                    "differences", "noted", "retried"))


def _changes(morning: Morning, place: Place) -> dict[str, Row]:
    """By cell, how it stands to the baseline. `change` is a verdict's call, not comparable, broke, mended, or new."""
    told = morning.comparison
    if told is None:
        return {}
    found = {cell.cell: {**_NEVER, "change": place("new")} for cell in morning.result.cells if cell.status == "ok"}
    found |= {cell.cell: {**_NEVER, "change": place("broke")} for cell in told.broke}
    found |= {cell.cell: {**_NEVER, "change": place("mended")} for cell in told.mended}
    found |= {refused.after.cell: _refused(refused, place) for refused in told.refused}
    return found | {pair.after.cell: _pair(pair, place) for pair in told.pairs}


def _chosen(cells: Iterable[CellResult], choose: Callable[[list[CellResult]], list[CellResult]],
            key: Callable[[CellResult], object]) -> frozenset[int]:
    groups: dict[object, list[CellResult]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return frozenset(id(cell) for group in groups.values() for cell in choose(group))


def _identity(cell: CellResult, place: Place) -> Row:
    return {"id": place(cell.cell), "device": place(cell.device), "model": place(cell.model),
            "precision": place(cell.precision), "runtime": place(cell.runtime), "delegate": place(cell.delegate),
            "engine": place(engine(cell)), "threads": cell.threads, "batch": cell.batch, "emulated": int(cell.emulated),
            "status": place(cell.status), "fault": None if cell.status == "ok" else place(cell.fault or "unknown"),
            "reason": None if cell.status == "ok" else place(cell.reason or "no reason was stored")}


def _trust(cell: CellResult, place: Place) -> Row:
    """`checks`: name, state and reason of each; `circumstances`: names and values."""
    ok = cell.status == "ok"
    return {"badge": place(cell.badge) if ok else None,
            "checks": [place(text) for check in cell.checks for text in (check.name, check.state, check.reason)],
            "throttled": place(cell.throttled) if cell.throttled else None,
            "disturbed": place(cell.disturbed) if cell.disturbed else None,
            "warnings": [place(text) for text in cell.warnings],
            "circumstances": [place(text) for item in cell.circumstances.items() for text in item]}


def _measured(cell: CellResult, place: Place) -> Row:
    """Durations in ms, memory in MiB, size in bytes, accuracy and its drop as fractions."""
    latency, memory, score = cell.latency_ms, cell.memory_mib, cell.accuracy
    return {"p50": short(latency.p50), "low": short(latency.p50_low), "high": short(latency.p50_high),
            "p90": short(latency.p90), "p99": short(latency.p99), "within": short(latency.within_cv, 3),
            "between": short(latency.between_cv, 3), "throughput": short(cell.throughput_per_s),
            "load": short(cell.load_ms), "first": short(cell.first_inference_ms), "trials": cell.trials,
            "samples": cell.samples, "medians": [short(value) for value in cell.trial_medians_ms],
            "quantiles": [short(value) for value in cell.quantiles_ms], "peak": short(memory.peak_rss),
            "modelMemory": short(memory.model), "pss": short(memory.pss),
            "size": cell.artifact.bytes if cell.artifact else None, "accuracy": short(score.value) if score else None,
            "metric": place(score.metric) if score else None, "drop": short(score.drop) if score else None,
            "images": score.count if score else None, **_outputs(cell.outputs, place)}


def _outputs(check: Outputs | None, place: Place) -> Row:
    """Identical outputs have an infinite SQNR, which is told as null beside a `maxAbs` of 0."""
    known = check or Outputs("unknown")
    return {"outputs": place("not checked" if check is None else check.state),
            "outputsWord": place("not checked" if check is None else check.word),
            "part": place(known.part) if known.part else None,
            "maxAbs": short(known.max_abs, 3), "cosine": short(known.cosine), "sqnr": short(known.sqnr_db, 4),
            "agreement": short(known.agreement, 4)}


def _rank(cell: CellResult, ranks: Ranks) -> Row:
    return {"rankable": int(rankable(cell)), "lowest": int(id(cell) in ranks.lowest),
            "lowestHere": int(id(cell) in ranks.lowest_here), "front": int(id(cell) in ranks.front),
            "frontOfModel": int(id(cell) in ranks.front_of_model)}


def _pair(pair: CellPair, place: Place) -> Row:
    before, latency = pair.before, pair.before.latency_ms
    size = before.artifact.bytes if before.artifact else None
    score = before.accuracy.value if before.accuracy else None
    return {"change": place(pair.latency.call), "verdict": _verdict(pair.latency, place),
            "memory": _verdict(pair.memory, place) if pair.memory else None, "sizeRatio": short(pair.size_ratio),
            "accuracyChange": short(pair.accuracy_change),
            "before": [short(value) for value in (latency.p50, latency.p90, before.memory_mib.peak_rss, size, score,
                                                  before.load_ms)],
            "differences": _differences(pair.despite, place), "noted": _differences(pair.noted, place),
            "retried": int(pair.retried)}


def _refused(refused: Refused, place: Place) -> Row:
    return {**_NEVER, "change": place("not comparable"), "differences": _differences(refused.differences, place)}


def _differences(found: Iterable[Difference], place: Place) -> list[int]:
    """Names, what was before, what is after."""
    return [place(text) for each in found for text in (each.name, each.before, each.after)]


def _verdict(verdict: Verdict, place: Place) -> list[object]:
    return [place(verdict.call), short(verdict.ratio), short(verdict.low), short(verdict.high), short(verdict.p, 2),
            short(verdict.effect, 3), place(verdict.reason), verdict.more_trials, short(verdict.more_seconds, 3)]
