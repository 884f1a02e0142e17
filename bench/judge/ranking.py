"""How cells stand to one another on the same device: speed-up against fp32, the lowest p50, the Pareto line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results import CellResult


@dataclass(frozen=True)
class Speedup:
    """fp32's p50 over this cell's. `clear` when the two intervals do not overlap."""

    ratio: float
    clear: bool


def baselines(cells: Iterable[CellResult]) -> dict[tuple[object, ...], CellResult]:
    """The measured fp32 cells whose outputs are right, by everything but format and precision."""
    return {peer(cell): cell for cell in cells
            if cell.precision == "fp32" and cell.latency_ms.p50 and not (cell.outputs and cell.outputs.wrong)}


def speedup(cell: CellResult, fp32: dict[tuple[object, ...], CellResult]) -> Speedup | None:
    """Against fp32 of the same device, model, runtime, delegate, threads and batch.

    None without that, and on an emulated device, whose ratios are those of its emulator.
    """
    base = fp32.get(peer(cell))
    if base is None or not cell.latency_ms.p50 or not base.latency_ms.p50 or cell.emulated:
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
    right = cell.outputs and (cell.outputs.state == "ok" or (cell.outputs.state == "poor" and cell.accuracy))
    return bool(cell.status == "ok" and not cell.emulated and right and cell.latency_ms.p50
                and cell.badge != "not trusted")


def lowest(cells: Iterable[CellResult]) -> list[CellResult]:
    """The cell with the lowest p50 among those that may be ranked, and all that cannot be told from it."""
    ranked = sorted(filter(rankable, cells), key=lambda cell: cell.latency_ms.p50 or 0)
    return [cell for cell in ranked if cell is ranked[0] or _told_together(ranked[0], cell)]


def _told_together(first: CellResult, cell: CellResult) -> bool:
    return None not in (first.latency_ms.p50_high, cell.latency_ms.p50_low) and overlap(first, cell)


def pareto(cells: Sequence[CellResult]) -> list[CellResult]:
    """Cells that no other beats in both p50 and accuracy, the fastest first; only those that may be ranked."""
    line: list[CellResult] = []
    ranked = [cell for cell in cells if rankable(cell) and cell.accuracy]
    for cell in sorted(ranked, key=lambda c: (c.latency_ms.p50 or 0, -_score(c))):
        if not line or _score(cell) > _score(line[-1]):
            line.append(cell)
    return line


def _score(cell: CellResult) -> float:
    return cell.accuracy.value if cell.accuracy else 0.0


def peer(cell: CellResult) -> tuple[object, ...]:
    """What a cell shares with its fp32: all but format and precision."""
    return cell.device, cell.model, cell.runtime, cell.delegate, cell.threads, cell.batch
