"""The keystore: a small database apart from the cases, with short-lived backups of its own.

It holds what must be forgettable or must outlive a restored case database: the shred key of
each case, and each officer's sealed memory of the roster and log last seen. Destroying a shred
key makes every grant of its case unreadable, in every backup of the case database.

Two databases cannot commit as one. A new shred key is therefore committed here first, under a
new version; the case row names the version in force, and the old one is dropped only after
the main commit (:meth:`Keystore.settle`). A crash in between leaves one key too many, never one
too few; the tick removes it beside the key in force (:meth:`Keystore.sweep`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias, cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from casework.store.engine import BEGIN_OPTION, open_engine, truncate_wal
from crypto import shred

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection, Engine

Kept: TypeAlias = tuple[bytes, bytes]
"""A memory sealed to the person whose it is, and their signature over it."""

METADATA = MetaData()

SHRED_KEYS = Table(
    "shred_key",
    METADATA,
    Column("case_id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("key", LargeBinary, CheckConstraint("length(key) = 32"), nullable=False),
    sqlite_with_rowid=False,
)

MEMORIES = Table(
    "keyring_memory",
    METADATA,
    Column("person_id", String(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)


class Keystore:
    """Shred keys and keyring memories in one SQLite file (mode 0600).

    ``stand_in``: an empty one, for a copy of the cases that came without: that it lacks a key
    means nothing.
    """

    def __init__(self, path: Path, *, stand_in: bool = False) -> None:
        """Open the keystore at ``path``, creating its tables if absent."""
        self.stand_in = stand_in
        self.engine: Engine = open_engine(path)
        METADATA.create_all(self.engine)
        self._pending = threading.local()

    def new_shred_key(self, case_id: str, version: int) -> bytes:
        """Store and return a fresh 32-byte shred key of ``case_id`` under ``version``.

        Older versions are dropped by :meth:`settle`, after the case database has committed.
        A leftover of the same version (from a transaction that never committed) is replaced.
        """
        with self._write() as connection:
            key = _put_new_key(connection, case_id, version)
        self._superseded().append((case_id, version))
        return key

    def open_case(self, case_id: str, version: int, reporter: str, kept: Kept) -> bytes:
        """Do as :meth:`new_shred_key`, and keep the reporter's first memory in the same commit.

        A leftover memory names a person of whom the case database knows nothing; it is sealed to
        keys that nobody has any more.
        """
        with self._write() as connection:
            key = _put_new_key(connection, case_id, version)
            put_memory(connection, reporter, kept)
        self._superseded().append((case_id, version))
        return key

    def shred_key(self, case_id: str, version: int) -> bytes | None:
        """Return the shred key in force, or ``None`` when it was destroyed."""
        with self.engine.connect() as connection:
            key = connection.scalar(
                select(SHRED_KEYS.c.key).where(
                    SHRED_KEYS.c.case_id == case_id, SHRED_KEYS.c.version == version
                )
            )
        return cast("bytes | None", key)

    def holds_newer(self, case_id: str, version: int) -> bool:
        """Return whether a case has a shred key of a later version than ``version``."""
        with self.engine.connect() as connection:
            found = connection.scalar(
                select(SHRED_KEYS.c.version)
                .where(SHRED_KEYS.c.case_id == case_id, SHRED_KEYS.c.version > version)
                .limit(1)
            )
        return found is not None

    def settle(self) -> None:
        """Drop the versions that this thread's last committed transaction replaced."""
        superseded = self._superseded()
        self._pending.cases = []
        for case_id, version in superseded:
            if version == 1:
                continue
            with self._write() as connection:
                connection.execute(
                    delete(SHRED_KEYS).where(
                        SHRED_KEYS.c.case_id == case_id, SHRED_KEYS.c.version < version
                    )
                )

    def forget_pending(self) -> None:
        """Forget the versions of a transaction that was rolled back."""
        self._pending.cases = []

    def shred(self, case_id: str) -> None:
        """Destroy every shred key of a case and wipe it from the write-ahead log.

        Raises:
            Unavailable: the keys are gone, but somebody reads all the time, so that the log still
                holds them; the next tick wipes it.
        """
        with self._write() as connection:
            connection.execute(delete(SHRED_KEYS).where(SHRED_KEYS.c.case_id == case_id))
        truncate_wal(self.engine)

    def sweep(self, in_force: Mapping[str, int]) -> int:
        """Remove every key but the version that ``in_force`` names; return how many went.

        A case that ``in_force`` does not name loses all its keys: :func:`casework.tick.tick` names
        every case that has one. Call it with versions read under the main write lock, so that
        no transaction is half-way between the two databases.
        """
        removed = 0
        with self._write() as connection:
            rows = connection.execute(select(SHRED_KEYS.c.case_id, SHRED_KEYS.c.version)).all()
            for case_id, version in rows:
                if in_force.get(case_id) != version:
                    connection.execute(
                        delete(SHRED_KEYS).where(
                            SHRED_KEYS.c.case_id == case_id, SHRED_KEYS.c.version == version
                        )
                    )
                    removed += 1
        return removed

    def memory(self, person_id: str) -> Kept | None:
        """Return a person's sealed keyring memory and its signature, if one was kept."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(MEMORIES.c.sealed, MEMORIES.c.signature).where(
                    MEMORIES.c.person_id == person_id
                )
            ).first()
        return None if row is None else (row.sealed, row.signature)

    def remember(self, person_id: str, sealed: bytes, signature: bytes) -> None:
        """Replace a person's sealed keyring memory."""
        with self._write() as connection:
            put_memory(connection, person_id, (sealed, signature))

    def _superseded(self) -> list[tuple[str, int]]:
        cases: list[tuple[str, int]] | None = getattr(self._pending, "cases", None)
        if cases is None:
            cases = self._pending.cases = []
        return cases

    def _write(self) -> AbstractContextManager[Connection]:
        return self.engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"}).begin()


def put_memory(connection: Connection, person_id: str, kept: Kept) -> None:
    """Replace a person's memory within an open transaction of the keystore."""
    sealed, signature = kept
    connection.execute(delete(MEMORIES).where(MEMORIES.c.person_id == person_id))
    connection.execute(
        insert(MEMORIES).values(person_id=person_id, sealed=sealed, signature=signature)
    )


def _put_new_key(connection: Connection, case_id: str, version: int) -> bytes:
    """Store and return a fresh shred key, in place of a leftover of the same version."""
    key = shred.new_key()
    connection.execute(
        delete(SHRED_KEYS).where(SHRED_KEYS.c.case_id == case_id, SHRED_KEYS.c.version == version)
    )
    connection.execute(insert(SHRED_KEYS).values(case_id=case_id, version=version, key=key))
    return key
