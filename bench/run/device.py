"""One device's part of a run: trial after trial, each recorded, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bench.agents import measuring
from bench.collect import circumstances
from bench.conditions import Reading
from bench.config.devices import DeviceConfig
from bench.config.suite import SuiteConfig
from bench.deadline import Deadline
from bench.errors import BenchError, InfrastructureError
from bench.host import as_told
from bench.messages.trial import TrialError, TrialReport
from bench.run import outputs, repeat
from bench.run.clock import now
from bench.run.events import Event, Notify
from bench.run.gate import LOOK_EVERY_S, wait_until_fit
from bench.run.link import AgentKit, Link
from bench.run.quiet import again, told_or_looked, use_now, with_trial
from bench.run.schedule import Progress, next_round
from bench.run.stop import Stop
from bench.run.tasks import Agenda, Ready, Task
from bench.session import Busy
from bench.store.packing import pack
from bench.store.records import TrialRecord
from bench.store.store import Store
from bench.words import counted

ATTEMPTS = 2
"""A failure is a verdict when it comes twice: once, the link may have broken, or the system have killed a process."""


LASTING = ("timeout", "import", "cores")
"""Kinds of failures that are not tried again: what the device lacks it lacks still, and a hang takes its whole time."""
NEVER = Deadline(0.0)


class _Stopped(Exception):
    """The run is to end, and the trial has not begun."""


@dataclass(frozen=True)
class DeviceJob:
    """All that one device has to do, and with what."""

    run: str
    name: str
    device: DeviceConfig
    suite: SuiteConfig
    kit: AgentKit
    folder: Path
    """Where outputs are fetched to; gone after the run."""
    agenda: Agenda
    wait: Deadline = NEVER
    """Until when the device is waited for while somebody else uses it."""


def measure_device(job: DeviceJob, store: Store, stop: Stop, notify: Notify) -> None:
    """Do every task of the device, and further ones where its agenda's goal asks for them, or record why not."""
    with Link(job.run, job.name, job.device, job.kit, job.folder, store, notify, stop.soft, job.wait) as link:
        stop.on_hard(link.end)
        _DeviceRun(job, link, store, stop, notify).measure()


