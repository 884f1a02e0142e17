"""The files that fidelity is measured on: every model of models.yaml, converted for every runtime."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bench.config.devices import DeviceConfig, LocalConfig
from bench.config.load import parse_suite
from bench.convert import variants
from bench.convert.process import Limits
from bench.convert.types import Artifact
from bench.convert.variants import Request
from bench.plan import Cell, plan
from bench.run.files import InputFile
from bench.run.prepare import OpenedModel, encode_inputs, open_models
from benchmarks.setting import DEVICE, ROOT, Setting

MODELS = Path(__file__).with_name("models.yaml")


@dataclass(frozen=True)
class Subject:
    """One file with its inputs, and what runs it."""

    cell: Cell
    artifact: InputFile
    inputs: InputFile

    @property
    def name(self) -> str:
        return f"{self.cell.model} {self.cell.precision} {self.cell.runtime}"


def make_subjects(setting: Setting, only: Collection[str] | None) -> tuple[list[Subject], list[str]]:
    """The subjects (of `only` these models), converted where the cache lacks them; a line for each that was refused."""
    suite = parse_suite(MODELS.read_text(encoding="utf-8"), MODELS, ROOT)
    models = {name: model for name, model in open_models(suite, setting.cache).items()
              if isinstance(model, OpenedModel)}
    planned = plan(suite.config, {DEVICE: DeviceConfig(local=LocalConfig())},
                   {name: model.planned for name, model in models.items()})
    cells = [item.cell for item in planned if item.reason is None and (only is None or item.cell.model in only)]
    requests = {cell: Request(models[cell.model].job, cell.format, cell.precision) for cell in cells}
    made = variants.convert(list(requests.values()), setting.cache, Limits(), variants.default_jobs(),
                            lambda event: _told(event, setting))
    subjects, refused = [], []
    for cell, request in requests.items():
        result = made[request]
        if isinstance(result, Artifact):
            model = models[cell.model]
            inputs = encode_inputs(result, model.inputs, model.verification, setting.cache)
            subjects.append(Subject(cell, InputFile(result.path, result.sha256), inputs))
        else:
            refused.append(f"{cell.model} {cell.precision} {cell.runtime}: not converted: {result.reason}")
    return subjects, refused


def _told(event: variants.Event, setting: Setting) -> None:
    if event.kind != "cached":
        setting.tell(f"{event.kind}: {event.request.job.model} {event.request.format} {event.request.precision}")
