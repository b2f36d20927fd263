"""Files that appear whole or not at all, and the lock under which they are written."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
LOCK: Final = "lock"
UNFINISHED: Final = ".new"
"""Name of a file that is being written; under the lock there is never a second one."""


def make_folder(folder: Path) -> None:
    """Make a folder (mode 0700) unless it is there, safe on the disk."""
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    sync(folder.parent)


def put(path: Path, text: str) -> None:
    """Write a file (mode 0600) under its name, or over the one that has it, safe on the disk.

    The caller holds the folder's lock. Whatever kills the process leaves the old file or the new.
    """
    unfinished = path.parent / UNFINISHED
    descriptor = os.open(
        unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
    )
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder alone, against other processes and other threads of this one.

    The kernel's lock belongs to the opening of the file, and ends with the process.
    """
    descriptor = os.open(
        folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
