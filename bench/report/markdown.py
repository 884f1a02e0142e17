"""The report as Markdown that fits into a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.report import device, facts
from bench.report.rows import Row, Table, tables, unmeasured
from bench.report.text import markdown_cell, visible
from bench.results import RunResult

LONGEST = 60_000
"""Characters: a comment on a forge holds 65,536."""
MOST_REASONS = 50
DEFINITIONS = ("p50: median over trials of trial medians. ≈: intervals overlap. **Bold**: the lowest p50 of its table, "
               "and what cannot be told from it. -: unknown.")
HEADINGS = ("runtime", "precision", "p50 ms", "95 % interval", "p90 ms", "peak MiB", "size MiB", "accuracy %",
            "drop pp", "vs fp32", "outputs")


def to_markdown(result: RunResult) -> str:
    """Summary, a table for each device and model, and what was not measured. Ends in a newline.

    Tables beyond `LONGEST` characters are left out, and a line says how many.
    """
    head, tail = _summary(result), [*_unmeasured(result), DEFINITIONS]
    room = LONGEST - _length(head) - _length(tail)
    shown: list[str] = []
    left_out = 0
    for block in map(_table, tables(result)):
        room -= _length(block)
        shown += block if room >= 0 else []
        left_out += room < 0
    if left_out:
        shown += [f"_{facts.counted(left_out, 'table')} left out for length; the HTML report holds all._", ""]
    return "\n".join(head + shown + tail) + "\n"


def _length(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _summary(result: RunResult) -> list[str]:
    run = result.run
    notes = "; ".join(_safe(note) for note in run.notes)
    return [f"### {_safe(run.suite)}: {facts.summary(result.cells)}", "",
            f"Run {_safe(run.id)}, {_safe(facts.when(run))}." + (f" Note: {notes}" if notes else ""), "",
            *_devices(result)]


def _devices(result: RunResult) -> list[str]:
    """What must be known of devices, if anything."""
    found = [f"- **{_safe(summary.name)}**: {_safe(text)}" for summary in result.devices
             for text in device.warnings(summary)]
    more = len(found) - MOST_REASONS
    shown = found[:MOST_REASONS] + ([f"- … and {facts.counted(more, 'more warning')}"] if more > 0 else [])
    return [*shown, ""] if shown else []


def _table(table: Table) -> list[str]:
    emulated = " (emulated: timings are not the device's)" if table.emulated else ""
    lines = [f"**{_safe(table.model)}** on **{_safe(table.device)}**{emulated}", "", _line(HEADINGS),
             _line("---" if name in ("runtime", "precision", "outputs") else "--:" for name in HEADINGS)]
    lines += [_line(_lost(row) if row.lost else _measured(row)) for row in table.rows]
    lines += ["", *(f"{number}. {_safe(note)}" for number, note in enumerate(table.footnotes, 1))]
    return lines + ([""] if table.footnotes else [])


def _measured(row: Row) -> Sequence[str]:
    p50 = f"**{row.p50}**" if row.lowest else row.p50
    notes = f" [{', '.join(map(str, row.notes))}]" if row.notes else ""
    detail = ""
    if row.cell.outputs and row.cell.outputs.state in ("poor", "differs"):
        detail = f": max-abs {row.max_abs}, cosine {row.cosine}, SQNR {row.sqnr} dB, agreement {row.agreement} %"
    return (*_name(row), p50, row.interval, row.p90, row.peak, row.size, row.accuracy, row.drop, row.speedup,
            f"{row.outputs}{detail}{notes}")


def _lost(row: Row) -> Sequence[str]:
    return (*_name(row), *["-"] * 8, f"{row.cell.status} ({_safe(visible(row.cell.fault or 'unknown'))})")


def _name(row: Row) -> tuple[str, str]:
    return f"{_safe(row.runtime)}/{_safe(row.engine)}", _safe(row.precision)


def _unmeasured(result: RunResult) -> list[str]:
    groups = unmeasured(result.cells)
    if not groups:
        return []
    lines = ["**Not measured**", "", _line(("status", "fault", "reason", "cells")), _line(["---"] * 4)]
    lines += [_line((group.status, _safe(group.fault), _safe(group.reason), _some(group.cells)))
              for group in groups[:MOST_REASONS]]
    more = len(groups) - MOST_REASONS
    return [*lines, *(["", f"… and {facts.counted(more, 'more reason')}"] if more > 0 else []), ""]


def _some(cells: Sequence[str]) -> str:
    more = f", and {len(cells) - 3} more" if len(cells) > 3 else ""
    return ", ".join(map(_safe, cells[:3])) + more


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    return markdown_cell(visible(text, 300))
