"""Results of stored runs, kept once computed: a report over 100,000 trials reads none of them again.

A digest holds the result of one cell, or the summary of one device (named `@DEVICE`): JSON, deflated. It counts as long
as the rules are those that made it and no trial has come since; what else it was made from (the cell's own row, the
device's sessions) makes it void in the store when it changes.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Final, TypeVar

from bench.collect import privacy
from bench.collect.cells import by_device, cell_result, run_info
from bench.collect.devices import summary
from bench.collect.plain import from_plain, to_plain
from bench.errors import InfrastructureError
from bench.results import CellResult, DeviceSummary, RunResult
from bench.store.records import CellRecord, Digest, RunRecord, SessionRecord, TrialRecord
from bench.store.store import Store
from bench.words import counted

RULE_SOURCES: Final = ("stats", "collect", "throttling.py", "contention.py", "conditions.py", "results.py",
                       "store/packing.py", "messages")
"""Within the package: all that decides what becomes of a trial."""
GOING_ON: Final = ("running", "interrupted")
"""States of runs of which no digests are kept: more trials will come."""
TRIALS_AT_ONCE: Final = 500
MOST_NAMED: Final = 5
"""Cells that cannot be read any more, by their names in a run's notes."""
LEVEL: Final = 1
"""Of compression: what is kept is small, and is read far more often than written."""

Noun = TypeVar("Noun", CellResult, DeviceSummary)


def read_run(store: Store, run: RunRecord) -> RunResult:
    """What `bench.collect.cells.collect` makes of the run, from digests where there are any.

    Those that are missing are computed, cell by cell, and kept: not of a run that is going on, and not where the store
    cannot be written, which hinders nothing.
    """
    keeper = _Keeper(store, run)
    cells, sessions = store.cells(run.id), by_device(store.sessions([run.id]))
    trials = store.trial_ids(run.id)
    counts = {cell: len(ids) for cell, ids in trials.items()}
    results = keeper.found(CellResult, {cell.cell: counts.get(cell.cell, 0) for cell in cells})
    missing = [cell for cell in cells if cell.cell not in results]
    lost = set(store.unreadable_cells(run.id))
    for batch in _batches(missing, counts):
        made, damaged = _computed(store, run, batch, sessions, counts)
        keeper.keep(made, counts)
        results |= made
        lost |= damaged
    of_device: dict[str, list[int]] = {f"@{device}": [] for device in sessions}
    for cell in cells:
        of_device.get(f"@{cell.device}", []).extend(trials.get(cell.cell, []))
    numbers = {name: len(ids) for name, ids in of_device.items()}
    summaries = keeper.found(DeviceSummary, numbers)
    fresh = {name: summary(sessions[name[1:]], store.conditions(sorted(of_device[name])), number)
             for name, number in numbers.items() if name not in summaries}
    keeper.keep(fresh, numbers)
    summaries |= fresh
    info = run_info(run)
    found = RunResult(replace(info, notes=(*info.notes, *_lost_notes(lost))),
                      tuple(results[cell.cell] for cell in cells if cell.cell in results),
                      tuple(summaries[name] for name in of_device))
    return privacy.of_result(found, run)


@cache
def rules() -> str:
    """A hash over the sources of all that decides what becomes of a trial: it changes with any of them."""
    digest = hashlib.sha256()
    for text in _sources():
        digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[bytes]:
    package = resources.files("bench")
    for name in RULE_SOURCES:
        place = package.joinpath(name)
        files = [place] if place.is_file() else sorted(place.iterdir(), key=lambda each: each.name)
        yield from (file.read_bytes() for file in files if file.name.endswith(".py"))


class _Keeper:
    """The digests of one run: read once, added to until the store refuses."""

    def __init__(self, store: Store, run: RunRecord) -> None:
        self._store = store
        self._run = run.id
        self._keeps = run.state not in GOING_ON
        known = store.digests(run.id, rules()) if self._keeps else ()
        self._known = {digest.cell: digest for digest in known}

    def found(self, kind: type[Noun], counts: Mapping[str, int]) -> dict[str, Noun]:
        """Those of `counts`, the numbers of their trials, of which there is a digest of as many."""
        there = ((name, self._known.get(name), count) for name, count in counts.items())
        read = {name: _unpacked(kind, self._of(name, count), digest.content) for name, digest, count in there
                if digest is not None and digest.trials == count}
        return {name: result for name, result in read.items() if result is not None}

    def _of(self, name: str, trials: int) -> list[str | int]:
        """What a digest says in itself that it is of: in a damaged store a row may stand in another's place."""
        return [self._run, name, rules(), trials]

    def keep(self, made: Mapping[str, Noun], counts: Mapping[str, int]) -> None:
        if not self._keeps or not made:
            return
        digests = [Digest(self._run, name, rules(), counts.get(name, 0),
                          _packed(self._of(name, counts.get(name, 0)), result)) for name, result in made.items()]
        try:
            self._store.save_digests(digests)
        except InfrastructureError:
            self._keeps = False


def _unpacked(kind: type[Noun], of: Sequence[str | int], content: bytes) -> Noun | None:
    """None of one that is damaged, or of something else: it is made again."""
    try:
        told, plain = json.loads(zlib.decompress(content))
        return from_plain(kind, plain) if told == of else None
    except (zlib.error, ValueError, TypeError):
        return None


def _packed(of: Sequence[str | int], result: CellResult | DeviceSummary) -> bytes:
    return zlib.compress(json.dumps([of, to_plain(result)], separators=(",", ":")).encode(), LEVEL)


def _computed(store: Store, run: RunRecord, cells: Sequence[CellRecord],
              sessions: Mapping[str, Sequence[SessionRecord]],
              counts: Mapping[str, int]) -> tuple[dict[str, CellResult], set[str]]:
    """The results of these cells, and those of which something cannot be read any more: of the trials that are left a
    cell might look well that failed."""
    trials: dict[str, list[TrialRecord]] = {cell.cell: [] for cell in cells}
    for trial in store.trials_of(run.id, list(trials)):
        trials[trial.cell].append(trial)
    whole = [cell for cell in cells if len(trials[cell.cell]) >= counts.get(cell.cell, 0)]
    if store.has_unreadable_session(run.id):
        whole = [cell for cell in whole if cell.status == "skipped"]
    made = {cell.cell: cell_result(cell, trials[cell.cell], sessions.get(cell.device, ()), run) for cell in whole}
    return made, {cell.cell for cell in cells} - made.keys()


def _lost_notes(lost: Collection[str]) -> tuple[str, ...]:
    if not lost:
        return ()
    names = sorted(lost)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (f"the store is damaged: {counted(len(names), 'cell')} of this run cannot be read any more: "
            f"{', '.join(names[:MOST_NAMED])}{more}; bench store check says more",)


def _batches(cells: Sequence[CellRecord], counts: Mapping[str, int]) -> Iterator[list[CellRecord]]:
    """The cells in parts of about `TRIALS_AT_ONCE` trials, at least a cell each."""
    batch: list[CellRecord] = []
    number = 0
    for cell in cells:
        batch.append(cell)
        number += counts.get(cell.cell, 0) + 1
        if number >= TRIALS_AT_ONCE:
            yield batch
            batch, number = [], 0
    if batch:
        yield batch
