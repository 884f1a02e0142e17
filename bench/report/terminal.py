"""The comparison as tables for a terminal of 100 columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.report import device, facts
from bench.report.rows import Row, Table, runs_of, tables
from bench.report.text import visible
from bench.results import RunResult

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

WIDTHS = (("p50\nms", 6), ("95 % interval\nms", 13), ("peak\nMiB", 5), ("size\nMiB", 7), ("acc\n%", 5),
          ("vs fp32\nspeed", 7))
MOST_DISTURBED = 2
"""Rows of a table that are told one by one: others disturb most of a table, or none of it."""
DIM = "dim"
STYLES = {"ok": "green", "poor": "yellow", "differs": "bold red"}
"""Of what is said of outputs."""
LOST_STYLES = {"failed": "red", "pending": DIM}
"""Of cells without a measurement, by status."""


def table(result: RunResult) -> Group:
    """A table for each device and model, what was not measured and why below it, and a line that counts."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RichTable | Text] = []
    for group in tables(result):
        title = Text(f"{group.model} on {group.device}", style="bold")
        title.append(" (emulated: timings are not the device's)" if group.emulated else "", style="yellow")
        measured = [row for row in group.rows if not row.lost]
        parts += [Text(), title, *([_table(measured)] if measured else []), *_outputs(measured),
                  *_suspect(measured), *_behaviour(measured), *_states(measured), *_lost(group)]
    standing = [Text(facts.progress(result), style="bold yellow")] if facts.progress(result) else []
    return Group(*parts, *_devices(result), Text(), Text(facts.summary(result.cells), style="bold"), *standing)


def _table(rows: list[Row]) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=DIM)
    shown.add_column("runtime", width=18, overflow="fold")
    shown.add_column("precision", width=12, no_wrap=True)
    for name, width in WIDTHS:
        shown.add_column(name, width=width, justify="right", no_wrap=True)
    shown.add_column("outputs", width=11, no_wrap=True)
    for runtime in runs_of(rows):
        for place, row in enumerate(runtime):
            shown.add_row(*_row(row, first=place == 0))
    return shown


def _row(row: Row, *, first: bool) -> list[Text]:
    from rich.text import Text

    engine = row.engine.replace(f", {row.cell.threads} threads", f" ×{row.cell.threads}")
    shown = (row.p50, row.interval, row.peak, row.size, row.accuracy, row.speedup)
    p50, *numbers = (_fitting(text, width) for text, (_, width) in zip(shown, WIDTHS, strict=True))
    outputs = Text(row.outputs.replace(" dB", "dB"), style=STYLES.get(row.outputs.partition(" ")[0], DIM))
    return [Text(f"{row.runtime}/{engine}" if first else ""), Text(row.precision),
            Text(p50, style="bold" if row.lowest else ""),
            *(Text(number, style=DIM if number == "-" else "") for number in numbers), outputs]


def _fitting(text: str, width: int) -> str:
    """A number, or a range of two, with fewer digits where it is too wide for its column: never cut off."""
    ends = text.split("–")
    for digits in (2, 1):
        if len("–".join(ends)) > width and all(re.fullmatch(r"0?\.\d+", end) for end in ends):
            ends = [f"{float(end):.{digits}g}" for end in ends]
    return "–".join(ends)


def _outputs(rows: list[Row]) -> list[Text]:
    """Why outputs are not ok."""
    return _alike([(found.state, row, visible(found.reason)) for row in rows
                   if (found := row.cell.outputs) and found.reason])


def _behaviour(rows: list[Row]) -> list[Text]:
    """What models do beside computing."""
    return _alike([("note", row, visible(text)) for row in rows for text in row.cell.behaviour])


def _alike(remarks: list[tuple[str, Row, str]]) -> list[Text]:
    """A line for each remark, which is a head, a row and a text, with all rows of one text together."""
    rows: dict[tuple[str, str], list[str]] = {}
    for head, row, text in remarks:
        rows.setdefault((head, text), []).append(f"{row.runtime}/{row.engine} {row.precision}")
    return [_warning(head, f"{', '.join(names)}: {text}") for (head, text), names in rows.items()]


def _suspect(rows: list[Row]) -> list[Text]:
    """Why scores say nothing, once for all rows of a model."""
    found = {row.cell.accuracy.suspect for row in rows if row.cell.accuracy and row.cell.accuracy.suspect}
    return [_warning("accuracy", visible(text)) for text in sorted(found)]


def _states(rows: list[Row]) -> list[Text]:
    """Rows whose numbers hold for the device in some state only."""
    disturbed = [row for row in rows if row.disturbed]
    shown = disturbed if len(disturbed) <= MOST_DISTURBED else disturbed[:1]
    lines = _alike([("throttled", row, row.throttled) for row in rows if row.throttled])
    lines += _alike([("disturbed", row, f"{row.disturbed}: measure again") for row in shown])
    if len(shown) < len(disturbed):
        lines.append(_warning("disturbed", f"{len(disturbed) - 1} more of these cells, likewise"))
    return lines


def _devices(result: RunResult) -> list[Text]:
    """What must be known of devices, if anything."""
    from rich.text import Text

    lines = [_warning(visible(summary.name), text) for summary in result.devices for text in device.warnings(summary)]
    return [Text(), *lines] if lines else []


def _warning(head: str, text: str) -> Text:
    from rich.text import Text

    return Text(f"{head} ", style="yellow").append(text, style="default")


def _lost(group: Table) -> list[Text]:
    from rich.text import Text

    alike: dict[tuple[str, str, str], list[str]] = {}
    for row in (row for row in group.rows if row.lost):
        what = "pending" if row.cell.status == "pending" else f"{row.cell.status} ({row.cell.fault or 'unknown'})"
        alike.setdefault((what, f"{row.runtime}/{row.engine}", row.lost), []).append(row.precision)
    lines = []
    for (what, runtime, why), precisions in alike.items():
        line = Text(f"{what} ", style=LOST_STYLES.get(what.split()[0], "yellow"))
        line.append(f"{runtime} {', '.join(precisions)}: {why}", style="default")
        lines.append(line)
    return lines
