"""A run from its suite to its last recorded trial."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from bench.bundles import library
from bench.bundles.layers import Bundle
from bench.config.devices import DeviceConfig
from bench.config.load import LoadedSuite
from bench.convert.cache import Cache
from bench.deadline import Deadline
from bench.judge.identity import history_notes
from bench.plan import PlannedCell, plan
from bench.run import describe
from bench.run.clock import now
from bench.run.events import Event, Notify
from bench.run.in_use import refuse_if_all_in_use
from bench.run.parallel import Lab, measure_all
from bench.run.prepare import OpenedModel, Unusable, open_models
from bench.run.resume import refuse_changes, refuse_other_cells, saved_progress, saved_trials, spent_s
from bench.run.stop import Stop
from bench.run.tasks import Agenda, Ready, whole_agenda
from bench.run.variants import make_ready
from bench.store.going import going
from bench.store.records import CellRecord, RunRecord, StoredRun
from bench.store.store import Store


@dataclass(frozen=True)
class RunRequest:
    """What to run: a suite (its measuring already shortened when `quick`) on devices.

    `purpose` is noise for the same cells measured twice as often, to learn how far equal cells differ.
    """

    suite: LoadedSuite
    devices: Mapping[str, DeviceConfig]
    devices_text: str
    devices_path: str
    quick: bool = False
    purpose: Literal["measure", "noise"] = "measure"
    wait_s: float = 0.0
    """How long a device that somebody else uses is waited for."""


@dataclass(frozen=True)
class Prepared:
    """The suite's models, opened, and its cells, planned. Nothing has been converted or pushed."""

    models: dict[str, OpenedModel | Unusable]
    planned: tuple[PlannedCell, ...]
    bundle: Bundle | None
    """What devices without a Python are given."""

    @property
    def usable(self) -> dict[str, OpenedModel]:
        return {name: model for name, model in self.models.items() if isinstance(model, OpenedModel)}

    @property
    def said(self) -> list[str]:
        """What is to be known before anything runs: where each input's values come from, and warnings."""
        found = [f"{name}: input {input_}: {words}" for name, model in self.usable.items()
                 for input_, words in model.words.items()]
        warned = {f"warning: {item.cell.model}: {text}": None for item in self.planned for text in item.warnings}
        return [*found, *warned]

    @property
    def wanted(self) -> set[tuple[str, str]]:
        """The (device, model) pairs that the run is to measure something of."""
        return {(item.cell.device, item.cell.model) for item in self.planned if item.fault != "config"}


def prepare(request: RunRequest, cache: Cache) -> Prepared:
    """Open the models and plan the cells. Raises ConfigError."""
    models = open_models(request.suite, cache)
    bundle = library.newest(cache.bundles)
    planned = plan(request.suite.config, request.devices, {name: model.planned for name, model in models.items()},
                   bundle.runtimes if bundle else None)
    return Prepared(models, planned, bundle)


def run(request: RunRequest, prepared: Prepared, store: Store, cache: Cache, stop: Stop, notify: Notify,
        earlier: StoredRun | None = None) -> str:
    """Convert, measure and record everything; with `earlier`, only what it has not saved. The run's id.

    Whatever fails is recorded as its cell's failure. Raises AllInUse, with nothing stored, when all devices are in use;
    ConfigError when `earlier` was of another model; KeyboardInterrupt when stopped before measuring began, the run is
    then left to be resumed.
    """
    wait = Deadline(request.wait_s)
    measured = {item.cell.device for item in prepared.planned if item.reason is None}
    refuse_if_all_in_use({name: device for name, device in request.devices.items() if name in measured}, wait, stop,
                         notify)
    record = earlier.run if earlier else _begin(request, prepared, store)
    with going(store.path, record.id):
        _whole(record, request, prepared, store, cache, stop, notify, earlier, wait)
    return record.id


def _whole(record: RunRecord, request: RunRequest, prepared: Prepared, store: Store, cache: Cache, stop: Stop,
           notify: Notify, earlier: StoredRun | None, wait: Deadline) -> None:
    for model in prepared.models.values():
        if isinstance(model, Unusable):
            notify(Event("refused", f"{model.name}: {model.reason}"))
    for text in (*history_notes(record.host), *prepared.said):
        notify(Event("note", text))
    cells = cells_of(record, prepared)
    if earlier:
        refuse_other_cells(earlier, cells)
    ready, left_out = make_ready(request.suite.config, cells, prepared.usable, cache, notify)
    left_out += [cell for cell in cells if cell.status == "skipped"]
    if earlier:
        refuse_changes(earlier, ready, left_out)
        store.set_state(record.id, "interrupted", None)  # what stands if this process is killed
        store.set_judgement(record.id, None)  # it was of fewer trials
    for cell in [*left_out, *(item.cell for item in ready)]:
        store.replace_cell(cell)
    agendas = {name: _agenda(request, name, ready, earlier) for name in request.devices}
    measure_all(Lab(request.suite.config, request.devices, prepared.bundle, store, cache, wait), record.id, agendas,
                stop, notify)
    state = "interrupted" if stop.soft.is_set() else describe.state_of(store.load(record), prepared.wanted)
    store.set_state(record.id, state, None if state == "interrupted" else now())


def _agenda(request: RunRequest, device: str, ready: list[Ready], earlier: StoredRun | None) -> Agenda:
    mine = [item for item in ready if item.cell.device == device]
    return whole_agenda(mine, request.suite.config.measure, saved_trials(earlier), saved=saved_progress(earlier),
                        spent_s=spent_s(earlier, device), accuracy=request.purpose == "measure")


def _begin(request: RunRequest, prepared: Prepared, store: Store) -> RunRecord:
    record = new_record(request, store)
    store.add_run(record, cells_of(record, prepared))
    return record


def new_record(request: RunRequest, store: Store) -> RunRecord:
    """The run that starts now, which the store does not have yet."""
    suite = request.suite
    host, notes = describe.host(suite, store.runs())
    was = {name: list(model.old_names) for name, model in suite.config.models.items() if model.old_names}
    return RunRecord(
        id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}", suite=suite.config.name,
        suite_text=suite.text, suite_path=str(suite.path.resolve()), devices_text=request.devices_text,
        devices_path=request.devices_path, started=now(), finished=None, state="interrupted",
        settings={"quick": request.quick, "devices": list(request.devices),
                  "measure": suite.config.measure.model_dump(mode="json"),
                  "precisions": list(suite.config.precisions), "runtimes": list(suite.config.runtimes),
                  **({"was": was} if was else {})},
        host=host, notes=[*describe.notes(suite.config, request.quick), *notes], purpose=request.purpose)


def cells_of(record: RunRecord, prepared: Prepared) -> list[CellRecord]:
    """The run's cells as they are planned."""
    return [_with_log(_cell(record.id, position, planned), prepared) for position, planned in
            enumerate(prepared.planned)]


def _with_log(cell: CellRecord, prepared: Prepared) -> CellRecord:
    model = prepared.models[cell.model]
    return replace(cell, log=model.log) if isinstance(model, Unusable) and cell.reason == model.reason else cell


def _cell(run_id: str, position: int, planned: PlannedCell) -> CellRecord:
    return CellRecord(run=run_id, cell=planned.cell.id, position=position, **asdict(planned.cell),
                      status="skipped" if planned.reason else "planned", reason=planned.reason, fault=planned.fault)
