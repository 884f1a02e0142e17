"""Whether a file can be opened as a store at all, and how: for writing, or to be read only."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import ConfigError, InfrastructureError
from bench.store import dbapi

if TYPE_CHECKING:
    from sqlalchemy.exc import DatabaseError

MAGIC: Final = b"SQLite format 3\x00"
LONGEST_NAME: Final = 247
"""Bytes: SQLite adds up to 8 for the files beside it, and a name has at most 255."""
IN_MEMORY: Final = ":memory:"
"""What SQLite takes for no file at all."""
ANOTHER: Final = "name another file with --store"
CHECK: Final = "bench store check says what is damaged and what to do"
_NOT_DAMAGE: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_AUTH})
_OF_PAGES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR})


class StoreDamaged(InfrastructureError):
    """The file is a store, or was one, and SQLite cannot make sense of it as it is."""


def check_file(path: Path, *, create: bool) -> None:
    """Raises ConfigError for what is no store and can become none, saying what it is instead; nothing is opened that
    would change or wait."""
    if str(path) == IN_MEMORY:
        raise ConfigError(f"{IN_MEMORY} is no file: nothing of it would be there after the run",
                          hint="name a file with --store")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise ConfigError(f"the name of the store has {len(os.fsencode(path.name))} bytes, at most {LONGEST_NAME} are "
                          "possible: SQLite keeps files of longer names beside it", hint="name a shorter one")
    try:
        there = path.exists()
    except OSError as error:
        raise ConfigError(f"{path} cannot be used as a store: {error.strerror}", hint=ANOTHER) from None
    if not there:
        if not create:
            raise ConfigError(f"no store at {path}", hint="measure first with: bench run, or name a store with --store")
        return
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no file of its own, but a device or a pipe"
        raise ConfigError(f"{path} cannot be used as a store: it is {kind}", hint="name a file with --store")
    _check_content(path, create=create)


def is_writable(path: Path) -> bool:
    """Whether this user may write the store: SQLite also makes files beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, neither the file nor beside it. Raises InfrastructureError."""
    place = path.resolve().as_uri()
    wal = path.resolve().with_name(f"{path.resolve().name}-wal")
    ways = ["mode=ro"] if wal.exists() and wal.stat().st_size else ["mode=ro", "mode=ro&immutable=1"]
    problem: sqlite3.Error | None = None
    for way in ways:  # what nobody has open, and lies where nothing can be written, is read as what does not change
        connection = dbapi.connect(f"{place}?{way}", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            if code_of(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                connection.close()
                problem = error
                continue
        return connection
    raise InfrastructureError(f"{path} cannot be read: {problem}",
                              hint="what was written last lies in a file beside it that cannot be opened here; copy "
                                   f"both to a folder of your own: {path.name} and {wal.name}")


def code_of(error: BaseException | None) -> int:
    """SQLite's primary error code; that of a text which is none where the error has no code."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return sqlite3.SQLITE_ERROR if code is None else code & 0xFF


def is_damage(error: DatabaseError) -> bool:
    """Whether a statement may have failed because of what the file holds."""
    return code_of(error.orig) not in _NOT_DAMAGE


def is_of_pages(error: DatabaseError) -> bool:
    """Whether the file's structure is damaged, or its disk, whatever the rows hold."""
    return code_of(error.orig) in _OF_PAGES


def is_of_row(error: DatabaseError) -> bool:
    """Whether a statement met a row that is not sound (bench.store.checksums)."""
    return code_of(error.orig) == sqlite3.SQLITE_ERROR and "user-defined function" in str(error.orig)


def _check_content(path: Path, *, create: bool) -> None:
    if not os.access(path, os.R_OK):
        raise ConfigError(f"{path} cannot be read by this user", hint=f"ask its owner, or {ANOTHER}")
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
    except OSError as error:
        raise InfrastructureError(f"{path} cannot be read: {error.strerror}") from None
    if not begin and not create:
        raise ConfigError(f"{path} is empty: nothing was ever stored in it",
                          hint="measure first with: bench run, or name a store with --store")
    if begin and begin != MAGIC:
        raise ConfigError(f"{path} cannot be used as a store: it is no SQLite database, it begins with {begin!r}",
                          hint=f"{ANOTHER}; if it was a store, its first page is damaged: restore it from a backup")