class _DeviceRun:
    def __init__(self, job: DeviceJob, link: Link, store: Store, stop: Stop, notify: Notify) -> None:
        self._job = job
        self._link = link
        self._store = store
        self._stop = stop
        self._notify = notify
        self._begun = time.monotonic() - job.agenda.spent_s
        self._done = 0
        self._total = len(job.agenda.first) + len(job.agenda.last)
        """Trials that are known to come, or expected."""
        self._measured = dict(job.agenda.saved)
        """Of the cells' own latency trials."""
        self._broken: set[tuple[str, str]] = set()
        """What failed, as (cell, kind): its other trials are not tried."""
        self._pace: dict[str, float] = {}
        """Seconds of a cell's first inference, for how long its labelled set may take."""
        self._seen: Reading | None = None
        """The device as the start gate last saw it."""
        self._lost: BenchError | None = None
        """Why the device cannot be reached any more."""
        self._greeted = False
        """Whether it was told what others use of the device."""

    def measure(self) -> None:
        agenda = self._job.agenda
        self._do_all(agenda.first)
        open_cells = {ready.cell.cell: ready for ready in agenda.ready}
        while further := self._further(open_cells):
            self._do_all(further)
        self._do_all(agenda.last)
        self._do_again(agenda)

    def _do_all(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if self._stop.soft.is_set():
                return
            self._done += 1
            if self._lost is not None and not self._is_broken(task):
                self._give_up(task, self._lost)
            elif not self._is_broken(task) and not self._left_out(task):
                self._greet(task)
                self._attempts(task)

    def _greet(self, task: Task) -> None:
        """Tell, once, what others use of the device before anything is measured there."""
        if self._greeted:
            return
        self._greeted = True
        used = self._others(task)
        if used:
            self._notify(Event("contention", f"{used}: its numbers will be disturbed", self._job.name))

    def _others(self, task: Task) -> str:
        """What others use of the device now that would disturb the task; empty where that is not known."""
        use = use_now(lambda: self._link.session().look(), self._stop.soft.wait)
        return use.disturbs(task.ready.cell.threads) if use else ""

    def _do_again(self, agenda: Agenda) -> None:
        """Measure disturbed trials again, once others leave the device alone, while the time for it lasts."""
        tasks = [task for task in again(agenda, self._measured) if not self._is_broken(task)]
        until = Deadline(agenda.again_share * (time.monotonic() - self._begun))
        self._total = self._done + len(tasks)
        for place, task in enumerate(tasks):
            if self._stop.soft.is_set() or self._lost is not None:
                return
            used = self._wait_for_quiet(task, until)
            if used or self._measured[task.cell].seconds > until.left():
                left = counted(len(tasks) - place, "disturbed trial")
                self._notify(Event("contention", f"{left} not measured again: {used or 'the time for it is used up'}",
                                   self._job.name))
                return
            self._do_all([task])

    def _wait_for_quiet(self, task: Task, until: Deadline) -> str:
        """Empty once others leave the device alone; what they use of it where they do not in time."""
        while used := self._others(task):
            if until.passed() or self._stop.soft.wait(LOOK_EVERY_S):
                break
            self._tell("waiting", task.cell, f"{used}; its disturbed trials are measured again when it is quiet")
        return used

    def _further(self, open_cells: dict[str, Ready]) -> list[Task]:
        """The next round of further trials. Cells that get none any more are told and taken out of `open_cells`."""
        goal = self._job.agenda.goal
        if goal is None or self._stop.soft.is_set():
            return []
        for cell in [name for name in open_cells if (name, "latency") in self._broken]:
            del open_cells[cell]
        left_s = None if goal.budget_s is None else self._begun + goal.budget_s - time.monotonic() - self._reserved_s()
        measured = {cell: self._measured.get(cell, Progress()) for cell in open_cells}
        found = next_round(measured, goal, left_s)
        self._total = self._done + found.expected + len(self._job.agenda.last)
        for cell, why in found.closed.items():
            del open_cells[cell]
            self._tell("closed", cell, why)
        return [Task(open_cells[cell], "latency", measured[cell].highest + 1) for cell in found.cells]

    def _reserved_s(self) -> float:
        """About how long the trials that come last will take."""
        return sum(task.samples * self._pace.get(task.cell, 0.0) for task in self._job.agenda.last)

    def _is_broken(self, task: Task) -> bool:
        """Whether it, or the cell that it is to be held against, has failed."""
        return bool({(task.cell, task.kind), (task.cell, "latency")} & self._broken)

    def _break(self, task: Task) -> None:
        self._broken.add((task.cell, "baseline" if task.kind == "baseline" else "latency"))

    def _attempts(self, task: Task) -> None:
        self._tell("trial", task.cell, f"{task.kind} {task.number}")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                record, passing = self._attempt(task, attempt)
            except _Stopped:
                return  # left open for --resume
            if record.state == "failed" and self._stop.hard.is_set():
                return  # not the cell's doing: left open for --resume
            if record.fault == "busy":
                self._lost = Busy(record.reason or "")
                self._give_up(task, self._lost)
                return
            self._record(record)
            if record.state == "ok":
                return
            if not passing:
                break
            if record.fault == "infrastructure":
                self._link.close()
            if self._stop.soft.is_set():
                return  # left open for --resume
        self._break(task)

    def _attempt(self, task: Task, attempt: int) -> tuple[TrialRecord, bool]:
        """The record of an attempt and, of a failed one, whether another may end otherwise."""
        passing = False
        begin = time.monotonic()
        blank = self._blank(task, attempt)
        try:
            session = self._link.session()
            blank = replace(blank, session=self._link.session_id)
            self._link.put([task.ready.file, task.inputs])
            if task.kind != "accuracy":
                self._seen = wait_until_fit(self._job.device, self._seen, session.look,
                                            lambda text: self._tell("waiting", task.cell, text), self._pause)
            name = f"{task.kind}-{task.ready.cell.position}-{task.number}-{attempt}"
            report = session.trial(self._message(task, name), lambda phase: self._tell("phase", task.cell, phase))
            most = outputs.largest(self._reference(task), task.ready.artifact.outputs)
            verdict = self._judge(task, self._link.fetch(name, report.outputs["sha256"], most), report)
            if task.kind == "latency":
                self._pace[task.cell] = report.phases["first_ns"] / 1e9
            record = replace(
                blank, state="ok", phases=report.phases, memory=report.memory, versions=report.versions,
                conditions=list(report.conditions), samples=pack(report.samples_ns) if report.samples_ns else None,
                sample_count=len(report.samples_ns), warm_up=report.warm_up, log=report.log,
                cpu_ns=told_or_looked(report.cpu_ns, session.look, self._stop.soft.wait),
                settings={**blank.settings, "cores_used": list(report.cores)}, **verdict)
        except TrialError as failure:
            tried, passing = failure.kind in TrialError.OF_THE_CELL, failure.kind not in LASTING
            record = replace(_failed(blank, self._owned(failure), tried=tried), conditions=list(failure.conditions),
                             log=failure.log)
        except Exception as error:
            known = as_told(error)
            if known is None:
                raise
            passing = known.fault == "infrastructure"
            record = replace(_failed(blank, known), log=self._link.last_words() or None)
        return replace(record, seconds=time.monotonic() - begin), passing

    def _owned(self, failure: TrialError) -> BenchError:
        """Its error; where this host is the device, its disk is the host's."""
        if failure.kind == "disk" and self._job.device.local is not None:
            return InfrastructureError(failure.error.message, hint="free space on the disks of this host, and see its "
                                                                   "system's log (dmesg)")
        return failure.error

    def _pause(self, seconds: float) -> None:
        """Wait so long. Raises _Stopped: what the device is waited for may take minutes."""
        if self._stop.soft.wait(seconds):
            raise _Stopped

    def _left_out(self, task: Task) -> bool:
        """Whether the cell is left out because the device lacks its runtime; also learns here that a device is lost."""
        try:
            runtimes = self._connected_runtimes()
        except BenchError as error:
            if self._stop.hard.is_set():
                return True  # left open for --resume
            if isinstance(error, Busy) and self._stop.soft.is_set():
                return True  # left open for --resume
            self._lost = error
            self._notify(Event("note", f"{self._job.name}: {error}", self._job.name))
            self._give_up(task, error)
            return True
        runtime = task.ready.cell.runtime
        if runtime in runtimes:
            return False
        found = ", ".join(runtimes.values()) or "none"
        reason = f"{runtime} is not installed for {self._job.name}'s Python; runtimes found: {found}{self._provision()}"
        self._store.replace_cell(replace(task.ready.cell, status="skipped", reason=reason, fault="device"))
        self._break(task)
        return True

    def _give_up(self, task: Task, error: BenchError) -> None:
        """Do no more of the cell. A device that somebody else uses is no failure: the cell is left out, and waits for
        `--resume`; trials beyond its own are simply not taken."""
        if not isinstance(error, Busy) or task.kind == "accuracy":
            self._record(_failed(self._blank(task, 1), error))
        elif task.kind == "latency" and not task.marks:
            self._store.replace_cell(replace(task.ready.cell, status="skipped", reason=error.message, fault="busy"))
        self._break(task)

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
        return {
            "trial": name, "kind": "accuracy" if task.kind == "accuracy" else "latency", "runtime": cell.runtime,
            "delegate": cell.delegate, "threads": cell.threads, "options": self._options(task.ready),
            "cores": self._job.device.cores, "artifact": task.ready.file.name, "inputs": task.inputs.name,
            "deadline_s": measure.timeout + 2 * task.samples * self._pace.get(task.cell, 0.0),
            "measure": {"min_samples": measure.min_samples, "min_ns": int(measure.min_time * 1e9),
                        "warmup_min_runs": measure.warmup.min_runs,
                        "warmup_min_ns": int(measure.warmup.min_time * 1e9),
                        "warmup_max_ns": int(measure.warmup.max_time * 1e9), "inputs": measure.inputs},
        }

    def _options(self, ready: Ready) -> dict[str, str]:
        said = self._job.suite.options_of(ready.cell.runtime).options if ready.options is None else ready.options
        return dict(said)

    def _judge(self, task: Task, fetched: Path, report: TrialReport) -> dict[str, Any]:
        artifact, labelled, reference = task.ready.artifact, task.ready.model.labelled, self._reference(task)
        scored = 0 if labelled is None else labelled.output
        try:
            found = outputs.read_outputs(fetched, artifact.outputs, len(reference[0]))
        finally:
            fetched.unlink()
        probe = task.ready.model.probe
        on_host = probe.repeats if probe else None
        findings = {**report.findings, "repeats": repeat.verdict(found.difference, on_host)}
        if task.kind == "accuracy":
            assert labelled is not None
            return {"accuracy": outputs.accuracy(found.outputs, labelled, reference),
                    "outputs": outputs.check(found.outputs, reference, artifact, scored=scored, classes=True),
                    "findings": findings}
        return {"outputs": outputs.check(found.outputs, reference, artifact, scored=scored), "findings": findings}

    def _reference(self, task: Task) -> outputs.Arrays:
        """What the fp32 model gives on the task's samples."""
        references = task.ready.references
        return references.labelled if task.kind == "accuracy" else references.verification

    def _record(self, record: TrialRecord) -> None:
        self._store.add_trial(record)
        if record.kind == "latency" and record.samples:
            self._measured[record.cell] = with_trial(self._measured.get(record.cell, Progress()), record)
        if record.kind == "baseline" and record.outputs and record.outputs["ok"] is False:
            self._notify(Event("note", f"{record.cell}: the baseline's outputs are wrong now: "
                                       f"{record.outputs['reason']}", self._job.name))
        self._tell("trial-ok" if record.state == "ok" else "trial-failed", record.cell, record.reason or "")

    def _tell(self, kind: Literal["trial", "waiting", "phase", "trial-ok", "trial-failed", "closed"], cell: str,
              text: str) -> None:
        self._notify(Event(kind, text, self._job.name, cell, self._done, max(self._total, self._done)))

    def _blank(self, task: Task, attempt: int) -> TrialRecord:
        """The record of an attempt of which nothing is known yet."""
        settings = {**self._job.suite.measure.model_dump(mode="json"), "threads": task.ready.cell.threads,
                    "options": self._options(task.ready), "cores": self._job.device.cores,
                    circumstances.REVISION: measuring.REVISION, **task.marks}
        return TrialRecord(
            run=self._job.run, cell=task.cell, session=self._link.session_id, kind=task.kind, number=task.number,
            attempt=attempt, started=now(), seconds=0.0, state="failed", artifact=task.ready.artifact.sha256,
            source=task.ready.model.source.sha256, settings=settings, versions={}, conditions=[], phases={}, memory={})


def _failed(blank: TrialRecord, error: BenchError, *, tried: bool = False) -> TrialRecord:
    """The record of a trial that failed; where the cell was not `tried`, this says nothing of it."""
    settings = blank.settings if tried or error.fault == "model" else {**blank.settings, "untried": True}
    return replace(blank, state="failed", fault=error.fault, reason=error.line, settings=settings)
