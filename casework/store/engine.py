"""Open a SQLite file the way Suaka needs it: durable, wiping, foreign keys on.

``BEGIN`` is emitted by us, so that writers take the lock at once (``BEGIN IMMEDIATE``) and
never fail half-way through when a second writer appears.
"""

from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy import Connection, Engine, create_engine, event

from casework.errors import CaseworkError

MINIMUM_SQLITE = (3, 51, 3)
"""Older versions can corrupt a database when a WAL is reset (sqlite.org, fixed in 3.51.3)."""

BUSY_SECONDS = 20
"""How long a writer waits for another writer before the database counts as locked."""

BEGIN_OPTION = "suaka_begin"
"""Connection execution option that names how a transaction begins."""


class StorageUnfit(CaseworkError):
    """The database library or file cannot be used safely; the message says why."""


class Unavailable(CaseworkError):
    """A database is locked, full or unreadable just now; the act left nothing behind."""


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite library in use."""
    return tuple(int(part) for part in dbapi2.sqlite_version.split("."))


def open_engine(path: Path) -> Engine:
    """Return an engine on the SQLite file ``path`` (created with mode 0600 if absent).

    Raises:
        StorageUnfit: the SQLite library is older than :data:`MINIMUM_SQLITE`.
    """
    if sqlite_version() < MINIMUM_SQLITE:
        raise StorageUnfit(f"SQLite {dbapi2.sqlite_version} is too old: 3.51.3 is needed")
    if not path.exists():
        path.touch(mode=0o600)
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        module=dbapi2,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=24,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def truncate_wal(engine: Engine) -> None:
    """Move the write-ahead log into the database and empty it: deleted rows leave the disk."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    how = connection.get_execution_options().get(BEGIN_OPTION, "BEGIN")
    connection.exec_driver_sql(str(how))
