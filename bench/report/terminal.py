"""The comparison as tables for a terminal of 100 columns."""

from __future__ import annotations

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
DIM = "dim"
STYLES = {"ok": "green", "poor": "yellow", "differs": "bold red"}
"""Of what is said of outputs."""


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
                  *_suspect(measured), *_states(measured), *_lost(group)]
    return Group(*parts, *_devices(result), Text(), Text(facts.summary(result.cells), style="bold"))


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
    numbers = (row.interval, row.peak, row.size, row.accuracy, row.speedup)
    outputs = Text(row.outputs.replace(" dB", "dB"), style=STYLES.get(row.outputs.partition(" ")[0], DIM))
    return [Text(f"{row.runtime}/{engine}" if first else ""), Text(row.precision),
            Text(row.p50, style="bold" if row.lowest else ""),
            *(Text(number, style=DIM if number == "-" else "") for number in numbers), outputs]


def _outputs(rows: list[Row]) -> list[Text]:
    """Why outputs are not ok, by row."""
    judged = [(row, row.cell.outputs) for row in rows if row.cell.outputs and row.cell.outputs.reason]
    return [_warning(found.state, f"{row.runtime}/{row.engine} {row.precision}: {visible(found.reason or '')}")
            for row, found in judged]


def _suspect(rows: list[Row]) -> list[Text]:
    """Why scores say nothing, once for all rows of a model."""
    found = {row.cell.accuracy.suspect for row in rows if row.cell.accuracy and row.cell.accuracy.suspect}
    return [_warning("accuracy", visible(text)) for text in sorted(found)]


def _states(rows: list[Row]) -> list[Text]:
    """Rows whose numbers hold for the device in some state only."""
    told = [(head, row, text) for row in rows for head, text in (
        ("throttled", row.throttled), ("disturbed", row.disturbed and f"{row.disturbed}: measure again")) if text]
    return [_warning(head, f"{row.runtime}/{row.engine} {row.precision}: {text}") for head, row, text in told]


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
        what = f"{row.cell.status} ({row.cell.fault or 'unknown'})"
        alike.setdefault((what, f"{row.runtime}/{row.engine}", row.lost), []).append(row.precision)
    lines = []
    for (what, runtime, why), precisions in alike.items():
        line = Text(f"{what} ", style="red" if what.startswith("failed") else "yellow")
        line.append(f"{runtime} {', '.join(precisions)}: {why}", style="default")
        lines.append(line)
    return lines
