"""Results as JSON for tools."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

from bench.report.morning import Morning
from bench.results import Accuracy, CellResult, Cores, DeviceSummary, Outputs

SCHEMA = 1


def to_json(morning: Morning) -> dict[str, object]:
    """The result as plain JSON values; what is unknown is null, and so is any number that is not finite.

    A null `sqnr_db` beside a `max_abs` of 0 means that the outputs are identical: their SQNR is infinite.
    """
    from bench.report import comparison_json

    result, told = morning.result, morning.comparison
    return {"schema": SCHEMA, "run": plain(asdict(result.run)), "cells": [_cell(cell) for cell in result.cells],
            "devices": [_device(device) for device in result.devices],
            "comparison": comparison_json.to_json(told) if told else None}


def dumps(morning: Morning) -> str:
    """`to_json` as text, ASCII only, ending in a newline."""
    return json.dumps(to_json(morning), indent=2, allow_nan=False) + "\n"


def _cell(cell: CellResult) -> object:
    return plain({
        "device": cell.device, "emulated": cell.emulated, "model": cell.model, "format": cell.format,
        "precision": cell.precision, "runtime": cell.runtime, "delegate": cell.delegate, "threads": cell.threads,
        "batch": cell.batch, "status": cell.status, "reason": cell.reason, "fault": cell.fault,
        "artifact": asdict(cell.artifact) if cell.artifact else None, "latency_ms": asdict(cell.latency_ms),
        "throughput_per_s": cell.throughput_per_s, "load_ms": cell.load_ms,
        "first_inference_ms": cell.first_inference_ms, "trials": cell.trials, "samples": cell.samples,
        "memory_mib": asdict(cell.memory_mib), "accuracy": _maybe(cell.accuracy), "outputs": _maybe(cell.outputs),
        "cores": _maybe(cell.cores), "throttled": cell.throttled, "disturbed": cell.disturbed,
        "warnings": list(cell.warnings),
        "badge": cell.badge if cell.status == "ok" else None, "checks": [asdict(check) for check in cell.checks]})


def _device(device: DeviceSummary) -> object:
    return plain({"name": device.name, "emulated": device.emulated, "facts": device.facts,
                   "versions": device.versions, "warnings": list(device.warnings)})


def _maybe(value: Accuracy | Outputs | Cores | None) -> dict[str, object] | None:
    if isinstance(value, Outputs):
        return {"ok": None if value.state == "unknown" else not value.wrong, **asdict(value)}
    return asdict(value) if value else None


def plain(value: object) -> object:
    """`value` made of dict, list, str, int, float, bool and None only; a number that is not finite is None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)
