"""Further trials of a run that has just ended, in turn with the files that an earlier run measured.

Two nights differ in heat, load and clocks. Where they leave it open whether a cell became slower, the file of then and
the file of now are measured by turns within minutes: what still differs is the files' own doing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config.load import parse_suite
from bench.convert.cache import Cache, look_up
from bench.convert.making import artifact_of
from bench.convert.types import Artifact
from bench.deadline import Deadline
from bench.errors import BenchError
from bench.run import describe
from bench.run.clock import now
from bench.run.events import Event, Notify
from bench.run.parallel import Lab, measure_all
from bench.run.prepare import encode_inputs
from bench.run.stop import Stop
from bench.run.tasks import Agenda, Ready, Task, Turn, in_turn
from bench.run.variants import make_ready
from bench.store.going import going
from bench.store.records import CellRecord, StoredRun
from bench.store.store import Store

if TYPE_CHECKING:
    from bench.run.job import Prepared, RunRequest


@dataclass(frozen=True)
class Ask:
    """So many further trials of a cell; with `baseline`, the same cell of an earlier run, as many of its file too."""

    cell: str
    trials: int
    baseline: CellRecord | None


def measure_more(request: RunRequest, run_id: str, asks: Sequence[Ask], prepared: Prepared, store: Store, cache: Cache,
                 stop: Stop, notify: Notify) -> None:
    """Measure what is asked for on the run's devices and record it in the run, under the cells' names.

    Own trials are of kind latency with numbers after the highest, those of the baseline's file of kind baseline; both
    in the order ABBA, cell after cell, so that a drift of the device meets both alike. The settings of all of them
    name the earlier run (`retry_of`), those of own trials say `retry`. A baseline that cannot be measured any more
    (its file left the cache, or takes other inputs) is told by an event, and own trials are done alone; so are they
    where file and options are the same as then. The run's state is judged anew, without the baseline's trials.

    Raises ConfigError when another process works on the run, KeyboardInterrupt when stopped before it began.
    """
    run = store.find_run(run_id)
    with going(store.path, run_id):
        stored = store.load(run)
        ready = _ready(request, stored, asks, prepared, cache, notify)
        turns: dict[str, list[list[Turn]]] = {name: [] for name in request.devices}
        for ask in asks:
            own = ready.get(ask.cell)
            if own is not None:
                other = _baseline(ask, own, request, store, cache, notify)
                turns[own.cell.device].append(_turns(ask, own, other, stored))
        agendas = {name: Agenda(tuple(_by_rounds(cells))) for name, cells in turns.items()}
        measure_all(Lab(request.suite.config, request.devices, prepared.bundle, store, cache, Deadline(request.wait_s)),
                    run_id, agendas, stop, notify)
        store.set_state(run_id, describe.state_of(store.load(run), prepared.wanted), now())


def _ready(request: RunRequest, stored: StoredRun, asks: Sequence[Ask], prepared: Prepared, cache: Cache,
           notify: Notify) -> dict[str, Ready]:
    """The cells asked for, from the cache, by name; those that are not there as they were are told and left out."""
    asked = {ask.cell for ask in asks}
    cells = [cell for cell in stored.cells if cell.cell in asked and cell.status == "planned"]
    ready, left_out = make_ready(request.suite.config, cells, prepared.usable, cache, notify)
    for cell in left_out:
        notify(Event("note", f"{cell.cell}: no further trials: {cell.reason}", cell.device))
    measured = {cell.cell: (cell.artifact or {}).get("sha256") for cell in cells}
    for item in ready:
        if item.artifact.sha256 != measured[item.cell.cell]:
            notify(Event("note", f"{item.cell.cell}: no further trials: its file has changed since it was measured",
                         item.cell.device))
    return {item.cell.cell: item for item in ready if item.artifact.sha256 == measured[item.cell.cell]}


def _baseline(ask: Ask, own: Ready, request: RunRequest, store: Store, cache: Cache, notify: Notify) -> Ready | None:
    """The baseline's file with today's inputs as it takes them, and its options; None where there is nothing to hold
    the cell against."""
    if ask.baseline is None:
        return None
    earlier = store.find_run(ask.baseline.run)
    options = parse_suite(earlier.suite_text, Path(earlier.suite_path), Path(earlier.suite_path).parent).config \
        .options_of(own.cell.runtime).options
    today = request.suite.config.options_of(own.cell.runtime).options
    if (ask.baseline.artifact or {}).get("sha256") == own.artifact.sha256 and options == today:
        return None
    try:
        artifact, reason = _artifact(ask.baseline, own, cache)
        if artifact is not None:
            inputs = encode_inputs(artifact, own.model.inputs, own.model.verification, cache)
            return replace(own, artifact=artifact, verification=inputs, labelled=None, options=options)
    except BenchError as error:
        reason = error.message
    notify(Event("note", f"{ask.cell}: measured again without its baseline of run {earlier.id}: {reason}",
                 own.cell.device))
    return None


def _artifact(baseline: CellRecord, own: Ready, cache: Cache) -> tuple[Artifact | None, str]:
    """The baseline's file from the cache, or why it cannot be measured beside the cell."""
    known = baseline.artifact or {}
    entry = look_up(cache, str(known.get("key"))) if known.get("key") else None
    if entry is None or entry.file is None or entry.sha256 != known.get("sha256"):
        return None, "its file is no longer in the cache"
    try:
        artifact = artifact_of(entry)
    except (KeyError, TypeError, ValueError):
        return None, "its entry in the cache was written by another version of bench"
    if [spec.shape for spec in artifact.inputs] != [spec.shape for spec in own.artifact.inputs]:
        return None, "its file takes other inputs"
    if len(artifact.outputs) != len(own.artifact.outputs):
        return None, f"its file has {len(artifact.outputs)} outputs, the cell's {len(own.artifact.outputs)}"
    return artifact, ""


def _turns(ask: Ask, own: Ready, baseline: Ready | None, stored: StoredRun) -> list[Turn]:
    """The cell's trials by turns with its baseline's."""
    highest = {kind: max((trial.number for trial in stored.trials if (trial.cell, trial.kind) == (ask.cell, kind)),
                         default=0) for kind in ("latency", "baseline")}
    marks = {"retry_of": ask.baseline.run} if ask.baseline and baseline else {}
    turns = range(1, ask.trials + 1)
    return in_turn(
        [Task(own, "latency", highest["latency"] + turn, {"retry": True, **marks}) for turn in turns],
        [Task(baseline, "baseline", highest["baseline"] + turn, marks) for turn in turns] if baseline else [])


def _by_rounds(cells: Sequence[Sequence[Turn]]) -> Iterator[Task]:
    """Round-robin over the cells: a turn of each, then the next of each."""
    for turns in itertools.zip_longest(*cells, fillvalue=()):
        for turn in turns:
            yield from turn
