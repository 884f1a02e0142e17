"""A store of many nights, written at once: cells with the medians they are to have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.errors import Fault
from bench.store import checksums, schema
from bench.store.connect import connect
from bench.store.packing import pack
from bench.store.records import CellRecord, RunRecord, SessionRecord, TrialRecord

BEGUN = datetime(2026, 1, 1, 3, 15, tzinfo=UTC)


@dataclass(frozen=True)
class NightCell:
    """A cell and its p50 of each night in ms; NaN for a night without it."""

    p50_ms: Sequence[float]
    device: str = "phone"
    model: str = "net"
    precision: str = "fp32"
    runtime: str = "onnxruntime"
    threads: int = 1
    lost: Mapping[int, Fault] = field(default_factory=dict)
    """The nights on which it was not measured, and whose fault that was."""
    scores: Sequence[float] = ()
    """Its top-1 of each night, of 100."""
    labels: Sequence[str] = ()
    """The data and labels of each night."""

    def artifact(self, night: int, sha256: str) -> dict[str, Any] | None:
        """What it was made into, as the store has it; None where it has no labels."""
        return {"sha256": sha256, "bytes": 10**6, "source": "b" * 64,
                "data": self.labels[night] * 64} if self.labels else None

    @property
    def name(self) -> str:
        return f"{self.model}/onnx/{self.precision}/{self.runtime}-cpu/t{self.threads}@{self.device}"


DISTURBED: Final = {"user": 10**8, "system": 0, "wall": 10**9, "waited": 8 * 10**8, "involuntary": 90, "cores": 2,
                    "others": 19 * 10**8, "stolen": 0}
"""The processor's use by a trial and others that took it from it."""


@dataclass(frozen=True)
class Circumstances:
    """Of a night: what its runs and sessions tell."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    runtimes: Mapping[str, str] = field(default_factory=dict)
    git: str = "0123456789abcdef"
    artifact: str = "a" * 64
    suite: str = "vision"
    purpose: str = "measure"
    options: Mapping[str, str] = field(default_factory=dict)
    state: str = "finished"
    path: str = "suite.yaml"
    host: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    disturbed: bool = False
    """Whether others took the processor from its trials."""
    models: Sequence[str] | None = None
    """Those that the suite has, where they are not all."""


def usual(_night: int) -> Circumstances:
    """Every night the same."""
    return Circumstances()


def run_id(night: int) -> str:
    return f"{BEGUN + timedelta(days=night):%Y%m%d-%H%M%S}-{night:04x}"


def write_nights(path: Path, cells: Sequence[NightCell], *, trials: int = 3, trial_sd: float = 0.01,
                 circumstances: Callable[[int], Circumstances] = usual, seed: int = 0) -> None:
    """A store of as many nights as the cells have values. A night's trial medians lie about its p50 by `trial_sd`, and
    their middle one is it."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, Any]]] = {"runs": [], "cells": [], "sessions": [], "trials": []}
    for night in range(len(cells[0].p50_ms)):
        seen = circumstances(night)
        run = _run(night, seen)
        rows["runs"].append(dataclasses.asdict(run))
        for device in dict.fromkeys(cell.device for cell in cells):
            rows["sessions"].append(_session(run, device, seen, len(rows["sessions"]) + 1))
        for position, cell in enumerate(cell for cell in cells if seen.models is None or cell.model in seen.models):
            rows["cells"].append(dataclasses.asdict(CellRecord(
                run.id, cell.name, position, cell.device, cell.model, "onnx", cell.precision, cell.runtime, "cpu",
                cell.threads, 1, "skipped" if night in cell.lost else "planned", "unplugged", cell.lost.get(night),
                cell.artifact(night, seen.artifact))))
            if night in cell.lost:
                continue
            if cell.scores:
                rows["trials"].append(_scored(run, cell, night, seen))
            offsets = rng.normal(0, trial_sd, trials)
            for number, offset in enumerate(offsets - np.median(offsets), 1):
                if np.isfinite(cell.p50_ms[night]):
                    median_ns = float(cell.p50_ms[night] * 1e6 * np.exp(offset))
                    rows["trials"].append(_trial(run, cell.name, number, median_ns, seen))
    engine = connect(path, create=True)
    with engine.begin() as connection:
        for name, values in rows.items():
            connection.execute(schema.metadata.tables[name].insert(), values)
            checksums.write(connection, schema.metadata.tables[name])
    engine.dispose()


def _run(night: int, seen: Circumstances) -> RunRecord:
    started = f"{BEGUN + timedelta(days=night):%Y-%m-%dT%H:%M:%SZ}"
    return RunRecord(run_id(night), seen.suite, "", seen.path, "", "devices.yaml", started, started, seen.state,
                     {"quick": False, **seen.settings}, {"git": seen.git, **seen.host}, [],
                     purpose=seen.purpose, number=night + 1)


def _session(run: RunRecord, device: str, seen: Circumstances, number: int) -> dict[str, Any]:
    facts = {"os": "Debian 12", "kernel": "6.1.0", **seen.facts}
    runtimes = {"onnxruntime": "onnxruntime 1.22.0", "tflite": "tflite 2.3.0", **seen.runtimes}
    return dataclasses.asdict(SessionRecord(number, run.id, device, run.started, "boot", "f" * 64, facts, runtimes))


def _scored(run: RunRecord, cell: NightCell, night: int, seen: Circumstances) -> dict[str, Any]:
    value = cell.scores[night]
    accuracy = {"metric": "top1", "value": value, "count": 100, "reference": value, "drop": 0.0}
    return {**_trial(run, cell.name, 1, 1e6, seen), "kind": "accuracy", "accuracy": accuracy, "samples": None,
            "median_ns": None}


def _trial(run: RunRecord, cell: str, number: int, median_ns: float, seen: Circumstances) -> dict[str, Any]:
    return dataclasses.asdict(TrialRecord(
        run.id, cell, None, "latency", number, 1, run.started, 2.0, "ok", seen.artifact, "b" * 64,
        {"options": dict(seen.options)} if seen.options else {}, {}, [],
        {"load_ns": 5, "samples_ns": int(median_ns)}, {}, pack([int(median_ns)]), 1, median_ns=median_ns,
        cpu_ns=DISTURBED if seen.disturbed else None))
