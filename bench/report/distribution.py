"""How samples spread: each cell of a model on a device, each of its trials, relative to the cell's p50."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.report import charts
from bench.report.rows import Table, engine
from bench.report.text import visible
from bench.results import CellResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points: TypeAlias = NDArray[np.float64]
MOST_TICKS = 2400
"""Samples drawn in a chart; of more, evenly taken ones by rank, so that the tails stay."""
MOST_CELLS = 40


def distribution(table: Table) -> str | None:
    """The chart as SVG: a row a cell, a line a trial, a tick a sample. None where no samples were handed over."""
    cells = [cell for cell in table.cells if any(cell.sample_ms) and cell.latency_ms.p50][:MOST_CELLS]
    if not cells:
        return None
    describe = f"Distribution of the samples of {table.model} on {table.device}, relative to each cell's p50"
    margin = 0.25 + 0.075 * max(len(_name(cell)) for cell in cells)
    frame = charts.Frame(9.0, 0.65 + 0.34 * len(cells), left=min(margin, 4.0), bottom=0.5, right=0.15)
    return charts.drawn(frame, lambda axes: _draw(axes, cells), f"spread {table.device} {table.model}", describe)


def _draw(axes: Axes, cells: list[CellResult]) -> None:
    left, right = _limits(cells)
    each = max(10, MOST_TICKS // sum(len(cell.sample_ms) for cell in cells))
    for row, cell in enumerate(cells):
        _cell(axes, row, cell, each, (left, right))
    axes.axvline(0, color=charts.MUTED, linewidth=0.8, zorder=1)
    axes.set_xlim(left, right)
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_yticks(range(len(cells)), [_name(cell) for cell in cells])
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=charts.INK)
    axes.set_xlabel("difference of a sample from its cell's p50, %")
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")


def _cell(axes: Axes, row: int, cell: CellResult, each: int, limits: tuple[float, float]) -> None:
    """The interval as a band; for each trial its samples as thin ticks and its median as a thick one."""
    p50 = cell.latency_ms.p50 or 1.0
    low, high = cell.latency_ms.p50_low, cell.latency_ms.p50_high
    if low is not None and high is not None:
        axes.fill_betweenx([row - 0.44, row + 0.44], [_percent(low, p50)] * 2, [_percent(high, p50)] * 2,
                           color=charts.GRID, alpha=0.55, linewidth=0, zorder=0)
    trials = _relative(cell)
    lanes = np.linspace(row - 0.34, row + 0.34, len(trials)) if len(trials) > 1 else [float(row)]
    half = min(0.3, 0.3 / len(trials) + 0.02)
    placed = list(zip(lanes, trials, strict=True))
    samples = [_ticks(np.clip(_taken(trial, each), *limits), lane, half) for lane, trial in placed]
    medians = [_ticks(np.array([np.median(trial)]), lane, half * 1.3) for lane, trial in placed]
    _path(axes, samples, color=charts.colour(cell.runtime), linewidth=0.7, alpha=0.6, zorder=2)
    _path(axes, medians, color=charts.INK, linewidth=1.6, zorder=3)


def _ticks(values: Points, lane: float, half: float) -> tuple[Points, Points]:
    """Upright strokes at `values`, parted by NaN."""
    gap = np.full(values.size, np.nan)
    return (np.column_stack([values, values, gap]).ravel(),
            np.tile([lane - half, lane + half, np.nan], values.size))


def _path(axes: Axes, strokes: list[tuple[Points, Points]], **style: Any) -> None:
    """All strokes as one path: an element each would make the file ten times as large."""
    from matplotlib.lines import Line2D

    axes.add_line(Line2D(np.concatenate([x for x, _ in strokes]), np.concatenate([y for _, y in strokes]), **style))


def _taken(values: Points, most: int) -> Points:
    ordered = np.sort(values)
    if ordered.size <= most:
        return ordered
    return ordered[np.linspace(0, ordered.size - 1, most).round().astype(np.intp)]


def _limits(cells: list[CellResult]) -> tuple[float, float]:
    """From the lowest 0.5 % to the highest 2 % of all samples, at least -2 % to +4 %; the rest is drawn at the edge."""
    every = np.concatenate([trial for cell in cells for trial in _relative(cell)])
    return min(-2.0, float(np.percentile(every, 0.5)) * 1.05), max(4.0, float(np.percentile(every, 98)) * 1.05)


def _relative(cell: CellResult) -> list[Points]:
    """Each trial's samples as a difference from the cell's p50, in %."""
    return [100 * (np.array(trial) / (cell.latency_ms.p50 or 1.0) - 1) for trial in cell.sample_ms if trial]


def _percent(value: float, p50: float) -> float:
    return 100 * (value / p50 - 1)


def _name(cell: CellResult) -> str:
    return f"{visible(cell.runtime, 40)}/{engine(cell)[:40]} · {visible(cell.precision, 40)}"
