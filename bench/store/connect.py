"""Engines on the SQLite file: WAL, synchronous=FULL, the schema brought up to date."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, InfrastructureError
from bench.store import dbapi
from bench.store.opening import ANOTHER, CHECK, StoreDamaged, check_file, code_of, is_damage, open_to_read
from bench.transports.text import whole

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DatabaseError

HEAD = "0004"
"""The newest migration; opening a store that is there already does not import Alembic."""
CHECKSUMS = "0004"
"""The migration that brought checksums of rows."""
OURS = frozenset({"runs", "cells", "sessions", "trials"})
"""Tables that every store has."""


def connect(path: Path, *, create: bool) -> Engine:
    """An engine on the store at `path`, at the newest schema, to read and write it.

    Raises ConfigError: it is missing (unless `create`), not a store, not writable, or of a newer version;
    StoreDamaged, an InfrastructureError; InfrastructureError when another process keeps it from being opened.
    """
    check_file(path, create=create)
    _refuse_unwritable(path)
    if path.exists():
        _peek(path, create=create)
    if create:
        _make_file(path)
    engine = make_engine(lambda: dbapi.connect(str(path)), _pragmas)
    with _opening(engine, path), engine.begin() as connection:
        migrate(connection, path)
    return engine


def _peek(path: Path, *, create: bool) -> None:
    """Raises ConfigError for what is no store, before anything of it is changed, such as how its journal is kept."""
    import sqlalchemy as sa

    engine = make_engine(lambda: open_to_read(path))
    try:
        with engine.connect() as connection:
            found = version(connection, path)
    except (sa.exc.DatabaseError, InfrastructureError):
        return  # what is damaged or kept busy is told where it is opened
    finally:
        engine.dispose()
    if found is None and not create:
        raise ConfigError(f"{path} is a database without tables: nothing was ever stored in it",
                          hint="measure first with: bench run, or name a store with --store")


def connect_to_read(path: Path) -> Engine | None:
    """An engine on a store that is not written, whoever may write it; None where its schema is older than the newest.

    Raises the same as `connect`.
    """
    check_file(path, create=False)
    engine = make_engine(lambda: open_to_read(path))
    with _opening(engine, path), engine.connect() as connection:
        newest = version(connection, path) in (HEAD, None)
    if not newest:
        engine.dispose()
    return engine if newest else None


def make_engine(open_: Callable[[], sqlite3.Connection],
                prepare: Callable[[sqlite3.Connection], None] = lambda _: None) -> Engine:
    """An engine with one connection, which `open_` makes and `prepare` sets up."""
    import sqlalchemy as sa

    from bench.store import checksums

    def made() -> sqlite3.Connection:
        connection = open_()
        checksums.register(connection)
        return connection

    engine = sa.create_engine("sqlite://", creator=made, poolclass=sa.pool.StaticPool, json_serializer=_to_json,
                              json_deserializer=_from_json)
    sa.event.listen(engine, "connect", lambda connection, _record: prepare(connection))
    sa.event.listen(engine, "before_cursor_execute", _with_whole_text, retval=True)
    return engine


def prepare_folder(path: Path) -> None:
    """The folder that a new store is to lie in. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder {path.parent} for the store cannot be made: {error.strerror}",
                          hint=ANOTHER) from error
    _refuse_unwritable(path)


@contextlib.contextmanager
def _opening(engine: Engine, path: Path) -> Iterator[None]:
    import sqlalchemy as sa

    try:
        yield
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise refusal(error, path) from error
    except BaseException:
        engine.dispose()
        raise


