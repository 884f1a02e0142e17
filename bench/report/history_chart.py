"""Series over runs as small charts, a panel for each cell: p50 with its interval, levels, changes and versions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.judge.types import History, Series
from bench.report import charts
from bench.report.history import ORDER, cell_name, day, percent, runs_of
from bench.report.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS: Final = 40
LEVEL: Final = "#2a6fbb"
MARKED: Final = ("os", "kernel", "runtime", "agent")
"""Versions whose changes are drawn; another git revision or artifact is every night's."""
_WIDTH, _HEIGHT, _ACROSS = 4.6, 1.75, 2
_LEFT, _BOTTOM, _TOP = 0.55, 0.42, 0.34
"""Inches, of a panel."""


def chart(history: History, suffix: str) -> bytes:
    """The chart as a file of that ending: `MOST_PANELS` cells, those first that want looking at.

    Raises MissingExtra without matplotlib.
    """
    shown = sorted(history.series, key=lambda item: (ORDER.index(item.state), item.device, item.cell))[:MOST_PANELS]
    runs, rows = runs_of(history), -(-len(shown) // _ACROSS)
    width, height = _WIDTH * _ACROSS, _HEIGHT * max(rows, 1) + 0.35
    left_out = len(history.series) - len(shown)
    describe = f"p50 in ms over {len(runs)} runs" + (f"; {left_out} more cells left out" if left_out else "")

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        axes.set_title(f"{describe}; dotted: another {', '.join(MARKED)}", fontsize=9, loc="left")
        figure = axes.get_figure(root=True)
        for place, series in enumerate(shown):
            across, down = place % _ACROSS, place // _ACROSS
            panel = figure.add_axes((  # type: ignore[union-attr]
                (across * _WIDTH + _LEFT) / width, 1 - ((down + 1) * _HEIGHT + 0.35 - _BOTTOM) / height,
                (_WIDTH - _LEFT - 0.2) / width, (_HEIGHT - _BOTTOM - _TOP) / height))
            _draw(panel, series, runs)

    return charts.saved(charts.Frame(width, height, 0.1, 0.0, 0.1, 0.3), draw, suffix, describe)


def _draw(axes: Axes, series: Series, runs: Sequence[str]) -> None:
    places = [runs.index(point.run) for point in series.points]
    ink, muted = charts.LIGHT[charts.INK], charts.LIGHT[charts.MUTED]
    known = [(place, point.low_ms, point.high_ms) for place, point in zip(places, series.points, strict=True)
             if point.low_ms is not None and point.high_ms is not None]
    axes.vlines([place for place, _, _ in known], [low for _, low, _ in known], [high for _, _, high in known],
                color=muted, lw=0.8, alpha=0.5)
    axes.plot(places, [point.p50_ms for point in series.points], "o", color=ink, ms=2.5)
    for place in _version_marks(series, places):
        axes.axvline(place - 0.5, color=muted, lw=0.9, ls=":")
    _levels(axes, series, places)
    emulated = ", emulated" if series.emulated else ""
    axes.set_title(f"{_short(cell_name(series))} on {visible(series.device, 20)}{emulated}: {series.state}", fontsize=7,
                   loc="left")
    axes.set_xlim(-1, len(runs))
    axes.set_ylim(*_limits(series))
    ends = sorted({places[0], places[-1]})
    axes.set_xticks(ends, [day(series.points[places.index(end)].started) for end in ends], fontsize=7)
    axes.tick_params(labelsize=7, length=0)


def _levels(axes: Axes, series: Series, places: Sequence[int]) -> None:
    """The level between changes as lines, each change with its size."""
    ids = [point.run for point in series.points]
    edges = [0, *(ids.index(change.run) for change in series.changes), len(ids)]
    for start, end in pairwise(edges):
        level = median(point.p50_ms for point in series.points[start:end])
        axes.plot([places[start] - 0.4, places[end - 1] + 0.4], [level, level], color=LEVEL, lw=1.2)
    for change in series.changes:
        colour = charts.BAD if change.call == "worse" else charts.GOOD
        place = places[ids.index(change.run)] - 0.5
        axes.axvline(place, color=colour, lw=1.0)
        axes.annotate(percent(change.ratio) + (" device-wide" if change.device_wide else ""), (place, 1), (2, -7),
                      xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=6.5, color=colour)


def _limits(series: Series) -> tuple[float, float]:
    """Around all p50, at least 10 % of the middle either way: quiet series look quiet. Room for the changes above."""
    values = [point.p50_ms for point in series.points]
    middle = median(values)
    low, high = min(*values, 0.9 * middle), max(*values, 1.1 * middle)
    return low - 0.1 * (high - low), high + 0.3 * (high - low)


def _version_marks(series: Series, places: Sequence[int]) -> list[int]:
    return [place for (before, after), place in zip(pairwise(series.points), places[1:], strict=True)
            if any(before.versions.get(name) != after.versions.get(name) for name in MARKED)]


def _short(name: str) -> str:
    return name if len(name) <= 48 else f"{name[:47]}…"
