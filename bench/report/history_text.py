"""Histories as plain text, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from io import StringIO
from typing import Final

from bench.judge.types import History
from bench.report.history import DEFINITIONS, EMULATED, Row, Section, sections
from bench.report.json import plain
from bench.report.text import csv_cell, markdown_cell, visible

SCHEMA: Final = 1
VERSIONS: Final = ("os", "kernel", "runtime", "agent", "git", "artifact", "suite", "measure")
COLUMNS: Final = ("device", "emulated", "model", "cell", "run", "started", "p50_ms", "low_ms", "high_ms", "trials",
                  *VERSIONS, "change_ratio", "change_device_wide", "state")


def to_text(history: History) -> str:
    """By device what moved all of it, then a line for each cell, and its changes below. Ends in a newline."""
    lines: list[str] = []
    for section in sections(history):
        lines += [section.device + (f"  ({EMULATED})" if section.emulated else "")]
        lines += [f"  device-wide: {text}" for text in section.shifts]
        lines += [line for row in section.rows for line in _lines(row, section)]
        lines.append("")
    remarks = [visible(remark, 300) for remark in history.remarks]
    return "\n".join([*lines, *remarks, *[""] * bool(remarks), DEFINITIONS]) + "\n"


def _lines(row: Row, section: Section) -> list[str]:
    name, spark = (max(len(text) for text in texts) for texts in zip(*((r.name, r.spark) for r in section.rows),
                                                                      strict=True))
    head = f"  {row.name:<{name}}  {row.spark:>{spark}}  {row.p50:>9}  {row.change:>8}  {row.state:<9}  {row.reason}"
    return [head.rstrip(), *(f"      {change.date}  {change.run}  {change.ratio:>8}  {change.why}"
                             for change in row.changes)]


def to_markdown(history: History) -> str:
    """A table for each device, and its changes in a list. Ends in a newline."""
    lines: list[str] = []
    for section in sections(history):
        emulated = f" ({EMULATED})" if section.emulated else ""
        lines += [f"### {markdown_cell(section.device)}{emulated}", ""]
        lines += [f"- **Device-wide**: {markdown_cell(text)}" for text in section.shifts]
        lines += [""] * bool(section.shifts)
        lines += [_table_row(("cell", "runs", "p50", "change", "state", "why")), _table_row(["---"] * 6)]
        lines += [_table_row(map(markdown_cell, (row.name, row.spark, row.p50, row.change, row.state, row.reason)))
                  for row in section.rows]
        lines += ["", *(f"- {markdown_cell(f'{change.date} {change.run}: {row.name} {change.ratio}, {change.why}')}"
                        for row in section.rows for change in row.changes), ""]
    remarks = [f"- {markdown_cell(visible(remark, 300))}" for remark in history.remarks]
    return "\n".join([*lines, *remarks, *[""] * bool(remarks), markdown_cell(DEFINITIONS)]) + "\n"


def to_csv(history: History) -> str:
    """A line for each point, with the columns `COLUMNS`; what is unknown is empty."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for series in history.series:
        changes = {change.run: change for change in series.changes}
        for point in series.points:
            change = changes.get(point.run)
            values = (series.device, series.emulated, series.model, series.cell, point.run, point.started, point.p50_ms,
                      point.low_ms, point.high_ms, point.trials, *(point.versions.get(name) for name in VERSIONS),
                      change and change.ratio, change and change.device_wide, series.state)
            writer.writerow([csv_cell(visible(value)) if isinstance(value, str) else value for value in values])
    return buffer.getvalue()


def to_json(history: History) -> str:
    """All that is known of the series, ASCII only, ending in a newline."""
    return json.dumps({"schema": SCHEMA, **{key: plain(value) for key, value in asdict(history).items()}}, indent=2,
                      allow_nan=False) + "\n"


def _table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
