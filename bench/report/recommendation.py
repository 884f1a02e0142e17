"""Recommendations as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.judge.candidates import Wishes, drop_uncertainty
from bench.judge.recommend import Candidate, Recommendation
from bench.report.json import plain
from bench.report.rows import engine, signed_points
from bench.report.text import markdown_cell, visible
from bench.results import CellResult, RunInfo
from bench.units import MIB, mebibytes, milliseconds, percent

SCHEMA: Final = 1
HEADINGS: Final = ("cell", "p50 ms", "peak MiB", "size MiB", "accuracy %", "drop pp", "front", "standing",
                   "against the choice", "why")
NUMBERS: Final = HEADINGS[1:6]
FRONT: Final = "*"
DEFINITIONS: Final = (
    f"{FRONT} front: no other cell that may be recommended is at least as good in p50, peak memory, size and accuracy, "
    "and better in one. The drop's ± is the 95 % interval that the number of labelled inputs leaves (matched pairs, "
    "Agresti and Min 2005).")


def to_text(found: Sequence[Recommendation], run: RunInfo, wishes: Wishes) -> str:
    """For each device the choice, then all cells as a table. Ends in a newline."""
    lines = [f"{visible(run.suite)}, run {visible(run.id)}: {asked(wishes)}", ""]
    for item in found:
        shown = [each for each in item.candidates if each.standing != "refused"]
        head, *rows = _aligned([HEADINGS[:-1], *(_row(each)[:-1] for each in shown)])
        lines += [*_head(item), *["", head] * bool(shown)]
        for row, each in zip(rows, shown, strict=True):
            lines += [row, *[f"      {visible(each.reason)}"] * bool(each.reason)]
        lines += ["", *(f"  refused: {text}" for text in _refused(item)), ""]
    return "\n".join([*lines, DEFINITIONS]) + "\n"


def to_markdown(found: Sequence[Recommendation], run: RunInfo, wishes: Wishes) -> str:
    """The same as Markdown."""
    lines = [f"{markdown_cell(visible(run.suite))}, run {markdown_cell(visible(run.id))}: {asked(wishes)}", ""]
    for item in found:
        head, *rest = _head(item)
        lines += [f"### {markdown_cell(head)}", "", *(f"{markdown_cell(text.strip())}  " for text in rest), "",
                  _line(HEADINGS), _line(["---"] * len(HEADINGS))]
        lines += [*(_line(map(markdown_cell, _row(each))) for each in item.candidates), ""]
    return "\n".join([*lines, markdown_cell(DEFINITIONS)]) + "\n"


def to_json(found: Sequence[Recommendation], run: RunInfo, wishes: Wishes) -> str:
    """All that is known, ASCII only, ending in a newline; cells by their ids."""
    return json.dumps({"schema": SCHEMA, "run": run.id, "suite": run.suite, "wishes": plain(asdict(wishes)),
                       "devices": [plain(_device(item)) for item in found]}, indent=2, allow_nan=False) + "\n"


def asked(wishes: Wishes) -> str:
    """What was asked for, in words."""
    limits = [f"{name} at most {value:g} {unit}" for name, value, unit in (
        ("p50", wishes.max_latency_ms, "ms"),
        ("drop", None if wishes.max_drop is None else 100 * wishes.max_drop, "pp"),
        ("peak memory", wishes.max_memory_mib, "MiB"), ("size", wishes.max_size_mib, "MiB")) if value is not None]
    return f"least {wishes.objective}" + (f" with {', '.join(limits)}" if limits else "")


def _head(item: Recommendation) -> list[str]:
    where = f"{visible(item.model)} on {visible(item.device)}"
    if item.choice is None:
        return [f"{where}: no recommendation", *(f"  {visible(text)}" for text in (item.reason, item.hint) if text)]
    cell = item.choice
    lines = [f"{where}: {_name(cell)}",
             f"  p50 {milliseconds(cell.latency_ms.p50)} ms{_interval(cell)}, {_memory(cell)} MiB peak, {_size(cell)} "
             f"MiB, {_scored(cell)}"]
    lines += [f"  {visible(item.candidates[0].reason)}"] * bool(item.candidates[0].reason)
    if item.equal:
        lines.append(f"  {visible(item.reason)}: equal are {', '.join(map(_name, item.equal))}")
    return lines


def _refused(item: Recommendation) -> list[str]:
    """Refused cells with the same reason together."""
    alike: dict[str, list[str]] = {}
    for each in item.candidates:
        if each.standing == "refused":
            alike.setdefault(visible(each.reason), []).append(_name(each.cell))
    return [f"{', '.join(names)}: {reason}" for reason, names in alike.items()]


def _row(item: Candidate) -> tuple[str, ...]:
    cell = item.cell
    return (_name(cell), milliseconds(cell.latency_ms.p50), _memory(cell), _size(cell),
            percent(cell.accuracy.value if cell.accuracy else None).removesuffix(" %"), _drop(cell),
            FRONT if item.front else "", item.standing, ", ".join((*item.losses, *item.gains)), visible(item.reason))


def _name(cell: CellResult) -> str:
    return f"{visible(cell.precision)} {visible(cell.runtime)}/{engine(cell)}"


def _interval(cell: CellResult) -> str:
    low, high = cell.latency_ms.p50_low, cell.latency_ms.p50_high
    return "" if low is None or high is None else f" ({milliseconds(low)}–{milliseconds(high)})"


def _memory(cell: CellResult) -> str:
    return milliseconds(cell.memory_mib.peak_rss)


def _size(cell: CellResult) -> str:
    return mebibytes(cell.artifact.bytes if cell.artifact else None)


def _scored(cell: CellResult) -> str:
    if cell.accuracy is None:
        return "accuracy not known"
    return (f"{visible(cell.accuracy.metric)} {percent(cell.accuracy.value)} on {cell.accuracy.count} inputs "
            f"(drop {_drop(cell)} pp)")


def _drop(cell: CellResult) -> str:
    half = drop_uncertainty(cell)
    shown = signed_points(cell.accuracy.drop if cell.accuracy else None)
    return shown if half is None else f"{shown} ±{100 * half:.1f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width, those of numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = [">" if heading in NUMBERS else "<" for heading in HEADINGS]
    return ["  " + "  ".join(f"{text:{side}{width}}" for text, side, width in zip(row, sides, widths, strict=False)
                             ).rstrip() for row in rows]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _device(item: Recommendation) -> dict[str, Any]:
    return {"device": item.device, "model": item.model, "emulated": item.emulated,
            "choice": item.choice.cell if item.choice else None, "equal": [cell.cell for cell in item.equal],
            "front": [cell.cell for cell in item.front], "reason": item.reason, "hint": item.hint,
            "candidates": [_candidate(each) for each in item.candidates]}


def _candidate(item: Candidate) -> dict[str, Any]:
    cell = item.cell
    return {"cell": cell.cell, "format": cell.format, "precision": cell.precision, "runtime": cell.runtime,
            "delegate": cell.delegate, "threads": cell.threads, "batch": cell.batch, "standing": item.standing,
            "reason": item.reason, "losses": list(item.losses), "gains": list(item.gains), "front": item.front,
            "p50_ms": cell.latency_ms.p50, "p50_low_ms": cell.latency_ms.p50_low,
            "p50_high_ms": cell.latency_ms.p50_high, "peak_rss_mib": cell.memory_mib.peak_rss,
            "size_mib": cell.artifact.bytes / MIB if cell.artifact else None,
            "accuracy": asdict(cell.accuracy) if cell.accuracy else None, "drop_uncertainty": drop_uncertainty(cell),
            "badge": cell.badge}
