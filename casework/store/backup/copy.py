"""Database and keystore of one moment, while the server goes on.

A shred key is committed to the keystore before the case that needs it, and the key before it is
dropped after; both by an act that holds, or has held, the main write lock. So the keystore is
copied while we hold that lock ourselves: it then has the key of every case that is committed, and
possibly some too many. The database is pinned under the same lock by a reading transaction and
copied after the lock was given back, however long that takes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pysqlite3 import dbapi2
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.evidence.tables import FilePart
from casework.keys import point
from casework.log import keys as log_keys
from casework.log.keys import LogKeyMissing, LogKeysBroken
from casework.store.engine import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from casework.keys.point import Point
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

PREFIX: Final = ".backup-"
"""How folders begin in which copies are made; their files lose their names once they are open."""


@dataclass(frozen=True)
class Pair:
    """Copies of one moment: the database as an open file, the keystore's bytes, the checkpoint.

    ``log_key`` is the file of the log's key in force, ``None`` if that is not there.
    ``blobs`` are the parts of files that the database names, with size and SHA-256 (bytes).
    """

    database: BinaryIO
    keystore: bytes = field(repr=False)
    log_key: bytes | None = field(repr=False)
    point: Point
    blobs: dict[str, tuple[int, bytes]]


@contextmanager
def pair(office: Office, data: Path, keys: Path) -> Iterator[Pair]:
    """Copy database and keystore as they were at one moment.

    The database is copied inside the folder ``data`` and needs as much space again; the keystore,
    which is small, inside ``keys``, wiped at once and held in memory.

    Raises:
        Unavailable: a database is locked, full or unreadable, or the disk is full.
        OSError: a folder cannot be written.
    """
    for folder in (data, keys):
        _sweep(folder)
    with office.engine.connect() as reader:
        with office.write() as uow:
            # A transaction begins with its first statement, and the lock is what is wanted here.
            uow.session.connection()
            # Under the lock, the snapshot of the reader is what the last act left.
            reader.exec_driver_sql("SELECT count(*) FROM leaf")
            with Session(reader) as session:
                now = point.of(session)
            log_key = _log_key(uow)
            with office.keystore.engine.connect() as source, _copied(source, keys) as copy:
                keystore = copy.read()
                _wipe(copy)
        with _copied(reader, data) as database:
            rows = reader.execute(select(FilePart.blob, FilePart.size, FilePart.digest))
            blobs = {row.blob: (row.size, row.digest) for row in rows}
            reader.rollback()
            yield Pair(database, keystore, log_key, now, blobs)


def _log_key(uow: UnitOfWork) -> bytes | None:
    """Return the key of the log that is in force at the moment of the copy.

    An instance whose key is lost, or whose table of keys was written to, is backed up all the same.
    """
    try:
        return f"{log_keys.signer(uow).to_text()}\n".encode()
    except (LogKeyMissing, LogKeysBroken):
        return None


@contextmanager
def _copied(source: Connection, folder: Path) -> Iterator[BinaryIO]:
    """Copy a database into a file of a folder, and yield it open and without a name.

    If ``source`` has read already, what is copied is what it saw then.
    """
    place = folder / f"{PREFIX}{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        path = place / "copy"
        _copy(source, path)
        with path.open("r+b") as file:
            path.unlink()
            place.rmdir()
            yield file
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(descriptor)


def _copy(source: Connection, path: Path) -> None:
    path.touch(mode=0o600)
    target = dbapi2.connect(str(path))
    raw: Any = source.connection.driver_connection
    try:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        raw.backup(target)
    except dbapi2.Error as error:
        raise Unavailable(type(error).__name__) from error
    finally:
        target.close()


def _wipe(file: BinaryIO) -> None:
    """Overwrite a copy of keys: one that is destroyed later must not lie in a freed block."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    file.write(bytes(size))
    file.flush()
    os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """Remove what killed backups left; one that still runs holds a lock and is kept."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for file in left.iterdir():
                    with file.open("r+b") as copy:
                        _wipe(copy)
                shutil.rmtree(left)
            finally:
                os.close(descriptor)
