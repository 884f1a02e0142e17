"""A comparison as a forest plot: each cell's ratio with its interval, the margin shaded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import ConfigError
from bench.judge.types import Comparison
from bench.report import charts
from bench.report.comparison import Row, sections
from bench.report.facts import counted
from bench.report.text import visible
from bench.words import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES: Final = (".svg", ".png")
MOST_ROWS: Final = 60
LONGEST_NAME: Final = 56
TICKS: Final = ((0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03), (0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1),
                (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3),
                (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 1.8, 2), (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20))
"""From the finest; the first that reaches around what is shown is taken."""
COLOURS: Final = {"worse": charts.BAD, "better": charts.GOOD, "cannot tell": charts.UNCLEAR, "same": "#5a6472"}
FARTHEST: Final = 20.0
"""Ratios beyond it, and their intervals, are cut there."""
_ROW, _TOP, _BOTTOM, _RIGHT, _PLOT, _CHARACTER = 0.22, 0.45, 0.5, 1.25, 5.0, 0.075
"""Inches."""


def chart_format(path: Path) -> str:
    """`.svg` or `.png`. Raises ConfigError for another ending."""
    if path.suffix.lower() in SUFFIXES:
        return path.suffix.lower()
    raise ConfigError(f"no chart can be written as {path.suffix or 'a file without an ending'!r}"
                      f"{nearest(path.suffix, SUFFIXES)}")


def forest(comparison: Comparison, suffix: str) -> bytes:
    """The chart as a file of that ending: the `MOST_ROWS` largest changes, the largest first.

    Raises MissingExtra without matplotlib.
    """
    rows = sorted((row for section in sections(comparison) for row in section.rows), key=_change, reverse=True)
    shown, left_out = rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)
    left = 0.3 + _CHARACTER * max((len(_short(row.name)) for row in shown), default=0)
    frame = charts.Frame(left + _PLOT + _RIGHT, _TOP + _BOTTOM + _ROW * max(len(shown), 1), left, _BOTTOM, _RIGHT,
                         _TOP)
    sides = [visible(side.label, 40) for side in (comparison.after, comparison.before)]
    describe = f"Latency of {sides[0]} over {sides[1]}, with 95 % intervals: {counted(len(shown), 'cell')}"

    def draw(axes: Axes) -> None:
        _draw(axes, shown, comparison.margin)
        more = f"; {left_out} smaller changes left out" if left_out else ""
        axes.set_title(describe + more, fontsize=10, loc="left", x=(0.1 - left) / _PLOT)

    return charts.saved(frame, draw, suffix, describe)


def _draw(axes: Axes, rows: Sequence[Row], margin: float) -> None:
    axes.axvspan(1 / (1 + margin), 1 + margin, color=charts.LIGHT[charts.GRID], alpha=0.6, lw=0)
    axes.axvline(1, color=charts.LIGHT[charts.MUTED], lw=0.8)
    edges = [1 - 2 * margin, 1 + 2 * margin]
    for place, row in enumerate(rows):
        verdict = row.pair.latency
        colour = COLOURS[verdict.call]
        low, high = verdict.low or verdict.ratio, verdict.high or verdict.ratio
        axes.plot([_near(low), _near(high)], [place, place], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([_near(verdict.ratio)], [place], "o", color=colour, ms=4.5)
        axes.annotate(f"{row.ratio}  {verdict.call}", (1, place), (6, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center", color=colour, fontsize=8, annotation_clip=False)
        edges += [_near(low), _near(high)]
    axes.set_xscale("log")
    axes.set_xlim(min(edges) / 1.01, max(edges) * 1.01)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [_short(row.name) for row in rows])
    reaching = (ticks for ticks in TICKS if ticks[0] <= min(edges) and max(edges) <= ticks[-1])
    ticks = [tick for tick in next(reaching, TICKS[-1]) if min(edges) <= tick <= max(edges)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.tick_params(length=0)
    axes.set_xlabel(f"after / before (below 1: faster); shaded: within {100 * margin:g} %")


def _change(row: Row) -> float:
    return abs(math.log(row.pair.latency.ratio))


def _near(ratio: float) -> float:
    return min(max(ratio, 1 / FARTHEST), FARTHEST)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME - 1]}…"
