"""A comparison as JSON for tools: everything that is known of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from bench.judge.shifts import moved_with
from bench.judge.types import CellPair, Comparison
from bench.report.json import plain
from bench.results import CellResult

SCHEMA: Final = 1


def to_json(comparison: Comparison) -> dict[str, object]:
    """The comparison as plain JSON values; what is unknown is null, and so is any number that is not finite."""
    return {
        "schema": SCHEMA, "before": plain(asdict(comparison.before)), "after": plain(asdict(comparison.after)),
        "margin": comparison.margin, "method": comparison.method,
        "shifts": [plain(asdict(shift)) for shift in comparison.shifts],
        "pairs": [_pair(pair, comparison) for pair in comparison.pairs],
        "refused": [{**_both(item.before, item.after), "differences": [asdict(each) for each in item.differences]}
                    for item in comparison.refused],
        "broke": [_cell(cell) for cell in comparison.broke], "mended": [_cell(cell) for cell in comparison.mended],
        "in_use": [_both(before, after) for before, after in comparison.in_use],
        "missed": [_both(before, after) for before, after in comparison.missed],
        "only_before": list(comparison.only_before), "only_after": list(comparison.only_after),
        "pending": list(comparison.pending), "against": dict(comparison.against), "remarks": list(comparison.remarks)}


def dumps(comparison: Comparison) -> str:
    """`to_json` as text, ASCII only, ending in a newline."""
    return json.dumps(to_json(comparison), indent=2, allow_nan=False) + "\n"


def _pair(pair: CellPair, comparison: Comparison) -> object:
    return plain({
        **_both(pair.before, pair.after), "latency": asdict(pair.latency),
        "memory": asdict(pair.memory) if pair.memory else None, "size_ratio": pair.size_ratio,
        "accuracy_change": pair.accuracy_change, "despite": [asdict(item) for item in pair.despite],
        "noted": [asdict(item) for item in pair.noted], "retried": pair.retried,
        "unlike": [asdict(item) for item in pair.unlike],
        "moved_with_device": moved_with(pair, comparison.shifts) is not None})


def _both(before: CellResult, after: CellResult) -> dict[str, Any]:
    return {"cell": after.cell, "before": _cell(before), "after": _cell(after)}


def _cell(cell: CellResult) -> object:
    return plain({**asdict(cell), "badge": cell.badge})
