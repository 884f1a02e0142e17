"""Reading and writing the store's file: as it is while it is sound, and around what is damaged."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bench.errors import InfrastructureError
from bench.store import dbapi
from bench.store.connect import connect, connect_to_read, make_engine, prepare_folder, refusal
from bench.store.opening import CHECK, StoreDamaged, check_file, is_damage, is_of_pages, is_of_row, is_writable
from bench.store.records import Damage

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row, RowMapping
    from sqlalchemy.exc import DatabaseError

INDEXES: Final = {"runs": ("id", "sqlite_autoindex_runs_1"), "cells": ("run, cell", "sqlite_autoindex_cells_1"),
                  "trials": ("run, cell", "trials_of_cell")}
"""By table, what its rows are found by."""
BAD_INDEX: Final = "an index is damaged"

Itself = TypeVar("Itself", bound="Access")


class Access:
    """An open store. What only reads writes nothing but digests, and nothing at all where this user may not.

    Rows are read from the file as long as all that are asked for are sound. From the first that is not, they are read
    from a copy of those that are (bench.store.salvage), until something is written; `damage` tells of the others.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.damage: tuple[Damage, ...] = ()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._copy: Engine | None = None
        self._has_sound_indexes: bool | None = None
        if create:
            self._open_to_write()
        else:
            self._open_to_read()

    def __enter__(self: Itself) -> Itself:
        return self

    def __exit__(self, *error: object) -> None:
        for engine in (self._engine, self._copy):
            if engine is not None:
                engine.dispose()

    def _open_to_write(self) -> None:
        check_file(self.path, create=True)
        if self.path.exists():
            self._engine = connect(self.path, create=True)
            return
        from bench.store.schema import metadata

        prepare_folder(self.path)
        self._copy = make_engine(lambda: dbapi.connect(":memory:"))
        metadata.create_all(self._copy)  # what a store holds that nothing was stored in

    def _open_to_read(self) -> None:
        check_file(self.path, create=False)
        try:
            if is_writable(self.path):
                self._engine = connect(self.path, create=False)
                return
            self._engine = connect_to_read(self.path)
            if self._engine is None:  # of an older version, and not to be changed
                self._take_copy(None)
        except StoreDamaged:
            self._take_copy(None)

    def _rows(self, statement: Any) -> Sequence[RowMapping]:
        """`_tuples`, by the names of their columns."""
        return [row._mapping for row in self._tuples(statement)]

    def _tuples(self, statement: Any) -> Sequence[Row[Any]]:
        """All rows of a statement that fails where one is damaged. Raises InfrastructureError where nothing can be
        read."""
        import sqlalchemy as sa

        with self._lock:
            if self._copy is None:
                assert self._engine is not None
                try:
                    if self._are_indexes_sound(self._engine):
                        return _all(self._engine, statement)
                    self._take_copy(None)
                    self.damage = self.damage or (Damage("", problem=BAD_INDEX),)
                except sa.exc.DatabaseError as error:
                    if not is_damage(error):
                        raise refusal(error, self.path) from error
                    self._take_copy(error)
            assert self._copy is not None
            return _all(self._copy, statement)

    def _are_indexes_sound(self, engine: Engine) -> bool:
        """Whether all rows are found by the indexes, looked at once: one that misses some makes no error, and a cell
        whose trials are missed would look as if it had not been measured."""
        if self._has_sound_indexes is None:
            with engine.connect() as connection:
                self._has_sound_indexes = all(
                    _groups(connection, table, keys, f"INDEXED BY {index}") == _groups(connection, table, keys,
                                                                                      "NOT INDEXED")
                    for table, (keys, index) in INDEXES.items())
        return self._has_sound_indexes

    def _tuples_if_any(self, statement: Any) -> Sequence[Row[Any]]:
        """All rows of a statement; none where they cannot be read."""
        import sqlalchemy as sa

        engine = self._copy or self._engine
        assert engine is not None
        try:
            with self._lock:
                return _all(engine, statement)
        except sa.exc.DatabaseError:
            return ()

    def _take_copy(self, error: DatabaseError | None) -> None:
        from bench.store.salvage import readable_copy

        copy = readable_copy(self.path)
        found = copy.damage
        if error is not None and not found:
            if not (is_of_pages(error) or is_of_row(error)):
                copy.engine.dispose()
                raise error  # nothing is damaged: it is the statement
            found = (Damage("", problem=BAD_INDEX if is_of_row(error) else str(error.orig)),)
        self._copy, self.damage = copy.engine, found or self.damage

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction of its own. Raises InfrastructureError, naming the store, when it cannot be written."""
        import sqlalchemy as sa

        try:
            with self._lock:
                if self._engine is None:
                    self._engine = connect(self.path, create=True)
                with self._engine.begin() as connection:
                    yield connection
                self._drop_copy()
        except sa.exc.DatabaseError as error:
            row = is_of_row(error)
            hint = CHECK if row or is_of_pages(error) else (
                "free space there or name another file with --store; what was saved before is intact, and --resume "
                "goes on from it")
            why = "the row to be changed is damaged" if row else str(error.orig)
            raise InfrastructureError(f"the store {self.path} could not be written: {why}", hint=hint) from error

    def _drop_copy(self) -> None:
        """What was written is not in it."""
        if self._copy is not None:
            self._copy.dispose()
            self._copy = None


def _groups(connection: Connection, table: str, keys: str, way: str) -> set[tuple[Any, ...]]:
    """Of the rows of each key, as that way finds them: how many there are, and the sum of their rowids."""
    raw = ", ".join(f"CAST({key} AS BLOB)" for key in keys.split(", "))
    statement = f"SELECT {raw}, count(*), total(rowid) FROM {table} {way} GROUP BY {keys}"
    return set(map(tuple, connection.exec_driver_sql(statement).all()))


def _all(engine: Engine, statement: Any) -> Sequence[Row[Any]]:
    with engine.connect() as connection:
        return connection.execute(statement).all()
