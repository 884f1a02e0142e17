"""The one writer and the reader of results."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bench import contention
from bench.errors import ConfigError, InfrastructureError
from bench.store import checksums, schema
from bench.store.access import Access
from bench.store.checksums import intact
from bench.store.going import in_progress
from bench.store.opening import CHECK, StoreDamaged, is_writable
from bench.store.packing import unpack
from bench.store.reading import json_at, json_text, readings_of, session_of, trial_of
from bench.store.records import (
    CellConditions,
    CellRecord,
    Digest,
    Json,
    RunRecord,
    SessionRecord,
    StoredRun,
    TrialMedian,
    TrialRecord,
)
from bench.words import nearest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, RowMapping, Select, Table

INCOMPLETE = ("running", "interrupted", "incomplete")
"""States of runs that `--resume` takes up again."""
ENDED = ("finished", "incomplete")
"""States of runs that came to their end: what the others have not measured yet is no failure of a cell."""

AT_ONCE = 500
"""Trials that are read at once where a run may have very many."""


class Store(Access):
    """Results in one SQLite file. A context manager; every record is one transaction, safe from several threads.

    To write, `create` it: the file is made with the first record. How a damaged one is read is in bench.store.access.
    """

    def add_run(self, run: RunRecord, cells: Sequence[CellRecord]) -> None:
        """Record a run and all its cells at once."""
        table = schema.runs
        number = select(func.coalesce(func.max(table.c.number), 0) + 1).scalar_subquery()
        with self._writing() as connection:
            connection.execute(table.insert().values({**dataclasses.asdict(run), "number": number}))
            checksums.write(connection, table, table.c.id == run.id)
            if cells:
                connection.execute(schema.cells.insert(), [dataclasses.asdict(cell) for cell in cells])
                checksums.write(connection, schema.cells, schema.cells.c.run == run.id)

    def replace_cell(self, cell: CellRecord) -> None:
        """Record what has become known of a cell: its artifact, or why it is left out after all."""
        table = schema.cells
        with self._writing() as connection:
            _update(connection, table, dataclasses.asdict(cell), table.c.run == cell.run, table.c.cell == cell.cell)
            connection.execute(_digests_of(cell.run))

    def add_session(self, session: SessionRecord) -> int:
        """Record a connection to a device (its `id` is not used); gives back the new id."""
        values = dataclasses.asdict(session)
        del values["id"]
        with self._writing() as connection:
            connection.execute(_digests_of(session.run))
            return _add(connection, schema.sessions, values)

    def add_pushed(self, session: int, sent_bytes: int) -> None:
        """Count bytes that were pushed over a connection."""
        table = schema.sessions
        total = table.c.pushed_bytes + sent_bytes
        self._update(table, {"pushed_bytes": total}, table.c.id == session)

    def add_trial(self, trial: TrialRecord) -> None:
        """Record one attempt at a trial, with its median where its time says something of the model; it is on disk
        when this returns."""
        with self._writing() as connection:
            _add(connection, schema.trials, {**dataclasses.asdict(trial), "median_ns": _median(trial)})

    def set_state(self, run: str, state: str, finished: str | None) -> None:
        """Record how a run stands."""
        table = schema.runs
        self._update(table, {"state": state, "finished": finished}, table.c.id == run)

    def set_judgement(self, run: str, judgement: Json | None) -> None:
        """Record how a run was judged; None: not yet, or not any more."""
        table = schema.runs
        self._update(table, {"judgement": judgement}, table.c.id == run)

    def runs(self, purpose: str | None = "measure") -> tuple[RunRecord, ...]:
        """All runs of a purpose (None: of any), the one that began last first. One that has not ended is `running`
        while a process works on it, else `interrupted`."""
        rows = self._rows(_sound(schema.runs))
        found = sorted(map(self._run, rows), key=lambda run: run.order, reverse=True)
        return tuple(run for run in found if purpose in (None, run.purpose))

    def newest_ended(self) -> RunRecord:
        """The newest run that came to its end and is no noise run; where none has, the newest. Raises ConfigError for
        a store without runs."""
        runs = self.runs()
        return next((run for run in runs if run.state in ENDED), None) or self.find_run(None)

    def find_run(self, wanted: str | None, states: Sequence[str] = ()) -> RunRecord:
        """The run of that id or beginning of an id; without one, the newest that is no noise run, ended or not. Only
        those in `states`, if given."""
        known = [run for run in self.runs(None if wanted else "measure") if not states or run.state in states]
        matching = [run for run in known if wanted is None or run.id.startswith(wanted)]
        exact = [run for run in matching if run.id == wanted]
        if exact or (matching and wanted is None) or len(matching) == 1:
            return (exact or matching)[0]
        if wanted and not matching:
            self._refuse_damaged(wanted)
        kind = " that can be resumed" if states else ""
        if not known:
            raise ConfigError(f"{self.path} holds no run{kind}")
        problem = "is ambiguous" if matching else "was not found"
        raise ConfigError(f"run {wanted!r} {problem}{nearest(str(wanted), [run.id for run in known[:10]])}")

    def load(self, run: RunRecord) -> StoredRun:
        """A run with its cells, sessions and trials: of a large run all at once, see `trials_of`."""
        trials = schema.trials
        rows = self._rows(_sound(trials).where(trials.c.run == run.id).order_by(trials.c.id))
        return StoredRun(run, self.cells(run.id), self.sessions([run.id]), tuple(trial_of(_kept(row)) for row in rows))

    def cells(self, run: str) -> tuple[CellRecord, ...]:
        """Those of a run, in the order of planning."""
        table = schema.cells
        rows = self._rows(_sound(table).where(table.c.run == run).order_by(table.c.position))
        return tuple(CellRecord(**_kept(row)) for row in rows)

    def trials_of(self, run: str, cells: Collection[str]) -> tuple[TrialRecord, ...]:
        """The trials of some cells of a run, in the order they were recorded, without what they printed."""
        table = schema.trials
        wanted = _sound(table, but="log").where(table.c.run == run, table.c.cell.in_(list(cells))).order_by(table.c.id)
        return tuple(trial_of(_kept(row)) for row in self._rows(wanted))

    def trial_ids(self, run: str) -> dict[str, list[int]]:
        """The ids of a run's trials by cell, in the order they were recorded; a cell without trials is absent. Those
        that cannot be read any more are among them."""
        table = schema.trials
        wanted = select(table.c.cell, table.c.id).where(table.c.run == run)
        ids = {(row["cell"], row["id"]) for row in self._rows(wanted)}
        ids |= {(each.cell, number) for each in self.damage if each.table == "trials" and each.run == run and each.cell
                for number in range(each.first, each.last + 1)}
        found: dict[str, list[int]] = {}
        for cell, number in sorted(ids):
            found.setdefault(cell, []).append(number)
        return found

    def conditions(self, trials: Sequence[int]) -> Iterator[list[Json]]:
        """Of the trials with these ids, in their order, read piece by piece: as they were told, which may be anything
        that JSON has (`bench.conditions.read` and `bench.messages.stored.kept_conditions` take care)."""
        table = schema.trials
        for begin in range(0, len(trials), AT_ONCE):
            part = trials[begin:begin + AT_ONCE]
            wanted = select(table.c.conditions, intact(table)).where(table.c.id.in_(part)).order_by(table.c.id)
            yield from (readings_of(row["conditions"]) for row in self._rows(wanted))

    def digests(self, run: str, rules: str) -> tuple[Digest, ...]:
        """What was made of a run by these rules; none where they cannot be read, for they can be made again."""
        table = schema.digests
        wanted = table.select().where(table.c.run == run, table.c.rules == rules)
        return tuple(itertools.starmap(Digest, self._tuples_if_any(wanted)))

    def save_digests(self, digests: Sequence[Digest]) -> None:
        """Keep these, in the place of earlier ones of the same cells. Raises InfrastructureError where the store cannot
        be written, or is damaged: it is left as it is."""
        if not is_writable(self.path):
            raise InfrastructureError(f"{self.path} cannot be written by this user")
        if self.damage:
            raise StoreDamaged(f"{self.path} is damaged", hint=CHECK)
        with self._writing() as connection:
            replacing = schema.digests.insert().prefix_with("OR REPLACE")
            connection.execute(replacing, [dataclasses.asdict(digest) for digest in digests])

    def medians(self, *, device: str | None = None, model: str | None = None,
                runs: Collection[str] | None = None) -> tuple[TrialMedian, ...]:
        """Of latency trials that ended well, undisturbed, with outputs that are not wrong, in the order they were
        recorded, without reading their samples. None of a cell of which a trial cannot be read any more.

        Only of one device, one model, or some runs where those are given; of one number, the attempt that counts.
        """
        trials, cells = schema.trials, schema.cells
        joined = trials.join(cells, (trials.c.run == cells.c.run) & (trials.c.cell == cells.c.cell))
        columns = (trials.c.run, trials.c.cell, cells.c.device, cells.c.model, cells.c.runtime, trials.c.number,
                   trials.c.artifact, trials.c.median_ns, trials.c.seconds, trials.c.kind, trials.c.state)
        wanted = select(*columns, intact(trials, "median_checksum")).select_from(joined)
        for column, value in ((cells.c.device, device), (cells.c.model, model)):
            wanted = wanted if value is None else wanted.where(column == value)
        if runs is not None:
            wanted = wanted.where(trials.c.run.in_(list(runs)))
        self._check_cells(runs)
        # of any kind and state: that a trial seems to be of another may be the damage
        rows: Sequence[Any] = self._tuples(wanted.order_by(trials.c.id))
        lost = {(each.run, each.cell) for each in self.damage if each.table == "trials"}
        return tuple(TrialMedian(run, cell, device, model, runtime, number, artifact, median_ns, seconds)
                     for run, cell, device, model, runtime, number, artifact, median_ns, seconds, kind, state, _ in rows
                     if kind == "latency" and state == "ok" and median_ns is not None and (run, cell) not in lost)

    def cell_conditions(self, runs: Collection[str], device: str | None = None) -> tuple[CellConditions, ...]:
        """Of every cell of these runs that was measured, of one device where it is given."""
        trials, cells = schema.trials, schema.cells
        first = select(func.min(trials.c.id)).where(
            trials.c.kind == "latency", trials.c.state == "ok", trials.c.run.in_(list(runs))).group_by(
            trials.c.run, trials.c.cell)
        joined = trials.join(cells, (trials.c.run == cells.c.run) & (trials.c.cell == cells.c.cell))
        seen, artifact = trials.c.conditions, cells.c.artifact
        columns = (trials.c.run, trials.c.cell, json_text(trials.c.settings),
                   json_text(trials.c.versions), json_at(seen, "$[0].governor", "text"),
                   json_at(seen, "$[0].battery.charging", "true", "false"),
                   func.json_array(func.json_extract(artifact, "$.data"), func.json_extract(artifact, "$.shapes"),
                                   func.json_extract(artifact, "$.inputs")))
        named = [column.label(field.name)
                 for column, field in zip(columns, dataclasses.fields(CellConditions), strict=True)]
        wanted = select(*named, intact(cells), intact(trials)).select_from(joined).where(trials.c.id.in_(first))
        if device is not None:
            wanted = wanted.where(cells.c.device == device)
        return tuple(CellConditions(**_kept(row)) for row in self._rows(wanted))

    def sessions(self, runs: Collection[str]) -> tuple[SessionRecord, ...]:
        """Those of some runs, in the order they were opened."""
        table = schema.sessions
        rows = self._rows(_sound(table).where(table.c.run.in_(list(runs))).order_by(table.c.id))
        return tuple(session_of(_kept(row)) for row in rows)

    def planned(self) -> frozenset[tuple[str, str, str]]:
        """Run, device and model of all cells that were not left out."""
        table = schema.cells
        self._check_cells(None)
        wanted = select(table.c.run, table.c.device, table.c.model).where(table.c.status == "planned").distinct()
        return frozenset((row["run"], row["device"], row["model"]) for row in self._rows(wanted))

    def unreadable_cells(self, run: str) -> frozenset[str]:
        """The cells of a run whose own rows cannot be read, as far as that is known by what was read of it."""
        return frozenset(each.cell for each in self.damage if each.table == "cells" and each.run == run and each.cell)

    def has_unreadable_session(self, run: str) -> bool:
        """Whether what a device of the run said of itself cannot be read, as far as is known."""
        return any(each.table == "sessions" and each.run in (run, None) for each in self.damage)

    def _check_cells(self, runs: Collection[str] | None) -> None:
        """Find out whether the cells of these runs (None: of all) are sound, of which others read a part."""
        table = schema.cells
        wanted = select(func.sum(intact(table)))
        self._rows(wanted if runs is None else wanted.where(table.c.run.in_(list(runs))))

    def _refuse_damaged(self, wanted: str) -> None:
        """Raises StoreDamaged for a run that is there and cannot be read."""
        found = sorted({each.run for each in self.damage if each.table == "runs" and each.run
                        and each.run.startswith(wanted)})
        if found:
            raise StoreDamaged(f"run {found[0]} cannot be read: {self.path} is damaged", hint=CHECK)

    def _run(self, row: RowMapping) -> RunRecord:
        run = RunRecord(**_kept(row))
        if run.state == "interrupted" and in_progress(self.path, run.id):
            return dataclasses.replace(run, state="running")
        return run

    def _update(self, table: Table, values: dict[str, Any], *where: Any) -> None:
        with self._writing() as connection:
            _update(connection, table, values, *where)


def _sound(table: Table, but: str = "") -> Select[Any]:
    """Its rows, without a column; the statement fails where one is damaged."""
    return select(*(column for column in table.c if column.name != but), intact(table))


def _add(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert a row; gives back its id."""
    added = connection.execute(table.insert().values(values)).inserted_primary_key
    assert added is not None
    checksums.write(connection, table, table.c.id == added[0])
    return int(added[0])


def _update(connection: Connection, table: Table, values: dict[str, Any], *where: Any) -> None:
    """Change rows that are sound."""
    connection.execute(select(intact(table)).where(*where)).all()
    connection.execute(table.update().where(*where).values(values))
    checksums.write(connection, table, *where)


def _kept(row: RowMapping) -> dict[str, Any]:
    """What the row's record holds."""
    return {name: value for name, value in row.items()
            if name not in checksums.COLUMNS and not name.endswith(checksums.INTACT)}


def _digests_of(run: str) -> Delete:
    """What makes digests of a run void: something that they were made from has changed."""
    return schema.digests.delete().where(schema.digests.c.run == run)


def _median(trial: TrialRecord) -> float | None:
    """Of its samples in ns; None without any, of wrong outputs and of a disturbed trial, whose time says nothing of the
    model: neither noise nor history is learnt from them."""
    import numpy as np

    wrong = (trial.outputs or {}).get("ok") is False
    if trial.samples is None or wrong or contention.of_trial(trial.cpu_ns, trial.settings):
        return None
    return float(np.median(unpack(trial.samples)))
