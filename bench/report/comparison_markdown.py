"""A comparison as Markdown that fits into a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bench.judge.types import Comparison
from bench.report import comparison as told
from bench.report.comparison import HEADINGS, Section
from bench.report.facts import counted
from bench.report.text import markdown_cell

MOST_ROWS: Final = 60
"""Of a section: some hundred rows fill a comment."""
MOST_LINES: Final = 30


def to_markdown(comparison: Comparison) -> str:
    """Both sides, what moved as a whole, tables by verdict (cells that are the same are counted), what was not compared
    and why, and the method. Ends in a newline."""
    lines = [f"### {markdown_cell(told.summary(comparison))}", "",
             *(f"- {head}: {markdown_cell(line)}" for head, line in told.head_lines(comparison))]
    lines += [f"- **{markdown_cell(line)}**" for line in told.shift_lines(comparison)]
    lines += _items([*told.despite_lines(comparison), *told.noted_lines(comparison)])
    (broke, mended), (only_before, only_after) = told.turned_lines(comparison), told.titles(comparison)
    lines += _list(only_before, broke)
    for section in told.sections(comparison):
        lines += _section(section)
    lines += _list("Refused: not alike", told.refused_lines(comparison))
    lines += _list(only_after, mended) + _list("On one side", told.lone_lines(comparison))
    return "\n".join([*lines, "", markdown_cell(told.LEGEND), "", f"Method: {markdown_cell(comparison.method)}"]) + "\n"


def _list(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"**{markdown_cell(title)}**", "", *_items(lines)] if lines else []


def _section(section: Section) -> list[str]:
    if section.call == "same":
        return ["", f"**{section.title}**"]
    rows = section.rows[:MOST_ROWS]
    more = len(section.rows) - len(rows)
    lines = ["", f"**{section.title}**", "", _line(HEADINGS),
             _line("---" if name in ("cell", "verdict", "trust") else "--:" for name in HEADINGS),
             *(_line(map(markdown_cell, row.texts)) for row in rows)]
    lines += ["", f"… and {counted(more, 'more cell')}"] if more > 0 else []
    details = told.detail_lines(rows, MOST_LINES)
    return [*lines, "", *_items(details, MOST_LINES + 2)] if details else lines


def _items(lines: Sequence[str], most: int = MOST_LINES) -> list[str]:
    more = len(lines) - most
    return [f"- {markdown_cell(line)}" for line in lines[:most]] + ([f"- … and {more} more"] if more > 0 else [])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
