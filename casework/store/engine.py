"""Open a SQLite file the way Suaka needs it: durable, wiping, foreign keys on.

``BEGIN`` is emitted by us, so that writers take the lock at once (``BEGIN IMMEDIATE``) and
never fail half-way through when a second writer appears.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy import Connection, Engine, create_engine, event

from casework.errors import CaseworkError

MINIMUM_SQLITE = (3, 51, 3)
"""Older versions can corrupt a database when a WAL is reset (sqlite.org, fixed in 3.51.3)."""

BUSY_SECONDS = 20
"""How long a writer waits for another writer before the database counts as locked."""

TRUNCATE_MS = 250
"""How long one try to empty the write-ahead log waits for readers, in milliseconds."""

TRUNCATE_PAUSE = 0.05
"""Seconds between two tries, in which writers get on."""

TRUNCATE_TRIES = 6

BEGIN_OPTION = "suaka_begin"
"""Connection execution option that names how a transaction begins."""


class StorageUnfit(CaseworkError):
    """The database library or file cannot be used safely; the message says why."""


class Unavailable(CaseworkError):
    """A database is locked, full or unreadable just now; the act left nothing behind."""


class Texts:
    """Decodes every text of a connection; ``strange`` counts those that were no UTF-8.

    One of those gets a further mark at its end: bytes put in the place of a mark that was
    written honestly would otherwise read as what had been signed.
    """

    MARK = "\N{REPLACEMENT CHARACTER}"

    def __init__(self) -> None:
        """Begin to count."""
        self.strange = 0

    def __call__(self, raw: bytes) -> str:
        """Return a text, whatever its bytes are."""
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.strange += 1
            return raw.decode(errors="replace") + self.MARK


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


@contextmanager
def lenient(connection: Connection) -> Iterator[Texts]:
    """Let a connection read texts that are no UTF-8, which otherwise count as a damaged database.

    For whoever looks for damage: what is read so fits no hash. Only SQLite stores such texts.
    """
    texts = Texts()
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield texts
        return
    before, driver.text_factory = driver.text_factory, texts
    try:
        yield texts
    finally:
        driver.text_factory = before


def truncate_wal(engine: Engine) -> None:
    """Move the write-ahead log into the database and empty it: deleted rows leave the disk.

    Tries several times, each for a moment only, because nobody can write while it waits for
    readers.

    Raises:
        Unavailable: somebody reads all the time; the log still holds what was deleted.
    """
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        waits = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={min(waits, TRUNCATE_MS)}")
        try:
            emptied = any(_emptied(cursor) for _ in range(TRUNCATE_TRIES))
        finally:
            cursor.execute(f"PRAGMA busy_timeout={waits}")
    finally:
        raw.close()
    if not emptied:
        raise Unavailable("write-ahead log")


def _emptied(cursor: Any) -> bool:
    """Try once to empty the write-ahead log; wait a little if it fails."""
    busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        # SQLite waits for readers and writers by itself, but not for another such try.
        time.sleep(TRUNCATE_PAUSE)
    return not busy


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
