"""Archives as files: their names, how one appears whole or not at all, and how old ones go.

While an archive is written it has a hidden name; what a killed process left under one is removed
by the next backup into the same folder.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING, Final

from casework.store.backup.manifest import ArchiveUnfit
from casework.store.backup.tar import END, PIECE
from casework.store.blobs import sync_folder
from crypto import age

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from crypto.age import Recipient

PRIVATE: Final = 0o600
_SHORT: Final = 8
_PART: Final = ".part"


def data_name(instance: str, made: datetime, pair: str) -> str:
    """Return the file name of an archive of the database: instance, UTC time, pair."""
    return f"suaka-data-{_stem(instance, made, pair)}.tar.age"


def keys_name(instance: str, made: datetime, pair: str, expires: date) -> str:
    """Return the file name of an archive of keys, which also says when it expires.

    The name must say so: what is inside can be read by nobody here.
    """
    return f"suaka-keys-{_stem(instance, made, pair)}-until-{expires:%Y%m%d}.tar.age"


def expired(folder: Path, instance: str, today: date) -> list[Path]:
    """Return the archives of this instance's keys in a folder whose last day is over."""
    pattern = re.compile(
        rf"suaka-keys-{instance[:_SHORT]}-[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{8}}"
        r"-until-([0-9]{8})\.tar\.age"
    )
    found = []
    for path in sorted(folder.iterdir()):
        named = pattern.fullmatch(path.name)
        if named is None or path.is_symlink() or not path.is_file():
            continue
        with suppress(ValueError):  # eight digits that are no day
            if date.fromisoformat(named[1]) < today:
                found.append(path)
    return found


class Pending:
    """An archive under its hidden name: written, and safe on the disk, but not there yet."""

    def __init__(self, hidden: Path, final: Path) -> None:
        self._hidden, self.final = hidden, final

    def publish(self) -> None:
        """Give the archive its name.

        Raises:
            ArchiveUnfit: there is such a file already.
        """
        if self.final.exists():
            raise ArchiveUnfit(f"{self.final.name} exists already")
        self._hidden.rename(self.final)
        sync_folder(self.final.parent)


@contextmanager
def sealed(
    final: Path, recipients: Sequence[Recipient], content: Iterable[bytes]
) -> Iterator[Pending]:
    """Seal a tar stream into a hidden file beside ``final``; gone unless it is published.

    Holds one piece of the stream in memory.

    Raises:
        OSError: the folder cannot be written.
        ArchiveUnfit: see :mod:`casework.store.backup.tar`.
    """
    _sweep(final.parent)
    hidden = final.with_name(f".{final.name}{_PART}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb", buffering=PIECE) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            encryptor = age.Encryptor(recipients)
            for piece in content:
                file.write(encryptor.update(piece))
            file.write(encryptor.update(END))
            file.write(encryptor.finalize())
            file.flush()
            os.fsync(file.fileno())
            yield Pending(hidden, final)
    finally:
        hidden.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed backups left; one that is being written is locked, and stays."""
    for left in folder.glob(f".suaka-*{_PART}"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def _stem(instance: str, made: datetime, pair: str) -> str:
    return f"{instance[:_SHORT]}-{made:%Y%m%dT%H%M%SZ}-{pair[:_SHORT]}"
