"""A sound copy of what can be read of a store: rows one by one, around pages that SQLite cannot make sense of.

The copy lies in a temporary file of SQLite's own, at the newest schema. What reads a damaged store reads that, and so
does whoever may not write one of an older schema.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, LargeBinary, Table, literal_column

from bench.store import checksums, dbapi, schema
from bench.store.connect import CHECKSUMS, make_engine, migrate, refusal, version
from bench.store.opening import CHECK, StoreDamaged, check_file, open_to_read
from bench.store.records import Damage

AT_ONCE: Final = 256
"""Rows that are read at once."""
MOST_FAILURES: Final = 20_000
"""Statements that may fail before the rest of a table is given up."""
LATER: Final = frozenset({"purpose", "judgement", "median_ns", "findings", "number", *checksums.COLUMNS})
"""Columns that stores of before checksums may lack."""
_Row = tuple[Any, ...]


@dataclass
class Copy:
    """The copy, what could not be read, and how many digests are no good: they are computed anew."""

    engine: Engine
    damage: tuple[Damage, ...]
    rows: dict[str, int] = field(default_factory=dict)
    digests: tuple[tuple[str, str], ...] = ()
    """Run and cell of each that cannot be read."""


def readable_copy(path: Path) -> Copy:
    """Copy what can be read. Raises ConfigError for what is no store, StoreDamaged where not even its tables are
    found."""
    check_file(path, create=False)
    source = make_engine(lambda: _tolerant(path))
    try:
        with source.connect() as connection:
            found = version(connection, path)
            _refuse_lost_tables(connection, path, found)
            engine = make_engine(lambda: dbapi.connect(""), _careless)
            with engine.begin() as target:
                migrate(target, path, found or CHECKSUMS)
            with engine.begin() as target:
                copied = [_copy(connection, target, table, found or "")
                          for table in schema.metadata.sorted_tables if sa.inspect(connection).has_table(table.name)]
            with engine.begin() as target:
                damage = _attributed([each for part in copied for each in part.damage], target)
                _drop_orphans(target)
            with engine.begin() as target:
                migrate(target, path)
    except sa.exc.DatabaseError as error:
        raise refusal(error, path) from error
    finally:
        source.dispose()
    digests = tuple(each for part in copied for each in part.digests)
    return Copy(engine, tuple(damage), {part.table: part.rows for part in copied}, digests)


def _refuse_lost_tables(source: Connection, path: Path, found: str | None) -> None:
    """Raises StoreDamaged where a table or a column of it is not there: without its trials every run would look as if
    nothing had been measured."""
    if found is None:
        return
    for table in schema.CHECKED:
        there = {column["name"] for column in sa.inspect(source).get_columns(table.name)} if sa.inspect(
            source).has_table(table.name) else set()
        lost = {column.name for column in table.c if found >= CHECKSUMS or column.name not in LATER} - there
        if lost:
            what = f"the columns {', '.join(sorted(lost))} of the table" if there else "the table"
            raise StoreDamaged(f"{path} is damaged: {what} {table.name} cannot be found", hint=CHECK)


@dataclass
class _Part:
    table: str
    damage: list[Damage]
    digests: list[tuple[str, str]]
    rows: int = 0


def _copy(source: Connection, target: Connection, table: Table, found: str) -> _Part:
    """One table's readable rows, into the copy."""
    there = {column["name"] for column in sa.inspect(source).get_columns(table.name)}
    columns = [column for column in table.c if column.name in there]
    wanted = sa.select(literal_column("rowid").label("place"), *map(checksums.raw, columns)).select_from(
        table).with_hint(table, "NOT INDEXED", "sqlite")
    keys, names = _keys(source, table), [column.name for column in columns]
    highest = _highest(source, table, keys)
    unseen = set(range(1, (highest or 0) + 1)) if table is schema.sessions else set(keys)
    part, kept = _Part(table.name, [], []), []
    for first, last, row in _Reader(source, wanted, highest).rows():
        unseen.difference_update(range(first, last + 1))
        values = None if row is None else dict(zip(names, row, strict=True))
        if values is not None and _is_sound(table, values, found):
            kept.append(_decoded(columns, values))
            part.rows += 1
        elif table is schema.digests:
            part.digests.append(_named(keys, first, values))
        else:
            _add(part.damage, table.name, first, last, keys, values)
        if len(kept) >= AT_ONCE:
            _insert(target, table, kept)
            kept = []
    _insert(target, table, kept)
    for place in sorted(unseen) if table is not schema.digests else ():  # of a page that another's took the place of
        _add(part.damage, table.name, place, place, keys, None)
    return part


