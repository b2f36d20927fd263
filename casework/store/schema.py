"""The schema's version: every table of the main database, made and moved on by migrations."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pysqlite3 import dbapi2
from sqlalchemy import StaticPool, create_engine

import casework.calendar.tables
import casework.case.tables
import casework.evidence.tables
import casework.keys.tables
import casework.log.tables  # noqa: F401
from casework.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

    Schema = Mapping[str, tuple[object, ...]]

TARGET = Base.metadata
"""Every table, as the code knows it."""

_OF_SQLITE: Final = ("sqlite_stat1", "sqlite_stat4", "sqlite_sequence")
"""Tables that SQLite makes for itself."""


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def current(engine: Engine) -> str | None:
    """Return the revision that the database is at, or ``None`` for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def knows(revision: str) -> bool:
    """Return whether this program knows a revision, and so can bring it up to the newest."""
    script = ScriptDirectory.from_config(_config(None))
    return revision in {known.revision for known in script.walk_revisions()}


def acting(connection: Connection) -> int:
    """Return how many triggers and views a SQLite database has: it would act by itself."""
    query = "SELECT count(*) FROM sqlite_master WHERE type IN ('trigger', 'view')"
    return int(connection.exec_driver_sql(query).scalar() or 0)


def differences(connection: Connection) -> tuple[list[str], list[str], list[str]]:
    """Return what the schema of a database lacks, has changed, and has besides what it should have.

    Tables, with their columns, and indexes, triggers and views are compared with what the
    migrations make; how a constraint is worded is not. Nothing is said of PostgreSQL.
    """
    if connection.dialect.name != "sqlite":
        return [], [], []
    ours, theirs = _ours(), _schema_of(connection)
    return (
        sorted(ours.keys() - theirs.keys()),
        sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]),
        sorted(theirs.keys() - ours.keys()),
    )


@cache
def _ours() -> Schema:
    """Return the schema that the migrations make, in memory."""
    engine = create_engine("sqlite+pysqlite://", module=dbapi2, poolclass=StaticPool)
    try:
        upgrade(engine)
        with engine.connect() as connection:
            return _schema_of(connection)
    finally:
        engine.dispose()


def _schema_of(connection: Connection) -> Schema:
    """Return what a database consists of, each by kind and name, with its columns."""
    found: dict[str, tuple[object, ...]] = {}
    listed = connection.exec_driver_sql("SELECT type, name, tbl_name FROM sqlite_master").all()
    for kind, name, table in listed:
        if name in _OF_SQLITE:
            continue
        # Of a table: type, NULL or not, default, key; of an index: column, order, collation.
        pragma = {"table": "pragma_table_xinfo", "index": "pragma_index_xinfo"}.get(kind)
        columns = (
            connection.exec_driver_sql(f"SELECT * FROM {pragma}(?)", (name,)).all()  # noqa: S608
            if pragma is not None
            else []
        )
        found[f"{kind} {name}"] = (table, *map(tuple, columns))
    return found


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("casework") / "migrations"))
    config.attributes["connection"] = connection
    return config
