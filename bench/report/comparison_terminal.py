"""A comparison for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from bench.judge.types import Comparison
from bench.report import comparison as told
from bench.report.comparison import Row, Section

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

COLUMNS: Final = (("before\nms", 7), ("after\nms", 7), ("ratio", 6), ("95 % interval", 13), ("p", 5),
                  ("peak\nmemory", 7), ("size", 7), ("acc\npp", 5), ("trust", 5))
STYLES: Final = {"worse": "red", "moved with their device": "yellow", "better": "green", "cannot tell": "yellow",
                 "memory changed, latency the same": "yellow"}
DIM: Final = "dim"
MOST_DETAILS: Final = 12


def page(comparison: Comparison, *, every: bool = False) -> Group:
    """What is compared, what moved as a whole, the cells by verdict, what was not compared and why, and the method.

    Cells that are the same are counted; `every` lists them too.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[Table | Text] = [Text(f"{head:8}", style=DIM).append(line, style="default")
                                 for head, line in told.head_lines(comparison)]
    parts += _lines(told.shift_lines(comparison), "bold yellow")
    parts += _lines(told.despite_lines(comparison), "yellow") + _lines(told.noted_lines(comparison), "default")
    (broke, mended), (only_before, only_after) = told.turned_lines(comparison), told.titles(comparison)
    parts += _list(only_before, broke, "red")
    for section in told.sections(comparison):
        parts += _section(section, every=every)
    parts += _list("Refused: not alike", told.refused_lines(comparison), "red")
    parts += _list(only_after, mended, "green") + _list("On one side", told.lone_lines(comparison), "default")
    return Group(*parts, Text(), Text(told.summary(comparison), style="bold"), Text(told.LEGEND, style=DIM),
                 Text(f"Method: {comparison.method}", style=DIM))


def _list(title: str, lines: list[str], style: str) -> list[Table | Text]:
    from rich.text import Text

    return [Text(), Text(title, style=f"bold {style}"), *_lines(lines, "default")] if lines else []


def _section(section: Section, *, every: bool) -> list[Table | Text]:
    from rich.text import Text

    title = Text(section.title, style=f"bold {STYLES.get(section.call, 'default')}")
    if section.call == "same" and not every:
        return [Text(), title.append(": --all lists them", style=DIM)]
    return [Text(), title, _table(section.rows), *_lines(told.detail_lines(section.rows, MOST_DETAILS), DIM)]


def _table(rows: Iterable[Row]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, header_style=DIM)
    shown.add_column("cell", width=29, overflow="fold")
    for name, width in COLUMNS:
        shown.add_column(name, width=width, justify="right", no_wrap=True)
    for row in rows:
        numbers = [text for heading, text in zip(told.HEADINGS, row.texts, strict=True) if heading != "verdict"]
        shown.add_row(*(Text(text, style=DIM if text in (told.UNKNOWN, told.SAME) else "") for text in numbers))
    return shown


def _lines(lines: Iterable[str], style: str) -> list[Text]:
    from rich.text import Text

    return [Text(line, style=style) for line in lines]
