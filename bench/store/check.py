"""Whether a store is sound: its pages, its rows, what hangs together, and what was made from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bench.errors import InfrastructureError
from bench.store import schema
from bench.store.opening import StoreDamaged, check_file, open_to_read
from bench.store.packing import unpack
from bench.store.records import Damage
from bench.store.salvage import Copy, readable_copy

MOST_PROBLEMS: Final = 20
"""That SQLite lists of a file."""
ROUNDING_NS: Final = 1.0
"""Of a median."""


@dataclass(frozen=True)
class Checked:
    """What was found. `problems` are SQLite's own of the file and of what hangs together, `damage` the rows that cannot
    be read, `odd` the trials whose samples are not those that were counted, `digests` the run and cell of results that
    are computed anew, `rows` how many are sound by table. `lost`: nothing can be read."""

    problems: tuple[str, ...] = ()
    damage: tuple[Damage, ...] = ()
    odd: tuple[Damage, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, int], ...] = ()
    lost: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.problems or self.damage or self.odd or self.digests or self.lost)

    @property
    def only_derived(self) -> bool:
        """Whether all that is damaged is made again by itself."""
        return not (self.problems or self.damage or self.odd or self.lost)

    @property
    def only_indexes(self) -> bool:
        """Whether all rows are there, and only what finds them is damaged."""
        indexes = ("missing from index", "wrong # of entries in index", "non-unique entry in index", "index sqlite_")
        return bool(self.problems) and not (self.damage or self.odd or self.lost) and all(
            any(words in problem for words in indexes) for problem in self.problems)


def check(path: Path) -> Checked:
    """Look at all of a store; nothing is written. Raises ConfigError for what is no store."""
    problems = tuple(_problems(path))
    try:
        copy = readable_copy(path)
    except StoreDamaged as error:
        return Checked(problems, lost=error.message)
    try:
        return Checked(problems, copy.damage, tuple(_odd(copy)), copy.digests, tuple(copy.rows.items()))
    finally:
        copy.engine.dispose()


def ways_on(path: Path, checked: Checked) -> list[str]:
    """What to do about it, the next step first."""
    if checked.is_sound:
        return []
    if checked.only_derived:
        return ["nothing: the next report computes them anew; but look at the disk, for something changed them"]
    if checked.only_indexes:
        return [f"keep a copy, then rebuild the indexes: sqlite3 {path} REINDEX", "look at the disk"]
    found = ["look at the disk (its health, and the system's log) before anything is written there again",
             f"restore {path} from a backup, with its -wal file where there is one"]
    found.append(f"without one, take what SQLite can find: sqlite3 {path} .recover | sqlite3 recovered.sqlite; then "
                 "bench store check --store recovered.sqlite")
    if not checked.lost:
        found.append("until then report, compare, history and recommend read what is not damaged; to go on measuring, "
                     "name another file with --store")
    return found


def _problems(path: Path) -> Iterator[str]:
    check_file(path, create=False)
    try:
        connection = open_to_read(path)
    except InfrastructureError as error:
        yield error.message
        return
    connection.text_factory = lambda text: text.decode(errors="replace")
    try:
        for (line,) in connection.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})"):
            if line != "ok":
                yield from (each for each in str(line).splitlines() if not each.startswith("***"))
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(MOST_PROBLEMS):
            yield f"row {row} of {table} belongs to a row of {parent} that is not there"
    except sqlite3.Error as error:
        yield str(error)
    finally:
        connection.close()


def _odd(copy: Copy) -> Iterator[Damage]:
    """Trials whose samples are not as many as were counted, or have another median than was recorded."""
    import numpy as np

    table = schema.trials
    wanted = sa.select(table.c.id, table.c.run, table.c.cell, table.c.samples, table.c.sample_count, table.c.median_ns)
    with copy.engine.connect() as connection:
        for row in connection.execution_options(yield_per=500).execute(wanted.where(table.c.samples.is_not(None))):
            samples = unpack(row.samples)
            median = float(np.median(samples)) if samples.size else None
            far = row.median_ns is not None and (median is None or abs(median - row.median_ns) > ROUNDING_NS)
            if samples.size != row.sample_count or far:
                yield Damage("trials", row.id, row.id, row.run, row.cell)


def findings(checked: Checked) -> list[dict[str, Any]]:
    """All that was found, as JSON has it."""
    found: list[dict[str, Any]] = [{"kind": "file", "problem": problem}
                                   for problem in (*([checked.lost] if checked.lost else []), *checked.problems)]
    for rows, problem in ((checked.damage, "cannot be read"), (checked.odd, "has not the samples that were counted")):
        found += [{"kind": "rows", "table": each.table, "first": each.first, "last": each.last, "run": each.run,
                   "cell": each.cell, "problem": problem} for each in rows]
    return found + [{"kind": "digest", "run": run, "cell": cell, "problem": "cannot be read, and is computed anew"}
                    for run, cell in checked.digests]
