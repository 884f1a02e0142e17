"""One device's part of a run: trial after trial, each recorded, whatever happens."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bench.conditions import Reading
from bench.config.devices import DeviceConfig
from bench.config.suite import SuiteConfig
from bench.convert.types import Artifact
from bench.errors import BenchError
from bench.run import outputs
from bench.run.clock import now
from bench.run.events import Event, Notify
from bench.run.files import InputFile
from bench.run.gate import wait_until_fit
from bench.run.link import AgentKit, Link
from bench.run.prepare import OpenedModel, References
from bench.run.stop import Stop
from bench.session import TrialError
from bench.store.packing import pack
from bench.store.records import CellRecord, TrialRecord
from bench.store.store import Store

ATTEMPTS = 2
"""What the link broke is tried once more; what the device or the model broke is not."""


class _Stopped(Exception):
    """The run is to end, and the trial has not begun."""


@dataclass(frozen=True)
class Ready:
    """A cell that can be measured: its file and its inputs as that file takes them."""

    cell: CellRecord
    artifact: Artifact
    model: OpenedModel
    references: References
    verification: InputFile
    labelled: InputFile | None

    @property
    def file(self) -> InputFile:
        return InputFile(self.artifact.path, self.artifact.sha256)


@dataclass(frozen=True)
class Task:
    """One trial that is still to be done."""

    ready: Ready
    kind: Literal["latency", "accuracy"]
    number: int

    @property
    def cell(self) -> str:
        return self.ready.cell.cell

    @property
    def inputs(self) -> InputFile:
        labelled = self.ready.labelled
        return labelled if self.kind == "accuracy" and labelled is not None else self.ready.verification


@dataclass(frozen=True)
class DeviceJob:
    """All that one device has to do. `done` are trials saved earlier, as (cell, kind, number): never measured again."""

    run: str
    name: str
    device: DeviceConfig
    suite: SuiteConfig
    kit: AgentKit
    folder: Path
    """Where outputs are fetched to; gone after the run."""
    ready: tuple[Ready, ...]
    done: frozenset[tuple[str, str, int]]


def tasks_of(job: DeviceJob) -> list[Task]:
    """The trials to do, round-robin over the cells so that a drift of the device meets all of them; accuracy last."""
    trials = range(1, job.suite.measure.trials + 1)
    latency = [Task(ready, "latency", number) for number, ready in itertools.product(trials, job.ready)]
    accuracy = [Task(ready, "accuracy", 1) for ready in job.ready if ready.labelled is not None]
    return [task for task in latency + accuracy if (task.cell, task.kind, task.number) not in job.done]


def measure_device(job: DeviceJob, store: Store, stop: Stop, notify: Notify) -> None:
    """Do every task of the device, or record why it could not be done."""
    with Link(job.run, job.name, job.device, job.kit, job.folder, store, notify, stop.soft) as link:
        stop.on_hard(link.end)
        _DeviceRun(job, link, store, stop, notify).measure()


class _DeviceRun:
    def __init__(self, job: DeviceJob, link: Link, store: Store, stop: Stop, notify: Notify) -> None:
        self._job = job
        self._link = link
        self._store = store
        self._stop = stop
        self._notify = notify
        self._tasks = tasks_of(job)
        self._broken: set[str] = set()
        """Cells that failed: their other trials are not tried."""
        self._pace: dict[str, float] = {}
        """Seconds of a cell's first inference, for how long its labelled set may take."""
        self._seen: Reading | None = None
        """The device as the start gate last saw it."""
        self._lost: BenchError | None = None
        """Why the device cannot be reached any more."""

    def measure(self) -> None:
        for position, task in enumerate(self._tasks, start=1):
            if self._stop.soft.is_set():
                return
            if self._lost is not None and task.cell not in self._broken:
                self._record(_failed(self._blank(task, 1), self._lost), position)
                self._broken.add(task.cell)
            elif task.cell not in self._broken and not self._left_out(task, position):
                self._attempts(task, position)

    def _attempts(self, task: Task, position: int) -> None:
        self._tell("trial", task.cell, position - 1, f"{task.kind} {task.number}")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                record = self._attempt(task, attempt)
            except _Stopped:
                return  # left open for --resume
            if record.state == "failed" and self._stop.hard.is_set():
                return  # not the cell's doing: left open for --resume
            self._record(record, position)
            if record.state == "ok":
                return
            if record.fault != "infrastructure":
                break
            self._link.close()
            if self._stop.soft.is_set():
                return  # left open for --resume
        self._broken.add(task.cell)

    def _attempt(self, task: Task, attempt: int) -> TrialRecord:
        begin = time.monotonic()
        blank = self._blank(task, attempt)
        try:
            session = self._link.session()
            blank = replace(blank, session=self._link.session_id)
            self._link.put([task.ready.file, task.inputs])
            if task.kind == "latency":
                self._seen = wait_until_fit(self._job.device, self._seen, session.look,
                                            lambda text: self._tell("waiting", task.cell, 0, text), self._pause)
            name = f"{task.kind}-{task.ready.cell.position}-{task.number}-{attempt}"
            report = session.trial(self._message(task, name), lambda phase: self._tell("phase", task.cell, 0, phase))
            verdict = self._judge(task, self._link.fetch(name, report.outputs["sha256"]))
            self._pace[task.cell] = report.phases["first_ns"] / 1e9
            record = replace(
                blank, state="ok", phases=report.phases, memory=report.memory, versions=report.versions,
                conditions=list(report.conditions), samples=pack(report.samples_ns) if report.samples_ns else None,
                sample_count=len(report.samples_ns), warm_up=report.warm_up, cpu_ns=report.cpu_ns, log=report.log,
                settings={**blank.settings, "cores_used": list(report.cores)}, **verdict)
        except TrialError as failure:
            record = replace(_failed(blank, failure.error), conditions=list(failure.conditions), log=failure.log)
        except BenchError as error:
            record = replace(_failed(blank, error), log=self._link.last_words() or None)
        return replace(record, seconds=time.monotonic() - begin)

    def _pause(self, seconds: float) -> None:
        """Wait so long. Raises _Stopped: what the device is waited for may take minutes."""
        if self._stop.soft.wait(seconds):
            raise _Stopped

    def _left_out(self, task: Task, position: int) -> bool:
        """Whether the cell is left out because the device lacks its runtime; also learns here that a device is lost."""
        try:
            runtimes = self._connected_runtimes()
        except BenchError as error:
            if self._stop.hard.is_set():
                return True  # left open for --resume
            self._lost = error
            self._notify(Event("note", f"{self._job.name}: {error}", self._job.name))
            self._record(_failed(self._blank(task, 1), error), position)
            self._broken.add(task.cell)
            return True
        runtime = task.ready.cell.runtime
        if runtime in runtimes:
            return False
        found = ", ".join(runtimes.values()) or "none"
        reason = f"{runtime} is not installed for {self._job.name}'s Python; runtimes found: {found}{self._provision()}"
        self._store.replace_cell(replace(task.ready.cell, status="skipped", reason=reason, fault="device"))
        self._broken.add(task.cell)
        return True

    def _provision(self) -> str:
        """What brings a runtime to a board that has a Python of its own."""
        board = self._job.device.ssh is not None and not self._job.device.brings_python
        return f" (bench provision -d {self._job.name})" if board else ""

    def _connected_runtimes(self) -> dict[str, str]:
        """The device's runtimes, connecting if need be, with one more try when the link is at fault."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._link.session().hello.runtimes
            except BenchError as error:
                self._link.close()
                if attempt == ATTEMPTS or error.fault != "infrastructure" or self._stop.soft.is_set():
                    raise
        raise AssertionError("unreachable")

    def _message(self, task: Task, name: str) -> dict[str, Any]:
        measure, cell = self._job.suite.measure, task.ready.cell
        labelled = task.ready.model.labelled
        count = len(labelled.labels) if task.kind == "accuracy" and labelled is not None else 0
        return {
            "trial": name, "kind": task.kind, "runtime": cell.runtime, "delegate": cell.delegate,
            "threads": cell.threads, "options": self._options(cell.runtime), "cores": self._job.device.cores,
            "artifact": task.ready.file.name, "inputs": task.inputs.name,
            "deadline_s": measure.timeout + 2 * count * self._pace.get(task.cell, 0.0),
            "measure": {"min_samples": measure.min_samples, "min_ns": int(measure.min_time * 1e9),
                        "warmup_min_runs": measure.warmup.min_runs,
                        "warmup_min_ns": int(measure.warmup.min_time * 1e9),
                        "warmup_max_ns": int(measure.warmup.max_time * 1e9)},
        }

    def _options(self, runtime: str) -> dict[str, str]:
        return dict(self._job.suite.options_of(runtime).options)

    def _judge(self, task: Task, fetched: Path) -> dict[str, Any]:
        artifact, labelled, references = task.ready.artifact, task.ready.model.labelled, task.ready.references
        try:
            found = outputs.read_outputs(fetched, artifact.outputs)
        finally:
            fetched.unlink()
        if task.kind == "accuracy":
            assert labelled is not None
            return {"accuracy": outputs.accuracy(found, labelled.labels, labelled.metric, references.labelled),
                    "outputs": outputs.check(found, references.labelled, artifact.gate.sqnr_db)}
        return {"outputs": outputs.check(found, references.verification, artifact.gate.sqnr_db)}

    def _record(self, record: TrialRecord, position: int) -> None:
        self._store.add_trial(record)
        self._tell("trial-ok" if record.state == "ok" else "trial-failed", record.cell, position, record.reason or "")

    def _tell(self, kind: Literal["trial", "waiting", "phase", "trial-ok", "trial-failed"], cell: str, done: int,
              text: str) -> None:
        self._notify(Event(kind, text, self._job.name, cell, done, len(self._tasks)))

    def _blank(self, task: Task, attempt: int) -> TrialRecord:
        """The record of an attempt of which nothing is known yet."""
        settings = {**self._job.suite.measure.model_dump(mode="json"), "threads": task.ready.cell.threads,
                    "options": self._options(task.ready.cell.runtime), "cores": self._job.device.cores}
        return TrialRecord(
            run=self._job.run, cell=task.cell, session=self._link.session_id, kind=task.kind, number=task.number,
            attempt=attempt, started=now(), seconds=0.0, state="failed", artifact=task.ready.artifact.sha256,
            source=task.ready.model.source.sha256, settings=settings, versions={}, conditions=[], phases={}, memory={})


def _failed(blank: TrialRecord, error: BenchError) -> TrialRecord:
    return replace(blank, state="failed", fault=error.fault, reason=error.line)
