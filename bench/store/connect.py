"""Opening the SQLite file: WAL, synchronous=FULL, the schema brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0003"
"""The newest migration; opening a store that is there already does not import Alembic."""


def connect(path: Path, *, create: bool) -> Engine:
    """An engine on the store at `path`, at the newest schema.

    Raises ConfigError: it is missing (unless `create`), not a store, not writable, or of a newer version.
    """
    import sqlalchemy as sa

    if not create and not path.exists():
        raise ConfigError(f"no store at {path}", hint="measure first with: bench run, or name a store with --store")
    if create:
        _make_folder(path)
    options = {"timeout": 30.0, "check_same_thread": False}
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), connect_args=options,
                              poolclass=sa.pool.StaticPool)
    sa.event.listen(engine, "connect", _pragmas)
    try:
        with engine.begin() as connection:
            _migrate(connection, path)
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise ConfigError(f"{path} cannot be used as a store: {error.orig}",
                          hint="name another file with --store, or see who may write to that folder") from error
    return engine


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder {path.parent} for the store cannot be made: {error.strerror}",
                          hint="name another file with --store") from error


def _pragmas(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection, path: Path) -> None:
    """Whole or not at all, and once where several processes open the store."""
    if _version(connection, path) == HEAD:
        return
    # sqlite3 begins no transaction for CREATE and ALTER: a kill between two would leave a store of no version.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if _version(connection, path) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection, path: Path) -> str | None:
    """The schema's; None of a new file. Raises ConfigError for one that is newer than this version of bench."""
    import sqlalchemy as sa

    found: str | None = None
    if sa.inspect(connection).has_table("alembic_version"):
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > HEAD:
        raise ConfigError(f"{path} was written by a newer bench (schema {found}, this one knows {HEAD})",
                          hint="update bench, or name another file with --store")
    return found
