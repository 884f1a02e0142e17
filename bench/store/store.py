"""The one writer and the reader of results."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from bench import contention
from bench.errors import ConfigError, InfrastructureError
from bench.store import schema
from bench.store.connect import connect
from bench.store.packing import unpack
from bench.store.records import CellRecord, Digest, Json, RunRecord, SessionRecord, StoredRun, TrialMedian, TrialRecord
from bench.words import nearest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, RowMapping, Table

INCOMPLETE = ("running", "interrupted", "incomplete")
"""States of runs that `--resume` takes up again."""

AT_ONCE = 500
"""Trials that are read at once where a run may have very many."""


class Store:
    """Results in one SQLite file. A context manager; every record is one transaction, safe from several threads."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._engine = connect(path, create=create)
        self._lock = threading.Lock()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self._engine.dispose()

    def add_run(self, run: RunRecord, cells: Sequence[CellRecord]) -> None:
        """Record a run and all its cells at once."""
        self._insert((schema.runs, [dataclasses.asdict(run)]),
                     (schema.cells, [dataclasses.asdict(cell) for cell in cells]))

    def replace_cell(self, cell: CellRecord) -> None:
        """Record what has become known of a cell: its artifact, or why it is left out after all."""
        table = schema.cells
        statement = table.update().where(table.c.run == cell.run, table.c.cell == cell.cell)
        with self._writing() as connection:
            connection.execute(statement.values(dataclasses.asdict(cell)))
            connection.execute(_digests_of(cell.run))

    def add_session(self, session: SessionRecord) -> int:
        """Record a connection to a device (its `id` is not used); gives back the new id."""
        values = dataclasses.asdict(session)
        del values["id"]
        with self._writing() as connection:
            connection.execute(_digests_of(session.run))
            added = connection.execute(schema.sessions.insert().values(values)).inserted_primary_key
        assert added is not None
        return int(added[0])

    def add_pushed(self, session: int, sent_bytes: int) -> None:
        """Count bytes that were pushed over a connection."""
        table = schema.sessions
        total = table.c.pushed_bytes + sent_bytes
        self._execute(table.update().where(table.c.id == session).values(pushed_bytes=total))

    def add_trial(self, trial: TrialRecord) -> None:
        """Record one attempt at a trial, with its median where its time says something of the model; it is on disk
        when this returns."""
        self._insert((schema.trials, [{**dataclasses.asdict(trial), "median_ns": _median(trial)}]))

    def set_state(self, run: str, state: str, finished: str | None) -> None:
        """Record how a run stands."""
        table = schema.runs
        self._execute(table.update().where(table.c.id == run).values(state=state, finished=finished))

    def set_judgement(self, run: str, judgement: Json | None) -> None:
        """Record how a run was judged; None: not yet, or not any more."""
        table = schema.runs
        self._execute(table.update().where(table.c.id == run).values(judgement=judgement))

    def runs(self, purpose: str | None = "measure") -> tuple[RunRecord, ...]:
        """All runs of a purpose (None: of any), the newest first."""
        table = schema.runs
        wanted = table.select() if purpose is None else table.select().where(table.c.purpose == purpose)
        rows = self._rows(wanted.order_by(table.c.started.desc(), table.c.id.desc()))
        return tuple(RunRecord(**row) for row in rows)

    def find_run(self, wanted: str | None, states: Sequence[str] = ()) -> RunRecord:
        """The run of that id or beginning of an id; without one, the newest that is no noise run. Only those in
        `states`, if given."""
        known = [run for run in self.runs(None if wanted else "measure") if not states or run.state in states]
        matching = [run for run in known if wanted is None or run.id.startswith(wanted)]
        exact = [run for run in matching if run.id == wanted]
        if exact or (matching and wanted is None) or len(matching) == 1:
            return (exact or matching)[0]
        kind = " that can be resumed" if states else ""
        if not known:
            raise ConfigError(f"{self.path} holds no run{kind}")
        problem = "is ambiguous" if matching else "was not found"
        raise ConfigError(f"run {wanted!r} {problem}{nearest(str(wanted), [run.id for run in known[:10]])}")

    def load(self, run: RunRecord) -> StoredRun:
        """A run with its cells, sessions and trials: of a large run all at once, see `trials_of`."""
        trials = schema.trials
        rows = self._rows(trials.select().where(trials.c.run == run.id).order_by(trials.c.id))
        return StoredRun(run, self.cells(run.id), self.sessions([run.id]), tuple(map(_trial, rows)))

    def cells(self, run: str) -> tuple[CellRecord, ...]:
        """Those of a run, in the order of planning."""
        table = schema.cells
        rows = self._rows(table.select().where(table.c.run == run).order_by(table.c.position))
        return tuple(CellRecord(**row) for row in rows)

    def trials_of(self, run: str, cells: Collection[str]) -> tuple[TrialRecord, ...]:
        """The trials of some cells of a run, in the order they were recorded, without what they printed."""
        table = schema.trials
        columns = [column for column in table.c if column is not table.c.log]
        wanted = select(*columns).where(table.c.run == run, table.c.cell.in_(list(cells))).order_by(table.c.id)
        return tuple(map(_trial, self._rows(wanted)))

    def trial_ids(self, run: str) -> dict[str, list[int]]:
        """The ids of a run's trials by cell, in the order they were recorded; a cell without trials is absent."""
        table = schema.trials
        found: dict[str, list[int]] = {}
        with self._lock, self._engine.connect() as connection:
            wanted = select(table.c.cell, table.c.id).where(table.c.run == run).order_by(table.c.cell, table.c.id)
            for cell, number in connection.execute(wanted):
                found.setdefault(cell, []).append(number)
        return found

    def conditions(self, trials: Sequence[int]) -> Iterator[list[Json]]:
        """Of the trials with these ids, in their order, read piece by piece."""
        table = schema.trials
        for begin in range(0, len(trials), AT_ONCE):
            part = trials[begin:begin + AT_ONCE]
            wanted = select(table.c.conditions).where(table.c.id.in_(part)).order_by(table.c.id)
            yield from (row["conditions"] for row in self._rows(wanted))

    def digests(self, run: str, rules: str) -> tuple[Digest, ...]:
        """What was made of a run by these rules."""
        table = schema.digests
        wanted = table.select().where(table.c.run == run, table.c.rules == rules)
        with self._lock, self._engine.connect() as connection:
            return tuple(itertools.starmap(Digest, connection.execute(wanted)))

    def save_digests(self, digests: Sequence[Digest]) -> None:
        """Keep these, in the place of earlier ones of the same cells."""
        with self._writing() as connection:
            replacing = schema.digests.insert().prefix_with("OR REPLACE")
            connection.execute(replacing, [dataclasses.asdict(digest) for digest in digests])

    def medians(self, *, device: str | None = None, model: str | None = None,
                runs: Collection[str] | None = None) -> tuple[TrialMedian, ...]:
        """Of latency trials that ended well, undisturbed, with outputs that are not wrong, in the order they were
        recorded, without reading their samples.

        Only of one device, one model, or some runs where those are given; of one number, the attempt that counts.
        """
        trials, cells = schema.trials, schema.cells
        joined = trials.join(cells, (trials.c.run == cells.c.run) & (trials.c.cell == cells.c.cell))
        columns = (trials.c.run, trials.c.cell, cells.c.device, cells.c.model, cells.c.runtime, trials.c.number,
                   trials.c.artifact, trials.c.median_ns, trials.c.seconds)
        wanted = select(*columns).select_from(joined).where(
            trials.c.kind == "latency", trials.c.state == "ok", trials.c.median_ns.is_not(None))
        for column, value in ((cells.c.device, device), (cells.c.model, model)):
            wanted = wanted if value is None else wanted.where(column == value)
        if runs is not None:
            wanted = wanted.where(trials.c.run.in_(list(runs)))
        with self._lock, self._engine.connect() as connection:
            return tuple(itertools.starmap(TrialMedian, connection.execute(wanted.order_by(trials.c.id))))

    def sessions(self, runs: Collection[str]) -> tuple[SessionRecord, ...]:
        """Those of some runs, in the order they were opened."""
        table = schema.sessions
        rows = self._rows(table.select().where(table.c.run.in_(list(runs))).order_by(table.c.id))
        return tuple(SessionRecord(**row) for row in rows)

    def planned(self) -> frozenset[tuple[str, str, str]]:
        """Run, device and model of all cells that were not left out."""
        table = schema.cells
        wanted = select(table.c.run, table.c.device, table.c.model).where(table.c.status == "planned").distinct()
        with self._lock, self._engine.connect() as connection:
            return frozenset((run, device, model) for run, device, model in connection.execute(wanted))

    def _rows(self, statement: Any) -> Sequence[RowMapping]:
        with self._lock, self._engine.connect() as connection:
            return connection.execute(statement).mappings().all()

    def _insert(self, *work: tuple[Table, list[dict[str, Any]]]) -> None:
        with self._writing() as connection:
            for table, rows in work:
                if rows:
                    connection.execute(table.insert(), rows)

    def _execute(self, statement: Any) -> Any:
        with self._writing() as connection:
            return connection.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction of its own. Raises InfrastructureError, naming the store, when it cannot be written."""
        import sqlalchemy as sa

        try:
            with self._lock, self._engine.begin() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            raise InfrastructureError(f"the store {self.path} could not be written: {error.orig}",
                                      hint="free space there or name another file with --store; what was saved before "
                                           "is intact, and --resume goes on from it") from error


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


def _trial(row: RowMapping) -> TrialRecord:
    values = dict(row)
    del values["id"]
    return TrialRecord(**values)
