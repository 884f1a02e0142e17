"""Checksums of rows: what tells a damaged row from one that holds odd values.

CRC-32 over what SQLite holds of a row, column by column, computed by SQLite itself through functions that every
connection of `bench` is given. `checksum` is over a whole row; `median_checksum` over the few columns that a history
reads of very many trials.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, Connection, Float, Integer, LargeBinary, Table, case, cast, func

COLUMNS: Final = ("checksum", "median_checksum")
MEDIAN: Final = ("run", "cell", "kind", "number", "state", "artifact", "seconds", "median_ns")
"""What `median_checksum` is over: what a history reads of a trial."""
INTACT: Final = "intact"
"""How the names of such columns end."""
_NAME: Final = "bench_checksum"
_INTACT: Final = "bench_intact"
_READABLE: Final = "bench_readable"


class DamagedRow(Exception):
    """A row that is not what was written, met while SQLite looked at it; SQLite makes an error of its own of it."""


def checksum(*values: object) -> int:
    """Of a row's values as SQLite holds them: None, numbers, and all else as bytes."""
    blobs = [value for value in values if isinstance(value, bytes)]
    shape = [len(value) if isinstance(value, bytes) else value for value in values]
    return zlib.crc32(b"".join([repr(shape).encode(), *blobs]))


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the expressions below name."""
    connection.create_function(_NAME, -1, checksum, deterministic=True)
    connection.create_function(_INTACT, -1, _intact, deterministic=True)
    connection.create_function(_READABLE, -1, _readable, deterministic=True)


def computed(table: Table, name: str = "checksum") -> ColumnElement[int]:
    """What the rows' checksum must be."""
    found: ColumnElement[int] = getattr(func, _NAME)(*_values(table, name), type_=Integer())
    return found


def intact(table: Table, name: str = "checksum") -> ColumnElement[int]:
    """A column to be selected, 1 of every row that is sound: the statement fails at the first that is not.

    As a condition it would not do: SQLite puts constants of other conditions in the place of columns.
    """
    found: ColumnElement[int] = getattr(func, _INTACT)(table.c[name], *_values(table, name), type_=Integer())
    return found.label(f"{table.name}_{INTACT}")


def write(connection: Connection, table: Table, *where: ColumnElement[bool]) -> None:
    """Record the checksums of rows that have just been written, in the same transaction."""
    names = [name for name in COLUMNS if name in table.c]
    connection.execute(table.update().where(*where).values({name: computed(table, name) for name in names}))


def write_first(connection: Connection, table: Table) -> None:
    """Record the first checksums of a table whose rows had none: of those that can be read, so that the others count
    as damaged."""
    readable = getattr(func, _READABLE)(table.name, *_values(table, "checksum"))
    write(connection, table, readable == 1)


def is_readable(table: Table, names: Sequence[str], values: Sequence[object]) -> bool:
    """Whether a row of some columns of a table, its values as `checksum` takes them, is of the right types and can be
    decoded. Of rows that have no checksum it is all that can be known."""
    return all(_fits(table.c[name], value) for name, value in zip(names, values, strict=True))


def raw(column: Any) -> Any:
    """The value as it lies in the file: text as bytes, for damaged text may be none; numbers exactly."""
    blob = cast(column, LargeBinary)
    if not isinstance(column.type, Integer | Float):
        return blob
    return case((func.typeof(column).in_(["integer", "real"]), column), else_=blob)


def covered(table: Table, name: str = "checksum") -> list[str]:
    """The columns that a checksum is over, in their order."""
    return [column.name for column in table.c
            if column.name not in COLUMNS and (name == "checksum" or column.name in MEDIAN)]


def _values(table: Table, name: str) -> list[Any]:
    return [raw(table.c[column]) for column in covered(table, name)]


def _intact(stored: object, *values: object) -> int:
    if stored != checksum(*values):
        raise DamagedRow
    return 1


def _readable(name: str, *values: object) -> bool:
    from bench.store.schema import metadata

    table = metadata.tables[name]
    return is_readable(table, covered(table), values)


def _fits(column: Any, value: object) -> bool:
    if value is None:
        return bool(column.nullable)
    if isinstance(column.type, Integer):
        return isinstance(value, int)
    if isinstance(column.type, Float):
        return isinstance(value, int | float)
    return isinstance(value, bytes) and _decodes(column, value)


def _decodes(column: Any, value: bytes) -> bool:
    try:
        if column.name == "samples":
            return len(zlib.decompress(value)) % 8 == 0
        if isinstance(column.type, JSON):
            json.loads(value)
        elif not isinstance(column.type, LargeBinary):
            value.decode()
    except (ValueError, zlib.error, RecursionError):
        return False
    return True
