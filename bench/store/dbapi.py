"""SQLite connections whose errors are SQLite's own, whatever the file holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def connect(place: str, *, uri: bool = False) -> sqlite3.Connection:
    """A connection for several threads that waits for others; `place` is a path or, with `uri`, an address."""
    return sqlite3.connect(place, uri=uri, timeout=30.0, check_same_thread=False, factory=_Connection)


class _Cursor(sqlite3.Cursor):
    """Of a damaged file even the text of an error may be none: Python then raises no error of SQLite's."""

    def execute(self, *arguments: Any) -> _Cursor:
        with _told():
            super().execute(*arguments)
        return self

    def fetchone(self) -> Any:
        with _told():
            return super().fetchone()

    def fetchmany(self, *arguments: Any) -> list[Any]:
        with _told():
            return super().fetchmany(*arguments)

    def fetchall(self) -> list[Any]:
        with _told():
            return super().fetchall()


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError(f"text that is none: {error.object[:60]!r}") from error
