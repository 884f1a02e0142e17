"""Suite x devices -> cells, with a reason for every cell that is left out. Needs no device."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.config.devices import DeviceConfig
from bench.config.suite import ExcludeConfig, SuiteConfig
from bench.convert import recipes
from bench.errors import Fault
from bench.models.spec import SourceKind
from bench.words import DELEGATES_OF_RUNTIME, FORMAT_OF_RUNTIME


@dataclass(frozen=True)
class Cell:
    """What is measured. `batch` is the leading dimension of the first input, None for a scalar."""

    device: str
    model: str
    format: str
    precision: str
    runtime: str
    delegate: str
    threads: int
    batch: int | None

    @property
    def id(self) -> str:
        """A readable name, unique within a run: `mobilenet/onnx/int8/onnxruntime-cpu/t1@pixel-8`."""
        return (f"{self.model}/{self.format}/{self.precision}/{self.runtime}-{self.delegate}/t{self.threads}"
                f"@{self.device}")


@dataclass(frozen=True)
class PlannedCell:
    """A cell to measure, or, with a `reason`, one that is left out."""

    cell: Cell
    reason: str | None = None
    fault: Fault | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanModel:
    """What planning must know of a model. `precision` is what the source's own weights are.

    `reason` says why the model cannot be used at all, where that is so. `made_up` has the ranges of inputs whose values
    nobody gave, `shared` says that it is verified on what it is calibrated on. `warnings` are of all its variants,
    `calibration_warnings` of those that are calibrated.
    """

    kind: SourceKind
    precision: str
    batch: int | None
    reason: str | None = None
    fault: Fault = "model"
    """Whose doing that is."""
    made_up: Mapping[str, str] = field(default_factory=dict)
    shared: str = ""
    warnings: tuple[str, ...] = ()
    calibration_warnings: tuple[str, ...] = ()


def plan(suite: SuiteConfig, devices: Mapping[str, DeviceConfig], models: Mapping[str, PlanModel],
         bundled: Collection[str] | None = None) -> tuple[PlannedCell, ...]:
    """Every cell of the suite on these devices, in a stable order.

    `bundled` are the runtimes in the bundle for devices without a Python; None when none has been built.
    """
    return tuple(_judge(cell, suite, devices[cell.device], models[cell.model], bundled)
                 for cell in _cells(suite, devices, models))


def _cells(suite: SuiteConfig, devices: Mapping[str, DeviceConfig], models: Mapping[str, PlanModel]) -> Iterator[Cell]:
    for device, (name, model), runtime in itertools.product(devices, models.items(), suite.runtimes):
        for precision in asked_for(suite.precisions, model.precision):
            for delegate, threads in itertools.product(_delegates(suite, runtime), suite.threads):
                yield Cell(device, name, FORMAT_OF_RUNTIME[runtime], precision, runtime, delegate, threads, model.batch)


def asked_for(wanted: Sequence[str], own: str) -> Sequence[str]:
    """What the suite asks for; a source that is quantized already is measured as it is, whether asked for or not."""
    return wanted if own in wanted or own == "fp32" else (own, *wanted)


def hindrance(model: PlanModel, format_: str, precision: str) -> str | None:
    """Why the model cannot become that variant, as far as can be told without trying; None when it may."""
    if model.reason is not None:
        return model.reason
    if recipes.find(model.kind, format_, precision, model.precision) is not None:
        return None
    return recipes.why_not(model.kind, format_, precision, model.precision)


def warnings_of(model: PlanModel, format_: str, precision: str) -> tuple[str, ...]:
    """What is to be said of a variant before it is made: of its calibration where it is calibrated, of its weights."""
    recipe = recipes.find(model.kind, format_, precision, model.precision)
    if recipe is None or not recipe.calibrated:
        return model.warnings
    doubt = unproven(model, format_, precision)
    return (*([doubt] if doubt else []), *model.calibration_warnings, *model.warnings)


def unproven(model: PlanModel, format_: str, precision: str) -> str:
    """Why the check of outputs says nothing of a variant's outputs on real inputs; empty where it does.

    What is calibrated fits the values that it was calibrated on, and made-up ones to verify on are of the same kind.
    Without calibration any values will do: both the variant and its reference compute on them.
    """
    recipe = recipes.find(model.kind, format_, precision, model.precision)
    if recipe is None or not recipe.calibrated:
        return ""
    if model.made_up:
        listed = ", ".join(f"{name} in {limits}" for name, limits in model.made_up.items())
        values = f"in {next(iter(model.made_up.values()))}" if len(model.made_up) == 1 else f"({listed})"
        return f"{precision} is calibrated on made-up values {values}: give calibration:, dataset: or range:"
    if model.shared:
        return f"{precision} is verified on the sample that it is calibrated on: {model.shared}"
    return ""


def _delegates(suite: SuiteConfig, runtime: str) -> Sequence[str]:
    return suite.options_of(runtime).delegates or DELEGATES_OF_RUNTIME[runtime][:1]


def _judge(cell: Cell, suite: SuiteConfig, device: DeviceConfig, model: PlanModel,
           bundled: Collection[str] | None) -> PlannedCell:
    for rule in suite.exclude:
        if _matches(rule, cell):
            return PlannedCell(cell, f"excluded: {rule.because}", "config")
    if device.runtimes is not None and cell.runtime not in device.runtimes:
        listed = ", ".join(device.runtimes)
        return PlannedCell(cell, f"{cell.device} is listed with the runtimes {listed} only", "config")
    reason = hindrance(model, cell.format, cell.precision)
    if reason:
        return PlannedCell(cell, reason, model.fault)
    if device.brings_python and (bundled is None or cell.runtime not in bundled):
        lack = "no bundle has been built" if bundled is None else f"the bundle has no {cell.runtime}"
        return PlannedCell(cell, f"{cell.device} has no Python of its own to use, and {lack}: bench bundle build",
                           "device")
    return PlannedCell(cell, warnings=warnings_of(model, cell.format, cell.precision))


def _matches(rule: ExcludeConfig, cell: Cell) -> bool:
    keys = ("model", "format", "precision", "runtime", "device")
    return all(getattr(rule, key) in (None, getattr(cell, key)) for key in keys)