def refusal(error: DatabaseError, path: Path) -> InfrastructureError | ConfigError:
    """What a store that cannot be read or opened is told as."""
    if code_of(error.orig) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return InfrastructureError(f"{path} is kept busy by another program: {error.orig}", hint="try again later")
    if getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_NOMEM")):
        return InfrastructureError(f"the store {path} cannot be used: {error.orig}",
                                   hint="free space there, and see whether its disk fails")
    if is_damage(error):
        return StoreDamaged(f"{path} is damaged: {error.orig}", hint=CHECK)
    return ConfigError(f"{path} cannot be used as a store: {error.orig}",
                       hint="name another file with --store, or see who may write to that folder")


def _refuse_unwritable(path: Path) -> None:
    if path.exists() and not os.access(path, os.W_OK):
        raise ConfigError(f"the store {path} cannot be written by this user: the file is read-only", hint=ANOTHER)
    if path.parent.exists() and not os.access(path.parent, os.W_OK):
        raise ConfigError(f"the store {path} cannot be written by this user: its folder is read-only", hint=ANOTHER)


def _to_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or whole(text) == text else json.dumps(_mended(value), ensure_ascii=False)


def _from_json(text: str) -> Any:
    """What `_to_json` wrote, or an earlier version: that one kept halves of surrogate pairs as escapes."""
    return _mended(json.loads(text)) if "\\ud" in text else json.loads(text)


def _mended(value: Any) -> Any:
    """JSON's own types with every text in them whole."""
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(each) for each in value]
    return whole(value) if isinstance(value, str) else value


def _with_whole_text(_connection: object, _cursor: object, statement: str, parameters: Any, _context: object,
                     _many: bool) -> tuple[str, Any]:
    """Parameters of a statement, with texts that come from models and devices as the file can hold them."""
    if isinstance(parameters, list):
        return statement, [tuple(map(_whole, row)) for row in parameters]
    return statement, tuple(map(_whole, parameters))


def _whole(value: Any) -> Any:
    return value if not isinstance(value, str) or value.isascii() else whole(value)


def _make_file(path: Path) -> None:
    """A new store is its owner's only: it holds suites, devices.yaml and logs. SQLite gives its other files the same
    mode."""
    prepare_folder(path)
    with contextlib.suppress(OSError):  # that it cannot be opened is told by SQLite, and that it is there is no error
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _pragmas(connection: sqlite3.Connection) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def migrate(connection: Connection, path: Path, to: str = HEAD) -> None:
    """Whole or not at all, and once where several processes open the store."""
    if version(connection, path) == to:
        return
    # sqlite3 begins no transaction for CREATE and ALTER: a kill between two would leave a store of no version.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    found = version(connection, path)
    if found == to:
        return
    from alembic import command
    from alembic.config import Config

    from bench.store import checksums, schema

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    if found is not None and found < CHECKSUMS <= to:
        for table in schema.CHECKED:
            checksums.write_first(connection, table)


def version(connection: Connection, path: Path) -> str | None:
    """The schema's; None of a new file. Raises ConfigError for one that is newer than this version of bench, and for
    the database of another program; StoreDamaged where it cannot be told."""
    import sqlalchemy as sa

    there = set(sa.inspect(connection).get_table_names())
    if not there:
        return None
    if OURS - there:
        if len(OURS & there) == len(OURS) - 1 and "alembic_version" in there:
            raise StoreDamaged(f"{path} is damaged: it has no table {', '.join(sorted(OURS - there))}", hint=CHECK)
        raise ConfigError(f"{path} is a database of another program: it has the tables {', '.join(sorted(there)[:5])}",
                          hint=ANOTHER)
    raw = connection.execute(sa.text("SELECT CAST(version_num AS BLOB) FROM alembic_version")).scalar()
    found = raw.decode("ascii", "replace") if isinstance(raw, bytes) else ""
    if len(found) != len(HEAD) or not found.isdecimal():
        raise StoreDamaged(f"{path} is damaged: its schema's version reads {found!r}", hint=CHECK)
    if found > HEAD:
        raise ConfigError(f"{path} was written by a newer bench (schema {found}, this one knows {HEAD})",
                          hint="update bench, or name another file with --store")
    return found