class _Reader:
    """The rows of a table in pieces; a piece that cannot be read is halved until single rows are left."""

    def __init__(self, source: Connection, wanted: Any, highest: int | None) -> None:
        self._source = source
        self._wanted = wanted.where(literal_column("rowid").between(sa.bindparam("low"), sa.bindparam("high"))
                                    ).order_by(literal_column("rowid"))
        self._highest = highest
        self._failures = 0

    def rows(self) -> Iterator[tuple[int, int, _Row | None]]:
        """First and last rowid (the same of one row) with the row, or None for what cannot be read."""
        low, failing = 1, 0
        while self._highest is None or low <= self._highest:
            high = low + AT_ONCE - 1
            found = list(self._between(low, high if self._highest is None else min(high, self._highest)))
            failing = failing + 1 if found and all(row is None for _, _, row in found) else 0
            yield from found
            if self._failures > MOST_FAILURES or (self._highest is None and failing):
                return  # what lies behind cannot be told from nothing
            following = high + 1 if found else self._next(high)
            if following is None:
                return
            low = max(following, high + 1)

    def _between(self, low: int, high: int) -> Iterator[tuple[int, int, _Row | None]]:
        try:
            rows = self._source.execute(self._wanted, {"low": low, "high": high}).all()
        except sa.exc.DatabaseError:
            self._failures += 1
        else:
            yield from ((row[0], row[0], tuple(row[1:])) for row in rows)
            return
        if low == high or self._failures > MOST_FAILURES:
            yield low, high, None
            return
        middle = (low + high) // 2
        yield from self._between(low, middle)
        yield from self._between(middle + 1, high)

    def _next(self, after: int) -> int | None:
        """Where the next row is; the next piece where that cannot be told."""
        following = self._wanted.with_only_columns(literal_column("rowid")).limit(1)
        try:
            found = self._source.execute(following, {"low": after + 1, "high": 2**62}).scalar()
        except sa.exc.DatabaseError:
            self._failures += 1
            return after + 1
        return None if found is None else int(found)


def _keys(source: Connection, table: Table) -> dict[int, tuple[str, ...]]:
    """By rowid the run and cell of the rows, from an index: they are known also of rows that cannot be read."""
    columns = {"runs": ["id"], "sessions": []}.get(table.name, ["run", "cell"])
    if not columns:
        return {}
    raw = ", ".join(f"CAST({name} AS BLOB)" for name in columns)
    try:  # the order makes SQLite read the index alone
        found = source.exec_driver_sql(f"SELECT rowid, {raw} FROM {table.name} ORDER BY {', '.join(columns)}").all()
    except sa.exc.DatabaseError:
        return {}
    return {row[0]: tuple(map(_text, row[1:])) for row in found}


def _highest(source: Connection, table: Table, keys: Mapping[int, object]) -> int | None:
    try:
        found = source.exec_driver_sql(f"SELECT max(rowid) FROM {table.name} NOT INDEXED").scalar()
    except sa.exc.DatabaseError:
        return max(keys) if keys else None
    return found or 0


def _is_sound(table: Table, values: Mapping[str, Any], found: str) -> bool:
    if table is schema.digests:
        return _is_digest(values)
    if table in schema.CHECKED and found >= CHECKSUMS:
        names = [name for name in checksums.COLUMNS if name in values]
        return all(values[name] == checksums.checksum(*(values[column] for column in checksums.covered(table, name)))
                   for name in names)
    return checksums.is_readable(table, list(values), list(values.values()))


def _is_digest(values: Mapping[str, Any]) -> bool:
    """Whether it can be read and is of what its row says; earlier versions did not write that into it."""
    try:
        told = json.loads(zlib.decompress(values["content"]))
        return isinstance(told, dict) or told[0][:2] == [_text(values["run"]), _text(values["cell"])]
    except (zlib.error, ValueError, TypeError, LookupError):
        return False


def _decoded(columns: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are to be inserted: text as text."""
    return {column.name: value.decode(errors="replace") if isinstance(value, bytes)
            and not isinstance(column.type, LargeBinary) else value
            for column, value in zip(columns, values.values(), strict=True)}


def _insert(target: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        marks = ", ".join("?" * len(names))
        target.exec_driver_sql(f"INSERT OR IGNORE INTO {table.name} ({', '.join(names)}) VALUES ({marks})",
                               [tuple(row.values()) for row in rows])


def _add(damage: list[Damage], table: str, first: int, last: int, keys: Mapping[int, tuple[str, ...]],
         values: Mapping[str, Any] | None) -> None:
    run, cell = _named(keys, first, values) if first == last else (None, None)
    before = damage[-1] if damage else None
    if before and before.last == first - 1 and (before.run, before.cell) == (run, cell):
        damage[-1] = replace(before, last=last)
    else:
        damage.append(Damage(table, first, last, run or None, cell or None))


def _named(keys: Mapping[int, tuple[str, ...]], place: int, values: Mapping[str, Any] | None) -> tuple[str, str]:
    """The run and the cell that a row is of, from its index, else from what it holds; empty where not known."""
    known = keys.get(place) or tuple(_text((values or {}).get(name)) for name in ("run", "cell"))
    return known[0], known[1] if len(known) > 1 else ""


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _attributed(damage: Sequence[Damage], target: Connection) -> list[Damage]:
    """With the runs of sessions, which trials name."""
    found = []
    for each in damage:
        if each.table == "sessions":
            run = target.execute(sa.select(schema.trials.c.run).where(
                schema.trials.c.session.between(each.first, each.last)).limit(1)).scalar()
            found.append(replace(each, run=run or each.run))
        else:
            found.append(each)
    return found


def _drop_orphans(target: Connection) -> None:
    """What belongs to a run or a cell that cannot be read is found by nobody."""
    for table in ("cells", "sessions"):
        target.exec_driver_sql(f"DELETE FROM {table} WHERE run NOT IN (SELECT id FROM runs)")
    target.exec_driver_sql("DELETE FROM trials WHERE NOT EXISTS (SELECT 1 FROM cells WHERE cells.run = trials.run AND "
                           "cells.cell = trials.cell)")


def _tolerant(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, and reads also what ends too early or has odd tables."""
    connection = open_to_read(path)
    connection.execute("PRAGMA writable_schema=ON")
    return connection


def _careless(connection: sqlite3.Connection) -> None:
    """Of a copy that nobody else sees and no crash must survive."""
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
