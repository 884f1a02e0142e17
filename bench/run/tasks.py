"""What a device is to measure: cells that are ready, the trials to do, and in which order."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.config.suite import MeasureConfig
from bench.convert.types import Artifact
from bench.run.files import InputFile
from bench.run.prepare import OpenedModel, References
from bench.run.schedule import Goal, Progress
from bench.store.records import CellRecord

Kind = Literal["latency", "accuracy", "baseline"]


@dataclass(frozen=True)
class Ready:
    """A cell that can be measured: its file and its inputs as that file takes them."""

    cell: CellRecord
    artifact: Artifact
    model: OpenedModel
    references: References
    verification: InputFile
    labelled: InputFile | None
    options: Mapping[str, str] | None = None
    """What goes to the runtime as it is; None for what the suite says."""

    @property
    def file(self) -> InputFile:
        return InputFile(self.artifact.path, self.artifact.sha256)


@dataclass(frozen=True)
class Task:
    """One trial that is still to be done. `marks` go into its settings."""

    ready: Ready
    kind: Kind
    number: int
    marks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        return self.ready.cell.cell

    @property
    def inputs(self) -> InputFile:
        labelled = self.ready.labelled
        return labelled if self.kind == "accuracy" and labelled is not None else self.ready.verification

    @property
    def samples(self) -> int:
        """How many labelled samples it runs on."""
        labelled = self.ready.model.labelled
        return len(labelled.labels) if self.kind == "accuracy" and labelled is not None else 0


Turn = tuple[Task, ...]
"""Trials that are done one right after the other."""


@dataclass(frozen=True)
class Agenda:
    """What one device has to do: `first`, then further trials of those cells as long as `goal` asks for more (None:
    not at all), then `last`, then those of the cells `again` that were disturbed. `saved` is what was measured earlier,
    by cell, and `spent_s` the time that it took."""

    first: tuple[Task, ...]
    last: tuple[Task, ...] = ()
    goal: Goal | None = None
    ready: tuple[Ready, ...] = ()
    """Of which further trials are done."""
    saved: Mapping[str, Progress] = field(default_factory=dict)
    spent_s: float = 0.0
    again: tuple[Ready, ...] = ()
    again_share: float = 0.0
    """The part of the time that all else took, for which disturbed trials may be measured again."""

    @property
    def empty(self) -> bool:
        owed = any(self.saved[ready.cell.cell].owed for ready in self.again if ready.cell.cell in self.saved)
        return not (self.first or self.last or self.ready or owed)

    @property
    def runtimes(self) -> frozenset[str]:
        """Those that its cells need."""
        every = [*(task.ready for task in (*self.first, *self.last)), *self.ready, *self.again]
        return frozenset(ready.cell.runtime for ready in every)


def whole_agenda(ready: Sequence[Ready], measure: MeasureConfig, done: Collection[tuple[str, str, int]] = (), *,
                 saved: Mapping[str, Progress] | None = None, spent_s: float = 0.0,
                 accuracy: bool = True) -> Agenda:
    """Everything that a run has to do on a device, but for the trials in `done`, as (cell, kind, number).

    Round-robin over the cells, so that a drift of the device meets all of them; accuracy last.
    """
    numbers = range(1, measure.trials + 1)
    first = [Task(item, "latency", number) for number, item in itertools.product(numbers, ready)]
    last = [Task(item, "accuracy", 1) for item in ready if accuracy and item.labelled is not None]
    goal = None if measure.until is None else Goal(measure.until, measure.max_trials, measure.budget)
    left = [[task for task in tasks if (task.cell, task.kind, task.number) not in done] for tasks in (first, last)]
    again = tuple(ready) if measure.remeasure else ()
    return Agenda(tuple(left[0]), tuple(left[1]), goal, tuple(ready) if goal else (), saved or {}, spent_s, again,
                  measure.remeasure)


def in_turn(own: Sequence[Task], other: Sequence[Task]) -> list[Turn]:
    """Both by turns in the order ABBA: own, other; other, own; own, other; ... so that a steady drift meets both alike.

    `other` is as long as `own`, or empty.
    """
    if not other:
        return [(task,) for task in own]
    pairs = zip(own, other, strict=True)
    return [pair if place % 2 == 0 else pair[::-1] for place, pair in enumerate(pairs)]
