"""Cells as rows of text, for Markdown and the terminal, and what was not measured by its reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from bench.judge.ranking import Speedup, baselines, lowest, speedup
from bench.report.text import visible
from bench.results import CellResult, Outputs, RunResult
from bench.units import MIB, mebibytes, milliseconds, percent
from bench.words import PRECISIONS, RUNTIMES

UNKNOWN = "-"


@dataclass(frozen=True)
class Row:
    """A cell as text. Durations in ms, memory and size in MiB, accuracy and agreement in %, drop in
    percentage points, SQNR in dB.

    `lowest`: the table's lowest p50, or not told apart from it.
    `throttled` says in how many of its trials the device did not keep its pace; empty for in none.
    `disturbed` says in how many of those that count others took the processor; empty for in none.
    `notes` are numbers of the table's footnotes. `lost` is the reason of a cell without a measurement.
    """

    cell: CellResult
    runtime: str
    engine: str
    precision: str
    p50: str
    interval: str
    p90: str
    peak: str
    size: str
    accuracy: str
    drop: str
    speedup: str
    outputs: str
    max_abs: str
    cosine: str
    sqnr: str
    agreement: str
    lowest: bool
    throttled: str
    disturbed: str
    notes: tuple[int, ...]
    lost: str


@dataclass(frozen=True)
class Table:
    """The rows of one model on one device, by runtime and then precision, with the warnings they refer to."""

    device: str
    emulated: bool
    model: str
    rows: tuple[Row, ...]
    footnotes: tuple[str, ...]
    cells: tuple[CellResult, ...]


@dataclass(frozen=True)
class Unmeasured:
    """Cells that were skipped or failed for the same reason."""

    status: str
    fault: str
    reason: str
    cells: tuple[str, ...]


def tables(result: RunResult) -> tuple[Table, ...]:
    """A table for each device and model, in the order of the result's cells."""
    fp32 = baselines(result.cells)
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for cell in result.cells:
        groups.setdefault((cell.device, cell.model), []).append(cell)
    devices = list(dict.fromkeys(device for device, _ in groups))
    return tuple(_table(cells, fp32) for _, cells in sorted(groups.items(), key=lambda item: devices.index(item[0][0])))


def unmeasured(cells: Iterable[CellResult]) -> tuple[Unmeasured, ...]:
    """What failed, then what was skipped, cells with the same reason together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for cell in sorted((cell for cell in cells if cell.status != "ok"), key=lambda cell: cell.status):
        key = (cell.status, cell.fault or "unknown", visible(cell.reason or "no reason was stored"))
        found.setdefault(key, []).append(f"{label(cell)} on {visible(cell.device)}")
    return tuple(Unmeasured(*key, tuple(names)) for key, names in found.items())


def label(cell: CellResult) -> str:
    """A cell's name within its device: model precision runtime/delegate, threads and batch where they are not 1."""
    return f"{visible(cell.model)} {visible(cell.precision)} {visible(cell.runtime)}/{engine(cell)}"


def engine(cell: CellResult) -> str:
    """Delegate, threads and batch: `cpu`, `xnnpack, 4 threads`."""
    parts = [visible(cell.delegate)]
    parts += [f"{cell.threads} threads"] if cell.threads != 1 else []
    parts += [f"batch {cell.batch}"] if cell.batch not in (None, 1) else []
    return ", ".join(parts)


def order(cell: CellResult) -> tuple[object, ...]:
    """Sorts by runtime, delegate, threads and batch, then from the widest precision to the narrowest."""
    return (_place(cell.runtime, RUNTIMES), cell.runtime, cell.delegate, cell.threads, cell.batch or 0,
            _place(cell.precision, PRECISIONS), cell.precision)


def runs_of(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that share runtime and engine, together."""
    return [list(group) for _, group in groupby(rows, key=lambda row: (row.runtime, row.engine))]


def signed_points(drop: float | None) -> str:
    """A drop, a fraction, in percentage points: 0.7, or -0.1 for a gain."""
    return UNKNOWN if drop is None else f"{100 * drop + 0.0:.1f}".replace("-0.0", "0.0")


def _table(cells: list[CellResult], fp32: dict[tuple[object, ...], CellResult]) -> Table:
    ordered = sorted(cells, key=order)
    notes = list(dict.fromkeys(visible(text) for cell in ordered for text in cell.warnings))
    best = {id(cell) for cell in lowest(ordered)}
    rows = tuple(_row(cell, speedup(cell, fp32), id(cell) in best,
                      tuple(notes.index(visible(text)) + 1 for text in cell.warnings)) for cell in ordered)
    return Table(visible(ordered[0].device), any(cell.emulated for cell in ordered), visible(ordered[0].model), rows,
                 tuple(notes), tuple(ordered))


def _row(cell: CellResult, gain: Speedup | None, best: bool, notes: tuple[int, ...]) -> Row:
    latency, memory, score = cell.latency_ms, cell.memory_mib, cell.accuracy
    check = cell.outputs
    return Row(
        cell=cell, runtime=visible(cell.runtime), engine=engine(cell), precision=visible(cell.precision),
        p50=milliseconds(latency.p50), interval=_interval(latency.p50_low, latency.p50_high),
        p90=milliseconds(latency.p90), peak=_memory(memory.peak_rss),
        size=mebibytes(cell.artifact.bytes if cell.artifact else None),
        accuracy=percent(score.value if score else None).removesuffix(" %"),
        drop=signed_points(score.drop if score else None), speedup=_ratio(cell, gain),
        outputs="not checked" if check is None else check.word, **_distances(check),
        lowest=best, throttled=visible(cell.throttled or ""),
        disturbed=visible(cell.disturbed or ""), notes=notes,
        lost="" if cell.status == "ok" else visible(cell.reason or "no reason was stored"))


def _place(word: str, known: tuple[str, ...]) -> int:
    return known.index(word) if word in known else len(known)


def _memory(mib: float | None) -> str:
    return mebibytes(None if mib is None else mib * MIB)


def _interval(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None or high is None else f"{milliseconds(low)}–{milliseconds(high)}"


def _ratio(cell: CellResult, gain: Speedup | None) -> str:
    if gain is None:
        return UNKNOWN
    return "1" if cell.precision == "fp32" else f"{'' if gain.clear else '≈ '}{gain.ratio:.2f}×"


def _distances(outputs: Outputs | None) -> dict[str, str]:
    """The numbers of the output check. Identical outputs have an infinite SQNR."""
    known = outputs or Outputs("unknown")
    sqnr = UNKNOWN if known.sqnr_db is None else f"{known.sqnr_db:.1f}"
    return {"max_abs": UNKNOWN if known.max_abs is None else f"{known.max_abs:.2g}",
            "cosine": UNKNOWN if known.cosine is None else f"{known.cosine:.4f}",
            "sqnr": "∞" if known.max_abs == 0 or known.sqnr_db == math.inf else sqnr,
            "agreement": percent(known.agreement).removesuffix(" %")}
