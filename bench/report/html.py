"""The report as one HTML file: no script, nothing from elsewhere, opens offline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bench import __version__
from bench.report import charts, device, facts
from bench.report.definitions import COLUMNS
from bench.report.rows import Row, Table, runs_of, tables, unmeasured
from bench.report.text import visible
from bench.results import DeviceSummary, RunResult

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

MOST_CHARTS = 24
"""Models on devices whose charts are drawn; the tables of the others are complete all the same."""
ALIGNED = ("p50", "p90", "load", "first", "peak", "pss", "model_memory", "size", "accuracy", "drop", "speedup",
           "cosine", "sqnr", "agreement")


@dataclass(frozen=True)
class Comparison:
    """One model on one device: its rows by runtime, columns padded to align at the decimal point, and its charts."""

    table: Table
    runtimes: list[list[Row]]
    aligned: dict[str, dict[str, str]]
    scatter: Markup | None
    distribution: Markup | None


@dataclass(frozen=True)
class DeviceSection:
    """A device with its facts and comparisons; `device` is None for one of which no summary was stored."""

    name: str
    emulated: bool
    device: DeviceSummary | None
    facts: str
    warnings: list[str]
    conditions: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    comparisons: list[Comparison]


def to_html(result: RunResult) -> str:
    """The whole file as text. Without matplotlib it holds the tables, and a line says how to get the charts."""
    drawn = charts.available()
    compared = [_comparison(table, drawn and place < MOST_CHARTS) for place, table in enumerate(tables(result))]
    names = dict.fromkeys([visible(device.name) for device in result.devices] + [c.table.device for c in compared])
    page = _template().render(
        run=result.run, suite=visible(result.run.suite), when=facts.when(result.run), version=__version__,
        notes=[visible(note) for note in result.run.notes], summary=facts.summary(result.cells),
        settings=facts.settings(result.run.settings), host=facts.settings(result.run.host),
        models=len({cell.model for cell in result.cells}), cells=result.cells, lost=unmeasured(result.cells),
        devices=[_section(name, result, compared) for name in names], drawn=drawn, definitions=COLUMNS,
        undrawn=max(0, len(compared) - MOST_CHARTS), counted=facts.counted, visible=visible)
    return page if page.endswith("\n") else page + "\n"


def aligned(values: list[str]) -> dict[str, str]:
    """Each text padded at its right with spaces as wide as digits, so that right-aligned decimal points meet."""
    def fraction(text: str) -> int:
        digits = text.rstrip("×")
        return len(digits) - digits.index(".") if "." in digits else 0

    most = max(map(fraction, values), default=0)
    return {text: text + _pad(most - fraction(text), dot=fraction(text) == 0 and most > 0) for text in values}


def _pad(width: int, *, dot: bool) -> str:
    """`width` characters: figure spaces, and a punctuation space for the decimal point."""
    return ("\u2008" if dot else "") + "\u2007" * (width - dot)


def _comparison(table: Table, drawn: bool) -> Comparison:
    measured = [row for row in table.rows if not row.lost]
    pads = {name: aligned([getattr(row, name) for row in measured]) for name in ALIGNED}
    return Comparison(table, runs_of(table.rows), pads, None, None)


def _section(name: str, result: RunResult, compared: list[Comparison]) -> DeviceSection:
    found = next((summary for summary in result.devices if visible(summary.name) == name), None)
    mine = [comparison for comparison in compared if comparison.table.device == name]
    emulated = found.emulated if found else any(comparison.table.emulated for comparison in mine)
    if found is None:
        return DeviceSection(name, emulated, None, "the device stated no facts", [], [], [], mine)
    cells = [cell for cell in result.cells if cell.device == found.name]
    versions = facts.settings(found.versions) + device.other_facts(found)
    return DeviceSection(name, emulated, found, device.facts_line(found, cells), device.warnings(found),
                         device.conditions(found.conditions), versions, mine)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("bench.report"), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html.j2")
