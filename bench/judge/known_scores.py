"""Accuracies that are known without the device: of the same file on the same labelled data, measured before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from bench.collect.circumstances import DATASET
from bench.collect.digests import read_run
from bench.judge.sides import earlier_runs
from bench.judge.standing import names_of
from bench.results import CellResult, RunResult
from bench.store.records import RunRecord
from bench.store.store import ENDED, Store

MOST_READ: Final = 30
"""Earlier runs that are looked through, the newest first."""
_SAME: Final = ("sha256", "source", "data")
"""What an artifact's score depends on: the file, the model that it is held against, inputs and labels."""


def with_known_scores(store: Store, run: RunRecord, result: RunResult,
                      artifacts: Mapping[str, Mapping[str, Any]]) -> tuple[RunResult, dict[str, str]]:
    """The result, its cells whose device was in use with the score that an earlier run of the suite measured of the
    same file; and, by cell, that run's id. `artifacts` are the run's own, by cell, as the store keeps them."""
    waiting = {cell.cell: cell for cell in result.cells if cell.fault == "busy" and cell.cell in artifacts}
    names = {name: names_of(cell, result.run.settings.get("was")) for name, cell in waiting.items()}
    scored: dict[str, CellResult] = {}
    told: dict[str, str] = {}
    for earlier in islice((each for each in earlier_runs(store, run) if each.state in ENDED), MOST_READ):
        left = waiting.keys() - scored.keys()
        if not left:
            break
        records = {record.cell: record.artifact for record in store.cells(earlier.id) if record.artifact}
        same = {then: name for name in left for then in names[name]
                if then in records and _alike(records[then], artifacts[name])}
        for before in read_run(store, earlier).cells if same else ():
            if before.cell in same and before.accuracy is not None:
                cell = same[before.cell]
                scored[cell] = _scored(waiting[cell], before)
                told[cell] = earlier.id
    return replace(result, cells=tuple(scored.get(cell.cell, cell) for cell in result.cells)), told


def _scored(cell: CellResult, before: CellResult) -> CellResult:
    """With the accuracy of before, and which labelled set that is of: the same."""
    known = {DATASET: before.circumstances[DATASET]} if DATASET in before.circumstances else {}
    return replace(cell, accuracy=before.accuracy, circumstances={**cell.circumstances, **known})


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) is not None and one.get(key) == other.get(key) for key in _SAME)
