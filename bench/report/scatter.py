"""Latency against accuracy: the cells of one model on one device, and the line of those that no other beats in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.judge.ranking import pareto, rankable
from bench.report import charts
from bench.report.labels import place
from bench.report.rows import Table, order
from bench.report.text import visible
from bench.results import CellResult
from bench.units import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME = charts.Frame(9.0, 4.0, left=0.6, bottom=0.5, right=1.75)


def scatter(table: Table) -> str | None:
    """The chart as SVG. None on an emulated device, or with fewer than two cells whose accuracy is known."""
    cells = [cell for cell in table.cells if cell.accuracy and cell.latency_ms.p50]
    if table.emulated or len(cells) < 2:
        return None
    describe = f"Latency against accuracy of {table.model} on {table.device}"
    return charts.drawn(FRAME, lambda axes: _draw(axes, cells), f"scatter {table.device} {table.model}", describe)


def _draw(axes: Axes, cells: list[CellResult]) -> None:
    line = pareto(cells)
    floor = _floor(cells)
    axes.set_xscale("log")
    _line(axes, line)
    for cell in sorted(cells, key=order):
        _point(axes, cell, floor)
    _limits(axes, cells, floor)
    metric = cells[0].accuracy.metric if cells[0].accuracy else "accuracy"
    axes.set_xlabel("p50 latency, ms (log scale; left is faster)")
    axes.set_ylabel(f"{visible(metric)}, % (up is better)")
    axes.grid(True, which="major")
    _ticks(axes)
    _legend(axes, cells, bool(line))
    place(axes, [(_x(cell), max(_y(cell), floor), _label(cell, floor), charts.colour(cell.runtime)) for cell in cells],
          {(_x(cell), _y(cell)) for cell in line})


def _floor(cells: list[CellResult]) -> float:
    """The lowest accuracy drawn to scale. A ruined cell stands on it, with its number, so that others keep apart."""
    good = [_y(cell) for cell in cells if rankable(cell)]
    return min(good) - max(1.0, 0.8 * (max(good) - min(good))) if good else min(map(_y, cells))


def _label(cell: CellResult, floor: float) -> str:
    text = visible(cell.precision, 40) + (f" ×{cell.threads}" if cell.threads != 1 else "")
    return text if _y(cell) >= floor else f"{text}: {percent(_y(cell) / 100)} ↓"


def _line(axes: Axes, line: list[CellResult]) -> None:
    points = [(_x(cell), _y(cell)) for cell in line]
    axes.step([x for x, _ in points], [y for _, y in points], where="post", color=charts.MUTED, linewidth=1.2,
              linestyle=(0, (4, 3)), zorder=1)


def _point(axes: Axes, cell: CellResult, floor: float) -> None:
    colour, y = charts.colour(cell.runtime), max(_y(cell), floor)
    low, high = cell.latency_ms.p50_low, cell.latency_ms.p50_high
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=colour, linewidth=1.4, alpha=0.55, solid_capstyle="butt", zorder=2)
    axes.plot([_x(cell)], [y], marker=charts.MARKERS.get(cell.precision, "h"), markersize=7.5, linestyle="none",
              markerfacecolor=colour if rankable(cell) else charts.PAPER, markeredgecolor=colour, markeredgewidth=1.4,
              zorder=3)


def _limits(axes: Axes, cells: list[CellResult], floor: float) -> None:
    """Room for labels at the sides, and a scale that does not blow up differences of a fraction of a point."""
    xs, ys = [_x(cell) for cell in cells], [max(_y(cell), floor) for cell in cells]
    room = (max(xs) / min(xs)) ** 0.08 * 1.08
    axes.set_xlim(min(xs) / room, max(xs) * room**2)
    margin = max((max(ys) - min(ys)) * 0.15, 0.5)
    axes.set_ylim(min(ys) - margin, max(ys) + margin)


def _ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes, cells: list[CellResult], line: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], marker="o", linestyle="none", color=charts.colour(name), label=visible(name, 40))
               for name in dict.fromkeys(cell.runtime for cell in sorted(cells, key=order))]
    used = dict.fromkeys(cell.precision for cell in sorted(cells, key=lambda c: order(c)[-2:]))
    handles += [Line2D([], [], marker=charts.MARKERS.get(name, "h"), linestyle="none", color=charts.MUTED,
                       label=visible(name, 40)) for name in used]
    if not all(map(rankable, cells)):
        handles.append(Line2D([], [], marker="o", linestyle="none", markerfacecolor=charts.PAPER, color=charts.MUTED,
                              label="outputs differ"))
    if line:
        handles.append(Line2D([], [], color=charts.MUTED, linestyle=(0, (4, 3)), linewidth=1.2, label="Pareto line"))
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8.5, labelspacing=0.7)


def _x(cell: CellResult) -> float:
    return cell.latency_ms.p50 or 0.0


def _y(cell: CellResult) -> float:
    return 100 * cell.accuracy.value if cell.accuracy else 0.0
