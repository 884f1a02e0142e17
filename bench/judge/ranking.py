"""How cells stand to one another on the same device: speed-up against fp32, the lowest p50, the Pareto line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.results import CellResult

MOST_SLOWED: Final = 2.0
"""How much slower a processor that is shared (its caches, its memory, a core's two threads) may make a sample that
nothing interrupted."""


@dataclass(frozen=True)
class Speedup:
    """fp32's p50 over this cell's. `clear` when the two intervals do not overlap."""

    ratio: float
    clear: bool


def baselines(cells: Iterable[CellResult]) -> dict[tuple[object, ...], CellResult]:
    """The measured fp32 cells whose outputs are right and that nothing disturbed, by everything but format and
    precision."""
    return {peer(cell): cell for cell in cells
            if cell.precision == "fp32" and cell.latency_ms.p50 and not (cell.outputs and cell.outputs.wrong)
            and not cell.disturbed}


def speedup(cell: CellResult, fp32: dict[tuple[object, ...], CellResult]) -> Speedup | None:
    """Against fp32 of the same device, model, runtime, delegate, threads and batch.

    None without that, of a disturbed cell, and on an emulated device, whose ratios are those of its emulator.
    """
    base = fp32.get(peer(cell))
    if base is None or not cell.latency_ms.p50 or not base.latency_ms.p50 or cell.emulated or cell.disturbed:
        return None
    return Speedup(base.latency_ms.p50 / cell.latency_ms.p50, not overlap(base, cell))


def overlap(one: CellResult, other: CellResult) -> bool:
    """Whether the intervals of two p50 overlap. Where one is unknown they count as overlapping."""
    a, b = one.latency_ms, other.latency_ms
    if a.p50_low is None or a.p50_high is None or b.p50_low is None or b.p50_high is None:
        return True
    return a.p50_low <= b.p50_high and b.p50_low <= a.p50_high


def rankable(cell: CellResult) -> bool:
    """Whether a cell may stand out: measured on a real device, with outputs that were checked and right (poor ones only
    where the accuracy that they give is known), and no reason known to mistrust it."""
    return _usable(cell) and cell.badge != "not trusted"


def _usable(cell: CellResult) -> bool:
    """All of that but the mistrust."""
    right = cell.outputs and (cell.outputs.state == "ok" or (cell.outputs.state == "poor" and cell.accuracy))
    return bool(cell.status == "ok" and not cell.emulated and right and cell.latency_ms.p50)


def lowest(cells: Iterable[CellResult]) -> list[CellResult]:
    """The cell with the lowest p50 among those that may be ranked, and all that cannot be told from it. None where a
    disturbed cell may be lower still: a neighbour's work does not decide who stands out."""
    every = list(cells)
    ranked = sorted(filter(rankable, every), key=lambda cell: cell.latency_ms.p50 or 0)
    if ranked and any(may_be_lower(cell, ranked[0].latency_ms.p50 or 0) for cell in every):
        return []
    return [cell for cell in ranked if cell is ranked[0] or _told_together(ranked[0], cell)]


def may_be_lower(cell: CellResult, p50_ms: float) -> bool:
    """Whether a disturbed cell's undisturbed p50 may lie below that one: its fastest sample, with all that others may
    have taken from it beside the time that it waited, is no proof that it does not."""
    fastest = cell.latency_ms.min
    return bool(cell.disturbed) and _usable(cell) and (fastest is None or fastest < MOST_SLOWED * p50_ms)


def _told_together(first: CellResult, cell: CellResult) -> bool:
    return None not in (first.latency_ms.p50_high, cell.latency_ms.p50_low) and overlap(first, cell)


def pareto(cells: Sequence[CellResult]) -> list[CellResult]:
    """Cells that no other beats in both p50 and accuracy, the fastest first; only those that may be ranked, and none
    that a disturbed cell may beat."""
    unsure = [cell for cell in cells if cell.accuracy and cell.disturbed]
    line: list[CellResult] = []
    ranked = [cell for cell in cells if rankable(cell) and cell.accuracy]
    for cell in sorted(ranked, key=lambda c: (c.latency_ms.p50 or 0, -_score(c))):
        if not line or _score(cell) > _score(line[-1]):
            line.append(cell)
    return [cell for cell in line if not any(_score(other) >= _score(cell) and may_be_lower(
        other, cell.latency_ms.p50 or 0) for other in unsure)]


def _score(cell: CellResult) -> float:
    return cell.accuracy.value if cell.accuracy else 0.0


def peer(cell: CellResult) -> tuple[object, ...]:
    """What a cell shares with its fp32: all but format and precision."""
    return cell.device, cell.model, cell.runtime, cell.delegate, cell.threads, cell.batch
