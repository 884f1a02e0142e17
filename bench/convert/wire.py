"""Jobs for children and their answers, as JSON files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.convert.lost_samples import LostSamples
from bench.convert.measures import db_from_json, db_to_json
from bench.convert.parts import Part
from bench.convert.probe import probe_from_json, probe_to_json
from bench.convert.recipe import Work
from bench.convert.types import Gate, uncompared
from bench.errors import Fault
from bench.models.spec import Source, TensorSpec

UNANSWERED = 74
"""The status of a child that could not read its job or write its answer, as sysexits.h calls it EX_IOERR."""


@dataclass(frozen=True)
class Failure:
    """Why a child's task failed: one line, whose fault, and whether the same task would fail again."""

    reason: str
    fault: Fault
    lasting: bool


@dataclass(frozen=True)
class Passed:
    """What the gate found: the artifact's own tensors in the model's order, and how near its outputs are."""

    inputs: tuple[TensorSpec, ...]
    places: tuple[int, ...]
    outputs: tuple[TensorSpec, ...]
    gate: Gate
    warnings: tuple[str, ...]


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write `data` so that a reader sees all of it or nothing."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data, allow_nan=False), encoding="utf-8")
    part.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object that a file holds; {} when there is no such file."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return data


def source_to_json(source: Source) -> dict[str, Any]:
    """The source as JSON."""
    weights = None if source.weights is None else str(source.weights)
    return {**asdict(source), "root": str(source.root), "weights": weights}


def source_from_json(data: dict[str, Any]) -> Source:
    """The source that `source_to_json` wrote."""
    weights = data["weights"]
    return Source(data["kind"], data["location"], Path(data["root"]), data["sha256"],
                  None if weights is None else Path(weights))


def work_to_json(work: Work) -> dict[str, Any]:
    """The work as JSON."""
    return {"source": source_to_json(work.source), "inputs": tensors_to_json(work.inputs), "precision": work.precision,
            "base": None if work.base is None else str(work.base), "calibration": str(work.calibration),
            "output": str(work.output), "probe": None if work.probe is None else probe_to_json(work.probe)}


def work_from_json(data: dict[str, Any]) -> Work:
    """The work that `work_to_json` wrote."""
    base = data["base"]
    return Work(source_from_json(data["source"]), tensors_from_json(data["inputs"]), data["precision"],
                None if base is None else Path(base), Path(data["calibration"]), Path(data["output"]),
                None if data["probe"] is None else probe_from_json(data["probe"]))


def passed_to_json(passed: Passed) -> dict[str, Any]:
    """The gate's findings as JSON; infinite ratios are null."""
    gate = passed.gate
    return {"inputs": tensors_to_json(passed.inputs), "places": list(passed.places),
            "outputs": tensors_to_json(passed.outputs),
            "gate": {"not_compared": gate.not_compared} if gate.not_compared else
                    {"sqnr_db": db_to_json(gate.sqnr_db), "cosine": gate.cosine, "max_abs": gate.max_abs,
                     "poor": [asdict(part) for part in gate.poor], "worst": gate.worst and asdict(gate.worst),
                     "varying_db": db_to_json(gate.varying_db), "equal": gate.equal,
                     "samples": [asdict(each) for each in gate.samples]},
            "warnings": list(passed.warnings)}


def passed_from_json(data: dict[str, Any]) -> Passed:
    """The findings that `passed_to_json` wrote."""
    return Passed(tensors_from_json(data["inputs"]), tuple(data["places"]), tensors_from_json(data["outputs"]),
                  _gate_from_json(data["gate"]), tuple(data["warnings"]))


def _gate_from_json(gate: dict[str, Any]) -> Gate:
    if "not_compared" in gate:
        return uncompared(gate["not_compared"])
    return Gate(db_from_json(gate["sqnr_db"]), gate["cosine"], gate["max_abs"],
                tuple(Part(**part) for part in gate["poor"]), gate["worst"] and Part(**gate["worst"]),
                db_from_json(gate["varying_db"]), gate["equal"],
                samples=tuple(LostSamples(**each) for each in gate["samples"]))


def tensors_to_json(tensors: tuple[TensorSpec, ...]) -> list[dict[str, Any]]:
    """The tensors as JSON."""
    return [tensor.to_json() for tensor in tensors]


def tensors_from_json(data: list[dict[str, Any]]) -> tuple[TensorSpec, ...]:
    """The tensors that `tensors_to_json` wrote."""
    return tuple(TensorSpec.from_json(item) for item in data)
