"""Cells of the fake runtime, measured as a run measures any other: for what real files do too seldom or too slowly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.bundles.agent import build_agent
from bench.config.devices import DeviceConfig, LocalConfig
from bench.config.suite import SuiteConfig
from bench.convert.types import Artifact, Gate
from bench.datasets.npz import write_npz
from bench.models.spec import Source, TensorSpec
from bench.run import link, quiet
from bench.run.device import DeviceJob
from bench.run.files import InputFile
from bench.run.link import AgentKit
from bench.run.prepare import OpenedModel, References
from bench.run.tasks import Ready, whole_agenda
from bench.session import Session, open_session
from bench.store.records import CellRecord, RunRecord

MEASURE = {"trials": 2, "min_samples": 3, "min_time": 0.0, "timeout": 4.0,
           "warmup": {"min_runs": 1, "min_time": 0.0, "max_time": 0.0}}
SPEC = TensorSpec("x", (3,), "float32")
VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def offer_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let devices say that they have the fake runtime, which the agent does not tell of; and nothing of who else uses
    them right after a trial, whose fake inferences take next to no time."""

    def opened(*arguments: Any) -> Session:
        session = open_session(*arguments)
        session.hello = replace(session.hello, runtimes={**session.hello.runtimes, "fake": "fake 1"})
        return session

    monkeypatch.setattr(link, "open_session", opened)
    monkeypatch.setattr(quiet, "use_now", lambda look, sleep: None)


def fake_run(run: str = "20260101-000000-aaaa", **changes: Any) -> RunRecord:
    record = RunRecord(run, "fakes", "", "suite.yaml", "", "devices.yaml", "2026-01-01T00:00:00Z", None, "interrupted",
                       {"measure": MEASURE}, {}, [])
    return replace(record, **changes)


def fake_cell(name: str, position: int = 0, run: str = "20260101-000000-aaaa") -> CellRecord:
    return CellRecord(run, f"{name}@here", position, "here", name, "json", "fp32", "fake", "cpu", 1, 1, "planned")


def fake_job(folder: Path, behaviours: dict[str, dict[str, Any]], **measure: Any) -> DeviceJob:
    """A job for this machine whose cells, by name, behave as told; their models echo their input."""
    inputs = folder / "inputs.npz"
    verification = InputFile(inputs, write_npz(inputs, {"0": VALUES}))
    ready = tuple(_ready(folder, fake_cell(name, position), behaviour, verification)
                  for position, (name, behaviour) in enumerate(behaviours.items()))
    suite = SuiteConfig.model_validate({"version": 1, "name": "fakes", "measure": {**MEASURE, **measure},
                                        "models": {"m": {"source": {"onnx": "m.onnx"}}}})
    device = DeviceConfig(local=LocalConfig(), workdir=str(folder / "work"))
    fetched = folder / "fetched"
    fetched.mkdir()
    kit = AgentKit(build_agent(folder / "archive"))
    agenda = whole_agenda(ready, suite.measure)
    return DeviceJob("20260101-000000-aaaa", "here", device, suite, kit, fetched, agenda)


def cells_of(job: DeviceJob) -> list[CellRecord]:
    """The cells that the job measures, each once."""
    return list({task.cell: task.ready.cell for task in job.agenda.first}.values())


def _ready(folder: Path, cell: CellRecord, behaviour: dict[str, Any], verification: InputFile) -> Ready:
    path = folder / f"{cell.model}.json"
    path.write_text(json.dumps(behaviour))
    file = InputFile.of(path)
    artifact = Artifact(cell.model, "json", "fp32", path, file.sha256, path.stat().st_size, "key", (SPEC,), (0,),
                        (SPEC,), Gate(float("inf"), 1.0, 0.0), {}, 0.0, False)
    source = Source("onnx", path.name, folder, file.sha256)
    model = OpenedModel(cell.model, source, None, (SPEC,), {}, verification, verification, None, None, ())
    return Ready(cell, artifact, model, References((VALUES,)), verification, None)
